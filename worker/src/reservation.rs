//! Keeps places of the data plane for the verifiers that are drawn to check this worker.
//!
//! A crowd of strangers that takes every public place would keep the verifiers out, and the worker would be held to account
//! for not serving them.

use assay_agent::{concurrent::each, keys::Account, Peer, Snapshot};
use assay_p2p::PeerId;
use assay_protocol::records::operators::Role;
use std::collections::{HashMap, HashSet};

/// Blocks after which the peer ids of verifiers that stay drawn are read again: a verifier may publish another.
const REFRESH: u64 = 16;

/// The verifiers that places are kept for.
#[derive(Default)]
pub(crate) struct Reservation {
	peers: HashMap<Account, PeerId>,
	read_at: u64,
}

impl Reservation {
	/// Keeps the places for `drawn` from now on. Who cannot be read is tried again at the next block.
	pub(crate) async fn update(&mut self, peer: &Peer, snapshot: &Snapshot, drawn: HashSet<Account>) {
		if self.read_at.saturating_add(REFRESH) <= snapshot.number() {
			self.read_at = snapshot.number();
			self.peers.clear();
		}
		let missing = missing(&mut self.peers, &drawn);
		for (who, read) in each(missing, |who| async move { snapshot.operator(Role::Verifier, &who).await }).await {
			match read {
				Ok(Some(operator)) => {
					if let Ok(id) = PeerId::from_bytes(&operator.contact.peer_id) {
						self.peers.insert(who, id);
					}
				}
				Ok(None) => {}
				Err(error) => tracing::warn!(%error, "a drawn verifier is looked up again"),
			}
		}
		peer.plane.reserve_for(self.peers.values().copied().collect());
	}
}

/// Drops who is not drawn any more; returns who is new.
fn missing(known: &mut HashMap<Account, PeerId>, drawn: &HashSet<Account>) -> Vec<Account> {
	known.retain(|who, _| drawn.contains(who));
	drawn.iter().filter(|who| !known.contains_key(*who)).copied().collect()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn places_follow_the_draw() {
		let mut known = HashMap::from([([1; 32], PeerId::random()), ([2; 32], PeerId::random())]);
		let mut new = missing(&mut known, &HashSet::from([[2; 32], [3; 32], [4; 32]]));
		new.sort_unstable();
		assert_eq!(new, [[3; 32], [4; 32]]);
		assert_eq!(known.keys().copied().collect::<Vec<_>>(), [[2; 32]]);
		assert!(missing(&mut known, &HashSet::new()).is_empty() && known.is_empty());
	}
}
