//! Where a peer can be reached.

use std::{fmt, str::FromStr};

use libp2p::{multiaddr::Protocol, Multiaddr, PeerId};

/// A peer and the addresses at which to dial it. The peer id is authenticated by the handshake, the addresses are hints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
	/// Who must answer.
	pub peer: PeerId,
	/// Where to dial, without the `/p2p/` part. May be empty if a connection to the peer already exists.
	pub addresses: Vec<Multiaddr>,
}

/// The text is not an address that names its peer.
#[derive(Debug, thiserror::Error)]
pub enum InvalidProvider {
	/// Not a multiaddr.
	#[error("not a multiaddr: {0}")]
	Address(#[from] libp2p::multiaddr::Error),
	/// The address does not say who must answer there.
	#[error("the address must end with /p2p/PEER_ID")]
	PeerMissing,
}

impl Provider {
	/// A peer with its addresses; a trailing `/p2p/` part of an address is dropped.
	pub fn new(peer: PeerId, addresses: impl IntoIterator<Item = Multiaddr>) -> Self {
		let addresses = addresses
			.into_iter()
			.map(|mut address| {
				if let Some(Protocol::P2p(_)) = address.iter().last() {
					address.pop();
				}
				address
			})
			.collect();
		Self { peer, addresses }
	}
}

impl TryFrom<Multiaddr> for Provider {
	type Error = InvalidProvider;

	fn try_from(address: Multiaddr) -> Result<Self, Self::Error> {
		match address.iter().last() {
			Some(Protocol::P2p(peer)) => Ok(Self::new(peer, [address.clone()])),
			_ => Err(InvalidProvider::PeerMissing),
		}
	}
}

impl FromStr for Provider {
	type Err = InvalidProvider;

	fn from_str(text: &str) -> Result<Self, Self::Err> {
		text.parse::<Multiaddr>()?.try_into()
	}
}

impl fmt::Display for Provider {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{}", self.peer)
	}
}
