//! Measured in the runtime's own WebAssembly by `scripts/bench weights`. Not to be edited: run it again.
//!
//! 2026-11-21 on Intel(R) Xeon(R) Processor; 3 values of each parameter, 5 runs of each. Times are without the database,
//! whose cost is the runtime's `DbWeight`. Each comment gives the fastest run.

use frame_support::{traits::Get, weights::Weight};

/// 186.7 us.
pub(super) fn post_job<T: frame_system::Config>() -> Weight {
	Weight::from_parts(190_726_000, 444).saturating_add(T::DbWeight::get().reads_writes(5, 5))
}

/// 255.4 us.
pub(super) fn bid<T: frame_system::Config>() -> Weight {
	Weight::from_parts(265_511_000, 5_239).saturating_add(T::DbWeight::get().reads_writes(8, 5))
}

/// 160.4 us.
pub(super) fn bid_on_ramp<T: frame_system::Config>() -> Weight {
	Weight::from_parts(169_631_000, 2_149).saturating_add(T::DbWeight::get().reads_writes(7, 5))
}

/// 134.4 us.
pub(super) fn withdraw_bid<T: frame_system::Config>() -> Weight {
	Weight::from_parts(136_397_000, 3_478).saturating_add(T::DbWeight::get().reads_writes(4, 3))
}

/// 2935.6 us.
pub(super) fn close_auction<T: frame_system::Config>() -> Weight {
	Weight::from_parts(2_981_402_000, 12_532).saturating_add(T::DbWeight::get().reads_writes(102, 69))
}

/// 2623.7 us.
pub(super) fn cancel_job<T: frame_system::Config>() -> Weight {
	Weight::from_parts(2_645_105_000, 8_560).saturating_add(T::DbWeight::get().reads_writes(69, 67))
}

/// 322.4 us.
pub(super) fn cancel_lease<T: frame_system::Config>() -> Weight {
	Weight::from_parts(334_264_000, 2_526).saturating_add(T::DbWeight::get().reads_writes(10, 7))
}

/// 261.9 us.
pub(super) fn fail_job<T: frame_system::Config>() -> Weight {
	Weight::from_parts(278_516_000, 2_526).saturating_add(T::DbWeight::get().reads_writes(10, 7))
}

/// 2584.6 us.
pub(super) fn expire<T: frame_system::Config>() -> Weight {
	Weight::from_parts(2_597_150_000, 8_560).saturating_add(T::DbWeight::get().reads_writes(69, 67))
}

/// 335.0 us.
pub(super) fn declare_absent<T: frame_system::Config>() -> Weight {
	Weight::from_parts(336_166_000, 56_070).saturating_add(T::DbWeight::get().reads_writes(12, 8))
}

/// 35.8 us.
pub(super) fn forget_job<T: frame_system::Config>() -> Weight {
	Weight::from_parts(37_213_000, 1_084).saturating_add(T::DbWeight::get().reads_writes(3, 2))
}

/// 10.7 us.
pub(super) fn set_parameters<T: frame_system::Config>() -> Weight {
	Weight::from_parts(12_123_000, 0).saturating_add(T::DbWeight::get().reads_writes(0, 1))
}
