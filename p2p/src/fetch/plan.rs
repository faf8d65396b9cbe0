//! Which pieces are still to be fetched, and by whom.

use std::{
	collections::{BTreeMap, VecDeque},
	time::{Duration, Instant},
};

/// The open pieces of a download. Each piece is waiting, held by one provider or two, or done.
#[derive(Debug)]
pub(super) struct Plan {
	waiting: VecDeque<u64>,
	held: BTreeMap<u64, Held>,
	patience: Duration,
}

/// A piece that is being fetched.
#[derive(Debug)]
struct Held {
	/// When it was taken first.
	since: Instant,
	/// Providers that fetch it: one, or two once the first is slow.
	holders: u8,
}

impl Plan {
	/// A plan to fetch `missing` pieces, in which a piece held for longer than `patience` may be fetched by a second
	/// provider too, so that one that dawdles does not hold up the end.
	pub(super) fn new(missing: Vec<u64>, patience: Duration) -> Self {
		Self { waiting: missing.into(), held: BTreeMap::new(), patience }
	}

	/// Takes a piece to fetch, other than those in `mine`. It must be given to [`Self::complete`] or
	/// [`Self::give_back`].
	pub(super) fn take(&mut self, mine: &VecDeque<u64>, now: Instant) -> Option<u64> {
		if let Some(piece) = self.waiting.pop_front() {
			self.held.insert(piece, Held { since: now, holders: 1 });
			return Some(piece);
		}
		let patience = self.patience;
		let slow =
			|piece: &u64, held: &Held| held.free_at(patience).is_some_and(|free| free <= now) && !mine.contains(piece);
		let (piece, held) = self.held.iter_mut().find(|(piece, held)| held.holders == 1 && slow(piece, held))?;
		held.holders = 2;
		Some(*piece)
	}

	/// When a provider that holds nothing can take a piece; `None` if only a change of the plan can tell.
	pub(super) fn available_at(&self, now: Instant) -> Option<Instant> {
		if !self.waiting.is_empty() {
			return Some(now);
		}
		self.held.values().filter(|held| held.holders == 1).filter_map(|held| held.free_at(self.patience)).min()
	}

	/// A piece is verified and stored. Returns whether it was the first copy.
	pub(super) fn complete(&mut self, piece: u64) -> bool {
		self.held.remove(&piece).is_some()
	}

	/// A held piece did not arrive; somebody else takes it next, unless another provider holds it or it is done.
	pub(super) fn give_back(&mut self, piece: u64) {
		let Some(held) = self.held.get_mut(&piece) else { return };
		held.holders -= 1;
		if held.holders == 0 {
			self.held.remove(&piece);
			self.waiting.push_front(piece);
		}
	}

	/// Whether every piece is stored.
	pub(super) fn is_finished(&self) -> bool {
		self.waiting.is_empty() && self.held.is_empty()
	}
}

impl Held {
	/// When a second provider may take the piece; `None` if that is beyond what the clock can express.
	fn free_at(&self, patience: Duration) -> Option<Instant> {
		self.since.checked_add(patience)
	}
}

#[cfg(test)]
mod tests {
	use std::collections::BTreeSet;

	use proptest::prelude::*;

	use super::*;

	proptest! {
		/// Three providers take, deliver and fail at random while the clock advances.
		#[test]
		fn every_piece_is_completed_exactly_once(
			pieces in 0..30u64,
			moves in prop::collection::vec((0..3usize, 0..4u8), 0..400),
		) {
			let start = Instant::now();
			let mut plan = Plan::new((0..pieces).collect(), Duration::from_secs(5));
			let mut mine = [VecDeque::new(), VecDeque::new(), VecDeque::new()];
			let mut done = BTreeSet::new();
			let mut now = start;
			for (who, action) in moves {
				now += Duration::from_secs(1);
				match action {
					0 | 1 => if let Some(piece) = plan.take(&mine[who], now) {
						prop_assert!(!done.contains(&piece) && !mine[who].contains(&piece));
						mine[who].push_back(piece);
						prop_assert!(mine.iter().filter(|held| held.contains(&piece)).count() <= 2);
					},
					2 => if let Some(piece) = mine[who].pop_front() {
						prop_assert_eq!(plan.complete(piece), done.insert(piece));
					},
					_ => mine[who].drain(..).for_each(|piece| plan.give_back(piece)),
				}
				prop_assert_eq!(plan.is_finished(), done.len() as u64 == pieces);
			}
			mine.iter_mut().flat_map(|held| held.drain(..)).for_each(|piece| plan.give_back(piece));
			while let Some(piece) = plan.take(&VecDeque::new(), now) {
				prop_assert!(plan.complete(piece) && done.insert(piece));
			}
			prop_assert!(plan.is_finished());
			prop_assert_eq!(done.len() as u64, pieces);
		}
	}

	#[test]
	fn a_slow_piece_is_taken_a_second_time_but_not_a_third() {
		let (now, patience) = (Instant::now(), Duration::from_secs(5));
		let mut plan = Plan::new(vec![7], patience);
		let nothing = VecDeque::new();
		assert_eq!(plan.take(&nothing, now), Some(7));
		assert_eq!(plan.available_at(now), Some(now + patience));
		assert_eq!(plan.take(&nothing, now), None);
		assert_eq!(plan.take(&[7].into(), now + patience), None);
		assert_eq!(plan.take(&nothing, now + patience), Some(7));
		assert_eq!(plan.take(&nothing, now + 2 * patience), None);
		assert_eq!(plan.available_at(now), None);
		assert!(plan.complete(7) && !plan.complete(7));
		plan.give_back(7);
		assert!(plan.is_finished());
	}
}
