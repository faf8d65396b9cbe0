//! Weights of the calls: the dearest of what the benchmarks measured of each.

mod measured;

use core::marker::PhantomData;
use frame_support::weights::Weight;

/// What each call costs.
pub trait WeightInfo {
	/// `post_job`.
	fn post_job() -> Weight;
	/// `bid`: displacing the worst of a full order, or winning a ramp.
	fn bid() -> Weight;
	/// `withdraw_bid`, of a full order.
	fn withdraw_bid() -> Weight;
	/// `close_auction` of a full order in which only the last bidder is able.
	fn close_auction() -> Weight;
	/// `cancel_job`, of a full order or in a lease.
	fn cancel_job() -> Weight;
	/// `fail_job`, when the job ends with it.
	fn fail_job() -> Weight;
	/// `expire`, of a full order.
	fn expire() -> Weight;
	/// `declare_absent`, when the job ends with it.
	fn declare_absent() -> Weight;
	/// `forget_job`.
	fn forget_job() -> Weight;
	/// `set_parameters`.
	fn set_parameters() -> Weight;
}

/// Weights by the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn post_job() -> Weight {
		measured::post_job::<T>()
	}

	fn bid() -> Weight {
		measured::bid::<T>().max(measured::bid_on_ramp::<T>())
	}

	fn withdraw_bid() -> Weight {
		measured::withdraw_bid::<T>()
	}

	fn close_auction() -> Weight {
		measured::close_auction::<T>()
	}

	fn cancel_job() -> Weight {
		measured::cancel_job::<T>().max(measured::cancel_lease::<T>())
	}

	fn fail_job() -> Weight {
		measured::fail_job::<T>()
	}

	fn expire() -> Weight {
		measured::expire::<T>()
	}

	fn declare_absent() -> Weight {
		measured::declare_absent::<T>()
	}

	fn forget_job() -> Weight {
		measured::forget_job::<T>()
	}

	fn set_parameters() -> Weight {
		measured::set_parameters::<T>()
	}
}
