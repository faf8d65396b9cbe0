//! Who is banned, and until when.

use std::{
	collections::{BTreeSet, HashMap},
	time::Instant,
};

use libp2p::PeerId;

/// A bounded table of bans, ordered by their end.
#[derive(Debug)]
pub(super) struct Bans {
	capacity: usize,
	until: HashMap<PeerId, Instant>,
	order: BTreeSet<(Instant, PeerId)>,
}

impl Bans {
	pub(super) fn new(capacity: usize) -> Self {
		Self { capacity: capacity.max(1), until: HashMap::new(), order: BTreeSet::new() }
	}

	/// Bans `peer` until `end`, or longer if it already is. Returns the peer whose ban had to be dropped for room.
	pub(super) fn add(&mut self, peer: PeerId, end: Instant) -> Option<PeerId> {
		let known = self.until.get(&peer).copied();
		if let Some(known) = known {
			self.order.remove(&(known, peer));
		}
		let end = known.map_or(end, |known| known.max(end));
		let evicted = (known.is_none() && self.until.len() >= self.capacity).then(|| self.pop()).flatten();
		self.until.insert(peer, end);
		self.order.insert((end, peer));
		evicted
	}

	pub(super) fn contains(&self, peer: &PeerId) -> bool {
		self.until.contains_key(peer)
	}

	/// When the next ban ends.
	pub(super) fn next_end(&self) -> Option<Instant> {
		self.order.first().map(|(end, _)| *end)
	}

	/// Takes out a peer whose ban has ended by `now`.
	pub(super) fn expire(&mut self, now: Instant) -> Option<PeerId> {
		if self.next_end()? > now {
			return None;
		}
		self.pop()
	}

	fn pop(&mut self) -> Option<PeerId> {
		let (_, peer) = self.order.pop_first()?;
		self.until.remove(&peer);
		Some(peer)
	}
}

#[cfg(test)]
mod tests {
	use std::time::Duration;

	use super::*;

	#[test]
	fn bans_end_in_order_are_extended_and_bounded() {
		let (now, second) = (Instant::now(), Duration::from_secs(1));
		let (one, two, three) = (PeerId::random(), PeerId::random(), PeerId::random());
		let mut bans = Bans::new(2);
		assert_eq!(bans.add(one, now + second), None);
		assert_eq!(bans.add(two, now + 2 * second), None);
		assert_eq!(bans.add(one, now + 3 * second), None);
		assert_eq!(bans.next_end(), Some(now + 2 * second));
		assert_eq!(bans.expire(now + second), None);
		assert_eq!(bans.add(three, now + 4 * second), Some(two));
		assert!(bans.contains(&one) && !bans.contains(&two) && bans.contains(&three));
		assert_eq!(bans.expire(now + 3 * second), Some(one));
		assert_eq!(bans.expire(now + 3 * second), None);
	}
}
