//! Who may read which blob.

use std::{
	collections::{HashMap, HashSet},
	sync::{PoisonError, RwLock},
};

use libp2p::PeerId;

use crate::BlobHash;

/// Decides who may read a blob. Asked when a peer opens a blob and again at every range, so a withdrawal takes effect
/// at once. The answer must be quick: it is given on the task that serves the peer.
pub trait AccessPolicy: Send + Sync + 'static {
	/// Whether `peer` may read the blob `hash`.
	fn allow(&self, peer: &PeerId, hash: &BlobHash) -> bool;
}

/// Everybody may read everything, as on a mirror of public data.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllowAll;

impl AccessPolicy for AllowAll {
	fn allow(&self, _: &PeerId, _: &BlobHash) -> bool {
		true
	}
}

/// Nobody may read anything, as for a peer that only fetches.
#[derive(Clone, Copy, Debug, Default)]
pub struct DenyAll;

impl AccessPolicy for DenyAll {
	fn allow(&self, _: &PeerId, _: &BlobHash) -> bool {
		false
	}
}

/// Refuses by default; the owner publishes blobs or grants them to single peers while the data plane runs.
#[derive(Debug, Default)]
pub struct Grants(RwLock<GrantTable>);

#[derive(Debug, Default)]
struct GrantTable {
	public: HashSet<BlobHash>,
	granted: HashMap<BlobHash, HashSet<PeerId>>,
}

impl Grants {
	/// An empty table: every read is refused.
	pub fn new() -> Self {
		Self::default()
	}

	/// Lets everybody read `hash`.
	pub fn publish(&self, hash: BlobHash) {
		self.write(|table| table.public.insert(hash));
	}

	/// Lets `peer` read `hash`.
	pub fn grant(&self, peer: PeerId, hash: BlobHash) {
		self.write(|table| table.granted.entry(hash).or_default().insert(peer));
	}

	/// Withdraws the grant of one peer.
	pub fn revoke(&self, peer: &PeerId, hash: &BlobHash) {
		self.write(|table| {
			if let Some(peers) = table.granted.get_mut(hash) {
				peers.remove(peer);
				if peers.is_empty() {
					table.granted.remove(hash);
				}
			}
		});
	}

	/// Withdraws every right to read `hash`.
	pub fn close(&self, hash: &BlobHash) {
		self.write(|table| {
			table.public.remove(hash);
			table.granted.remove(hash);
		});
	}

	fn write<R>(&self, change: impl FnOnce(&mut GrantTable) -> R) -> R {
		change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
	}
}

impl AccessPolicy for Grants {
	fn allow(&self, peer: &PeerId, hash: &BlobHash) -> bool {
		let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
		table.public.contains(hash) || table.granted.get(hash).is_some_and(|peers| peers.contains(peer))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn grants_are_per_peer_and_per_blob() {
		let (grants, one, two) = (Grants::new(), PeerId::random(), PeerId::random());
		let (secret, open) = (BlobHash::of(b"secret"), BlobHash::of(b"open"));
		grants.grant(one, secret);
		grants.publish(open);
		assert!(grants.allow(&one, &secret) && !grants.allow(&two, &secret) && grants.allow(&two, &open));
		grants.revoke(&one, &secret);
		grants.close(&open);
		assert!(!grants.allow(&one, &secret) && !grants.allow(&two, &open));
	}
}
