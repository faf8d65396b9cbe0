//! Weights of the calls. Storage accesses are counted from the code; the reference times are upper estimates until
//! the benchmarks have run on reference hardware.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each call costs.
pub trait WeightInfo {
	/// `register`, in a full set.
	fn register() -> Weight;
	/// `raise_bond`.
	fn raise_bond() -> Weight;
	/// `leave`.
	fn leave() -> Weight;
	/// `withdraw`.
	fn withdraw() -> Weight;
	/// One offender punished.
	fn punish() -> Weight;
}

/// Weights by the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

fn weight<T: frame_system::Config>(micros: u64, proof: u64, reads: u64, writes: u64) -> Weight {
	Weight::from_parts(micros.saturating_mul(1_000_000), proof)
		.saturating_add(T::DbWeight::get().reads_writes(reads, writes))
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn register() -> Weight {
		weight::<T>(120, 12_000, 6, 5)
	}

	fn raise_bond() -> Weight {
		weight::<T>(80, 9_000, 3, 3)
	}

	fn leave() -> Weight {
		weight::<T>(60, 9_000, 3, 2)
	}

	fn withdraw() -> Weight {
		weight::<T>(80, 9_000, 5, 3)
	}

	fn punish() -> Weight {
		weight::<T>(150, 16_000, 9, 7)
	}
}

/// For tests.
impl WeightInfo for () {
	fn register() -> Weight {
		Weight::zero()
	}

	fn raise_bond() -> Weight {
		Weight::zero()
	}

	fn leave() -> Weight {
		Weight::zero()
	}

	fn withdraw() -> Weight {
		Weight::zero()
	}

	fn punish() -> Weight {
		Weight::zero()
	}
}
