//! Weights of the calls: the dearest of what the benchmarks measured of each.

mod measured;

use core::marker::PhantomData;
use frame_support::weights::Weight;

/// What each call costs.
pub trait WeightInfo {
	/// One block's `on_finalize`.
	fn on_finalize() -> Weight;
	/// `commit_milestone`.
	fn commit_milestone() -> Weight;
	/// `draw` and `redraw`, of the largest round, with a full index of verifiers and a beacon of 256 blocks.
	fn draw() -> Weight;
	/// `commit_blind`, the last one.
	fn commit_blind() -> Weight;
	/// `open` with `openings` openings.
	fn open(openings: u32) -> Weight;
	/// `reveal`, with a dispute or a slashed verifier.
	fn reveal() -> Weight;
	/// `settle`, of the largest round, when the job ends with it: all agreed, the worker did not open, or nobody revealed.
	fn settle() -> Weight;
	/// `report_unserved`.
	fn report_unserved() -> Weight;
	/// `answer_challenge`.
	fn answer_challenge() -> Weight;
}

/// A milestone has at most `MAX_CHECKS` first checks, for which the benchmarks measure, and each of at most 32 segments may
/// get one more in each of two later tranches: as many again.
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

	fn draw() -> Weight {
		// Locking and dismissing as many verifiers again costs less than settling them.
		measured::draw::<T>().max(measured::redraw::<T>()).saturating_add(measured::settle::<T>())
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

	fn settle() -> Weight {
		measured::settle::<T>()
			.max(measured::settle_unopened::<T>())
			.max(measured::settle_unrevealed::<T>())
			.saturating_mul(LATER_TRANCHES)
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

	fn draw() -> Weight {
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

	fn settle() -> Weight {
		Weight::zero()
	}

	fn report_unserved() -> Weight {
		Weight::zero()
	}

	fn answer_challenge() -> Weight {
		Weight::zero()
	}
}
