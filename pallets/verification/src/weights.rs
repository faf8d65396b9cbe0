//! Weights of the calls, derived by hand: storage accesses counted from the code for the largest round (32 segments, 64
//! checks), hashing from the measured times of BLAKE3 with a margin. To be replaced by the benchmarks on reference hardware.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call costs.
pub trait WeightInfo {
	/// One block's `on_finalize`.
	fn on_finalize() -> Weight;
	/// `commit_milestone`.
	fn commit_milestone() -> Weight;
	/// `draw` and `redraw`, of the largest round.
	fn draw() -> Weight;
	/// `commit_blind`.
	fn commit_blind() -> Weight;
	/// `open` with `openings` openings.
	fn open(openings: u32) -> Weight;
	/// `reveal`, with a dispute.
	fn reveal() -> Weight;
	/// `settle`, of the largest round.
	fn settle() -> Weight;
	/// `report_unserved`.
	fn report_unserved() -> Weight;
	/// `answer_challenge`.
	fn answer_challenge() -> Weight;
}

/// Weights by the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

/// Encoded size of the largest round after three tranches, with its trie nodes, rounded up.
const ROUND: u64 = 20_000;
/// Encoded size of a job and its specification with trie nodes, rounded up.
const LEASE: u64 = 8_000;
/// Encoded size of a full index of 1,024 verifiers, rounded up.
const INDEX: u64 = 64_000;
/// Encoded size of one operator and its account with trie nodes, rounded up.
const OPERATOR: u64 = 6_000;
/// Most checks of a milestone.
const CHECKS: u64 = 64;

fn weight<T: frame_system::Config>(micros: u64, proof: u64, reads: u64, writes: u64) -> Weight {
	Weight::from_parts(micros.saturating_mul(1_000_000), proof)
		.saturating_add(T::DbWeight::get().reads_writes(reads, writes))
}

// Lease: job, specification. Round: one record.
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	// Randomness of BABE; one slot.
	fn on_finalize() -> Weight {
		weight::<T>(10, 1_000, 2, 1)
	}

	fn commit_milestone() -> Weight {
		weight::<T>(60, LEASE + ROUND, 5, 2)
	}

	// Beacon slots (256 at most). For each check: the index decoded and written, one operator.
	fn draw() -> Weight {
		weight::<T>(300 * CHECKS, LEASE + ROUND + INDEX + OPERATOR * CHECKS, 260 + 2 * CHECKS, 1 + 2 * CHECKS)
	}

	fn commit_blind() -> Weight {
		weight::<T>(60, LEASE + ROUND, 3, 1)
	}

	// Two boundaries with proofs of 12 hashes.
	fn open(openings: u32) -> Weight {
		weight::<T>(60, LEASE + ROUND, 3, 1)
			.saturating_add(Weight::from_parts(20_000_000u64.saturating_mul(openings.into()), 0))
	}

	// A slashed verifier: operator, index, account, holds; or a dispute: record, list, number.
	fn reveal() -> Weight {
		weight::<T>(300, LEASE + ROUND + INDEX + OPERATOR, 12, 8)
	}

	// Each check: operator and index, slashed or released, and the verifier's account paid. Job, collateral, accounts; up to
	// 64 disputes dismissed.
	fn settle() -> Weight {
		weight::<T>(400 * CHECKS, LEASE + ROUND + INDEX + 2 * OPERATOR * CHECKS, 16 + 5 * CHECKS, 12 + 5 * CHECKS)
	}

	fn report_unserved() -> Weight {
		weight::<T>(60, LEASE + ROUND, 3, 1)
	}

	// Three proofs of at most 32 hashes and one chunk.
	fn answer_challenge() -> Weight {
		weight::<T>(120, LEASE + ROUND, 3, 1)
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
