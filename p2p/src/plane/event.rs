//! What a data plane reports.

use std::time::Duration;

use libp2p::{Multiaddr, PeerId};

use crate::{BlobHash, Violation};

/// Something that happened on the data plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
	/// A listening address became available, without the `/p2p/` part.
	Listening(Multiaddr),
	/// The first connection with a peer was established.
	Connected(PeerId),
	/// The last connection with a peer ended.
	Disconnected(PeerId),
	/// A peer broke the protocol: its connections were closed and new ones are refused for a while.
	Banned {
		/// The peer.
		peer: PeerId,
		/// What it did.
		violation: Violation,
		/// How long it stays banned.
		period: Duration,
	},
	/// A ban ended.
	Unbanned(PeerId),
	/// A stored blob could not be served because it no longer matches its hash. Remove it and fetch it again.
	BlobCorrupt(BlobHash),
}
