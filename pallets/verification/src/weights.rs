//! Weights of the calls: the dearest of what the benchmarks measured of each.

mod measured;

use crate::types::MAX_CHECKED;
use assay_protocol::{
	plan::MAX_LIVE_CHECKS,
	round::{Phase, SegmentRound},
};
use core::marker::PhantomData;
use frame_support::weights::Weight;

/// What each call costs.
pub trait WeightInfo {
	/// One block's `on_finalize`.
	fn on_finalize() -> Weight;
	/// `commit_milestone`.
	fn commit_milestone() -> Weight;
	/// `draw` and `redraw` of a round of this size, with a full index of verifiers and a beacon of 256 blocks.
	fn draw(round: Size) -> Weight;
	/// `commit_blind`, the last one.
	fn commit_blind() -> Weight;
	/// `open` with `openings` openings.
	fn open(openings: u32) -> Weight;
	/// `reveal`, with a dispute or a slashed verifier.
	fn reveal() -> Weight;
	/// `settle` of a round of this size, when the job ends with it: all agreed, the worker did not open, or nobody revealed.
	fn settle(round: Size) -> Weight;
	/// `report_unserved`.
	fn report_unserved() -> Weight;
	/// `answer_challenge`.
	fn answer_challenge() -> Weight;
}

/// How much of a round a call works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
	/// Segments drawn.
	pub segments: u32,
	/// Checks that are live.
	pub checks: u32,
}

impl Size {
	/// The largest round. A milestone has at most `MAX_CHECKS` first checks, and each of at most 32 segments may get one
	/// more in each of two later tranches.
	pub const MAX: Self = Self { segments: MAX_CHECKED, checks: MAX_LIVE_CHECKS };

	/// Nothing: what a refused call has looked at does not depend on the size.
	pub const NONE: Self = Self { segments: 0, checks: 0 };

	/// Of a round in this phase.
	pub fn of_phase<AccountId>(phase: &Phase<AccountId>) -> Self {
		let segments = phase.segments();
		let live = |entry: &SegmentRound<AccountId>| entry.checks.iter().filter(|check| check.state.is_live()).count();
		Self { segments: segments.len() as u32, checks: segments.iter().map(live).sum::<usize>() as u32 }
	}

	/// Eighths of the largest round, rounded up; at least one for what does not depend on the size.
	fn eighths(&self) -> u64 {
		let part = |count: u32, most: u32| u64::from(count).saturating_mul(8).div_ceil(u64::from(most)).clamp(1, 8);
		part(self.segments, Self::MAX.segments).max(part(self.checks, Self::MAX.checks))
	}

	/// This size's part of what the largest round costs.
	fn of(&self, largest: Weight) -> Weight {
		largest.saturating_div(8).saturating_mul(self.eighths())
	}
}

/// The largest round has as many checks again as the benchmarks measure for.
const LATER_TRANCHES: u64 = 2;

/// Weights by the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn on_finalize() -> Weight {
		measured::on_finalize::<T>()
	}

	fn commit_milestone() -> Weight {
		measured::commit_milestone::<T>()
	}

	fn draw(round: Size) -> Weight {
		// Locking and dismissing as many verifiers again costs less than settling them.
		round.of(measured::draw::<T>().max(measured::redraw::<T>()).saturating_add(measured::settle::<T>()))
	}

	fn commit_blind() -> Weight {
		measured::commit_blind::<T>()
	}

	fn open(openings: u32) -> Weight {
		measured::open::<T>(openings.into())
	}

	fn reveal() -> Weight {
		measured::reveal::<T>().max(measured::reveal_slashed::<T>())
	}

	fn settle(round: Size) -> Weight {
		let measured =
			measured::settle::<T>().max(measured::settle_unopened::<T>()).max(measured::settle_unrevealed::<T>());
		round.of(measured.saturating_mul(LATER_TRANCHES))
	}

	fn report_unserved() -> Weight {
		measured::report_unserved::<T>()
	}

	fn answer_challenge() -> Weight {
		measured::answer_challenge::<T>()
	}
}

/// For tests.
impl WeightInfo for () {
	fn on_finalize() -> Weight {
		Weight::zero()
	}

	fn commit_milestone() -> Weight {
		Weight::zero()
	}

	fn draw(_: Size) -> Weight {
		Weight::zero()
	}

	fn commit_blind() -> Weight {
		Weight::zero()
	}

	fn open(_: u32) -> Weight {
		Weight::zero()
	}

	fn reveal() -> Weight {
		Weight::zero()
	}

	fn settle(_: Size) -> Weight {
		Weight::zero()
	}

	fn report_unserved() -> Weight {
		Weight::zero()
	}

	fn answer_challenge() -> Weight {
		Weight::zero()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::mock::Test;

	#[test]
	fn a_small_round_costs_a_part_of_the_largest() {
		let draw = |segments, checks| SubstrateWeight::<Test>::draw(Size { segments, checks }).ref_time();
		let largest = SubstrateWeight::<Test>::draw(Size::MAX).ref_time();
		assert_eq!(Size::MAX, Size { segments: 32, checks: 128 });
		assert!(draw(2, 2) <= largest / 8 && draw(2, 2) > largest / 9);
		assert!(draw(0, 0) == draw(4, 16));
		assert!(draw(5, 5) > draw(4, 4) && draw(1, 17) > draw(1, 16));
		assert_eq!(draw(u32::MAX, u32::MAX), draw(32, 128));
	}
}
