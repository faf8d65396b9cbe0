//! Weights of the calls. Storage accesses are counted from the code; the reference times are upper estimates until the
//! benchmarks have run on reference hardware.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call costs.
pub trait WeightInfo {
	/// `register_worker`.
	fn register_worker() -> Weight;
	/// `register_verifier`, into a full index.
	fn register_verifier() -> Weight;
	/// `bond_more`.
	fn bond_more() -> Weight;
	/// `update_endpoint`.
	fn update_endpoint() -> Weight;
	/// `update_capabilities`.
	fn update_capabilities() -> Weight;
	/// `set_draining`.
	fn set_draining() -> Weight;
	/// `set_ready`.
	fn set_ready() -> Weight;
	/// `unbond`.
	fn unbond() -> Weight;
	/// `withdraw`.
	fn withdraw() -> Weight;
}

/// Weights by the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

/// Encoded size of a full index of 1,024 verifiers, rounded up.
const INDEX: u64 = 64_000;
/// Encoded size of a record and an account with their trie nodes, rounded up.
const RECORD: u64 = 9_000;

fn weight<T: frame_system::Config>(micros: u64, proof: u64, reads: u64, writes: u64) -> Weight {
	Weight::from_parts(micros.saturating_mul(1_000_000), proof)
		.saturating_add(T::DbWeight::get().reads_writes(reads, writes))
}

// Records: operator. Money: account, holds. Index: ready verifiers, count.
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn register_worker() -> Weight {
		weight::<T>(90, RECORD, 4, 3)
	}

	fn register_verifier() -> Weight {
		weight::<T>(190, RECORD + INDEX, 6, 5)
	}

	fn bond_more() -> Weight {
		weight::<T>(190, RECORD + INDEX, 5, 4)
	}

	fn update_endpoint() -> Weight {
		weight::<T>(30, RECORD, 1, 1)
	}

	fn update_capabilities() -> Weight {
		weight::<T>(30, RECORD, 1, 1)
	}

	fn set_draining() -> Weight {
		weight::<T>(140, RECORD + INDEX, 2, 2)
	}

	fn set_ready() -> Weight {
		weight::<T>(140, RECORD + INDEX, 3, 2)
	}

	fn unbond() -> Weight {
		weight::<T>(140, RECORD + INDEX, 3, 2)
	}

	fn withdraw() -> Weight {
		weight::<T>(190, RECORD + INDEX, 5, 5)
	}
}
