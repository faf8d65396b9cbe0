//! Which pieces are still to be fetched, and by whom.

use std::collections::VecDeque;

/// The open pieces of a download. Each piece is waiting, taken by one provider, or done.
#[derive(Debug)]
pub(super) struct Plan {
	waiting: VecDeque<u64>,
	taken: usize,
}

impl Plan {
	/// A plan to fetch `missing` pieces.
	pub(super) fn new(missing: Vec<u64>) -> Self {
		Self { waiting: missing.into(), taken: 0 }
	}

	/// Takes a piece to fetch. It must be given to [`Self::complete`] or [`Self::give_back`].
	pub(super) fn take(&mut self) -> Option<u64> {
		let piece = self.waiting.pop_front()?;
		self.taken += 1;
		Some(piece)
	}

	/// A taken piece is verified and stored.
	pub(super) fn complete(&mut self) {
		self.taken -= 1;
	}

	/// A taken piece could not be fetched; somebody else takes it next.
	pub(super) fn give_back(&mut self, piece: u64) {
		self.taken -= 1;
		self.waiting.push_front(piece);
	}

	/// Whether there is a piece to take.
	pub(super) fn has_waiting(&self) -> bool {
		!self.waiting.is_empty()
	}

	/// Whether every piece is stored.
	pub(super) fn is_finished(&self) -> bool {
		self.waiting.is_empty() && self.taken == 0
	}
}

#[cfg(test)]
mod tests {
	use std::collections::BTreeSet;

	use proptest::prelude::*;

	use super::*;

	proptest! {
		#[test]
		fn every_piece_is_completed_exactly_once(pieces in 0..50u64, moves: Vec<bool>) {
			let mut plan = Plan::new((0..pieces).collect());
			let mut done = BTreeSet::new();
			for completes in moves {
				match plan.take() {
					Some(piece) if completes => {
						plan.complete();
						prop_assert!(done.insert(piece));
					},
					Some(piece) => {
						prop_assert!(!plan.is_finished());
						plan.give_back(piece);
					},
					None => prop_assert!(plan.is_finished()),
				}
			}
			while let Some(piece) = plan.take() {
				plan.complete();
				prop_assert!(done.insert(piece));
			}
			prop_assert!(plan.is_finished());
			prop_assert_eq!(done.len() as u64, pieces);
		}
	}
}
