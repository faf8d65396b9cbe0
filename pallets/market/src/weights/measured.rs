//! Measured in the runtime's own WebAssembly by `scripts/bench weights`. Not to be edited: run it again.
//!
//! 2026-11-21 on Intel(R) Xeon(R) Processor; 6 values of each parameter, 10 runs of each. Times are without the database,
//! whose cost is the runtime's `DbWeight`. Each comment gives the fastest run.

use frame_support::{traits::Get, weights::Weight};

/// 119.0 us.
pub(super) fn post_job<T: frame_system::Config>() -> Weight {
	Weight::from_parts(124_471_000, 444).saturating_add(T::DbWeight::get().reads_writes(5, 5))
}

/// 164.0 us.
pub(super) fn bid<T: frame_system::Config>() -> Weight {
	Weight::from_parts(168_580_000, 5_243).saturating_add(T::DbWeight::get().reads_writes(8, 5))
}

/// 102.4 us.
pub(super) fn bid_on_ramp<T: frame_system::Config>() -> Weight {
	Weight::from_parts(105_939_000, 2_153).saturating_add(T::DbWeight::get().reads_writes(7, 5))
}

/// 86.0 us.
pub(super) fn withdraw_bid<T: frame_system::Config>() -> Weight {
	Weight::from_parts(87_562_000, 3_482).saturating_add(T::DbWeight::get().reads_writes(4, 3))
}

/// 1865.8 us.
pub(super) fn close_auction<T: frame_system::Config>() -> Weight {
	Weight::from_parts(1_880_485_000, 12_536).saturating_add(T::DbWeight::get().reads_writes(102, 69))
}

/// 1652.6 us.
pub(super) fn cancel_job<T: frame_system::Config>() -> Weight {
	Weight::from_parts(1_672_371_000, 8_564).saturating_add(T::DbWeight::get().reads_writes(69, 67))
}

/// 208.0 us.
pub(super) fn cancel_lease<T: frame_system::Config>() -> Weight {
	Weight::from_parts(213_025_000, 2_530).saturating_add(T::DbWeight::get().reads_writes(10, 7))
}

/// 167.9 us.
pub(super) fn fail_job<T: frame_system::Config>() -> Weight {
	Weight::from_parts(176_160_000, 2_530).saturating_add(T::DbWeight::get().reads_writes(10, 7))
}

/// 1640.8 us.
pub(super) fn expire<T: frame_system::Config>() -> Weight {
	Weight::from_parts(1_658_728_000, 8_564).saturating_add(T::DbWeight::get().reads_writes(69, 67))
}

/// 217.4 us.
pub(super) fn declare_absent<T: frame_system::Config>() -> Weight {
	Weight::from_parts(222_655_000, 56_074).saturating_add(T::DbWeight::get().reads_writes(12, 8))
}

/// 23.4 us.
pub(super) fn forget_job<T: frame_system::Config>() -> Weight {
	Weight::from_parts(25_192_000, 1_088).saturating_add(T::DbWeight::get().reads_writes(3, 2))
}

/// 7.3 us.
pub(super) fn set_parameters<T: frame_system::Config>() -> Weight {
	Weight::from_parts(8_111_000, 0).saturating_add(T::DbWeight::get().reads_writes(0, 1))
}
