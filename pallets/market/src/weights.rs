//! Weights of the calls. Storage accesses are counted from the code; the reference times are upper estimates until the
//! benchmarks have run on reference hardware.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call costs.
pub trait WeightInfo {
	/// `post_job`.
	fn post_job() -> Weight;
	/// `bid`, displacing the worst of a full order.
	fn bid() -> Weight;
	/// `withdraw_bid`.
	fn withdraw_bid() -> Weight;
	/// `close_auction` of a full order in which only the last bidder is able.
	fn close_auction() -> Weight;
	/// `cancel_job`, of a full order.
	fn cancel_job() -> Weight;
	/// `fail_job`.
	fn fail_job() -> Weight;
	/// `expire`, of a full order.
	fn expire() -> Weight;
	/// `declare_absent`.
	fn declare_absent() -> Weight;
	/// `forget_job`.
	fn forget_job() -> Weight;
	/// `set_parameters`.
	fn set_parameters() -> Weight;
}

/// Weights by the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

/// Encoded size of a job and its specification with their trie nodes, rounded up.
const JOB: u64 = 12_000;
/// Encoded size of an account, its holds and an operator's record with their trie nodes, rounded up.
const PARTY: u64 = 9_000;
/// Encoded size of a full index of 1,024 verifiers, rounded up.
const INDEX: u64 = 64_000;
/// Bids of a full order.
const BIDS: u64 = crate::types::MAX_BIDS as u64;

fn weight<T: frame_system::Config>(micros: u64, proof: u64, reads: u64, writes: u64) -> Weight {
	Weight::from_parts(micros.saturating_mul(1_000_000), proof)
		.saturating_add(T::DbWeight::get().reads_writes(reads, writes))
}

// Job: record, specification. Party: account, holds; operator, collateral.
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn post_job() -> Weight {
		weight::<T>(160, JOB + PARTY, 6, 5)
	}

	fn bid() -> Weight {
		weight::<T>(220, JOB + 3 * PARTY, 10, 8)
	}

	fn withdraw_bid() -> Weight {
		weight::<T>(110, JOB + PARTY, 4, 3)
	}

	fn close_auction() -> Weight {
		weight::<T>(200 + 90 * BIDS, JOB + (BIDS + 1) * PARTY, 6 + 4 * BIDS, 5 + 2 * BIDS)
	}

	fn cancel_job() -> Weight {
		weight::<T>(300 + 60 * BIDS, JOB + (BIDS + 2) * PARTY, 10 + 2 * BIDS, 9 + 2 * BIDS)
	}

	fn fail_job() -> Weight {
		weight::<T>(260, JOB + 2 * PARTY, 9, 7)
	}

	fn expire() -> Weight {
		weight::<T>(300 + 60 * BIDS, JOB + (BIDS + 2) * PARTY, 10 + 2 * BIDS, 9 + 2 * BIDS)
	}

	fn declare_absent() -> Weight {
		weight::<T>(400, JOB + 2 * PARTY + INDEX, 12, 10)
	}

	fn forget_job() -> Weight {
		weight::<T>(50, JOB, 2, 2)
	}

	fn set_parameters() -> Weight {
		weight::<T>(20, 1_000, 0, 1)
	}
}
