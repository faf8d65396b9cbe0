//! Weights of the calls: the dearest of what the benchmarks measured of each.

mod measured;

use core::marker::PhantomData;
use frame_support::weights::Weight;

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

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn register_worker() -> Weight {
		measured::register_worker::<T>()
	}

	fn register_verifier() -> Weight {
		measured::register_verifier::<T>()
	}

	fn bond_more() -> Weight {
		measured::bond_more::<T>()
	}

	fn update_endpoint() -> Weight {
		measured::update_endpoint::<T>()
	}

	fn update_capabilities() -> Weight {
		measured::update_capabilities::<T>()
	}

	fn set_draining() -> Weight {
		measured::set_draining::<T>()
	}

	fn set_ready() -> Weight {
		measured::set_ready::<T>()
	}

	fn unbond() -> Weight {
		measured::unbond::<T>()
	}

	fn withdraw() -> Weight {
		measured::withdraw::<T>()
	}
}
