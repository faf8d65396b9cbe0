//! Measured in the runtime's own WebAssembly by `scripts/bench weights`. Not to be edited: run it again.
//!
//! 2026-11-21 on Intel(R) Xeon(R) Processor; 8 values of each parameter, 20 runs of each. Times are without the database,
//! whose cost is the runtime's `DbWeight`. Each comment gives the fastest run.

use frame_support::{traits::Get, weights::Weight};

/// 117.6 us.
pub(super) fn post_job<T: frame_system::Config>() -> Weight {
	Weight::from_parts(122_686_000, 444).saturating_add(T::DbWeight::get().reads_writes(5, 5))
}

/// 165.5 us.
pub(super) fn bid<T: frame_system::Config>() -> Weight {
	Weight::from_parts(170_050_000, 5_243).saturating_add(T::DbWeight::get().reads_writes(8, 5))
}

/// 100.6 us.
pub(super) fn bid_on_ramp<T: frame_system::Config>() -> Weight {
	Weight::from_parts(103_456_000, 2_153).saturating_add(T::DbWeight::get().reads_writes(7, 5))
}

/// 86.1 us.
pub(super) fn withdraw_bid<T: frame_system::Config>() -> Weight {
	Weight::from_parts(89_570_000, 3_482).saturating_add(T::DbWeight::get().reads_writes(4, 3))
}

/// 1874.9 us.
pub(super) fn close_auction<T: frame_system::Config>() -> Weight {
	Weight::from_parts(1_889_720_000, 12_536).saturating_add(T::DbWeight::get().reads_writes(102, 69))
}

/// 1650.0 us.
pub(super) fn cancel_job<T: frame_system::Config>() -> Weight {
	Weight::from_parts(1_666_349_000, 8_564).saturating_add(T::DbWeight::get().reads_writes(69, 67))
}

/// 207.8 us.
pub(super) fn cancel_lease<T: frame_system::Config>() -> Weight {
	Weight::from_parts(211_808_000, 2_530).saturating_add(T::DbWeight::get().reads_writes(10, 7))
}

/// 166.0 us.
pub(super) fn fail_job<T: frame_system::Config>() -> Weight {
	Weight::from_parts(171_740_000, 2_530).saturating_add(T::DbWeight::get().reads_writes(10, 7))
}

/// 1630.3 us.
pub(super) fn expire<T: frame_system::Config>() -> Weight {
	Weight::from_parts(1_656_103_000, 8_564).saturating_add(T::DbWeight::get().reads_writes(69, 67))
}

/// 218.2 us.
pub(super) fn declare_absent<T: frame_system::Config>() -> Weight {
	Weight::from_parts(226_005_000, 56_074).saturating_add(T::DbWeight::get().reads_writes(12, 8))
}

/// 23.2 us.
pub(super) fn forget_job<T: frame_system::Config>() -> Weight {
	Weight::from_parts(25_068_000, 1_088).saturating_add(T::DbWeight::get().reads_writes(3, 2))
}

/// 7.4 us.
pub(super) fn set_parameters<T: frame_system::Config>() -> Weight {
	Weight::from_parts(7_861_000, 0).saturating_add(T::DbWeight::get().reads_writes(0, 1))
}
