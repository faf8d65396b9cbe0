//! Weights of the calls: the dearest of what the benchmarks measured of each.

mod measured;

use core::marker::PhantomData;
use frame_support::weights::Weight;

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

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn register() -> Weight {
		measured::register::<T>()
	}

	fn raise_bond() -> Weight {
		measured::raise_bond::<T>()
	}

	fn leave() -> Weight {
		measured::leave::<T>()
	}

	fn withdraw() -> Weight {
		measured::withdraw::<T>()
	}

	fn punish() -> Weight {
		measured::punish::<T>()
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
