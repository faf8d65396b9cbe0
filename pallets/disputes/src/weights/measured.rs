//! Measured in the runtime's own WebAssembly by `scripts/bench weights`. Not to be edited: run it again.
//!
//! 2026-11-21 on Intel(R) Xeon(R) Processor; 6 values of each parameter, 10 runs of each. Times are without the database,
//! whose cost is the runtime's `DbWeight`. Each comment gives the fastest run.

use frame_support::{traits::Get, weights::Weight};

/// 3199.2 us.
pub(super) fn verdict<T: frame_system::Config>() -> Weight {
	Weight::from_parts(3_258_611_000, 130_051).saturating_add(T::DbWeight::get().reads_writes(144, 139))
}

/// 149.7 us.
pub(super) fn play<T: frame_system::Config>() -> Weight {
	Weight::from_parts(153_049_000, 2_621).saturating_add(T::DbWeight::get().reads_writes(2, 1))
}

/// 152.2 us at `b` = 512.
pub(super) fn play_refused<T: frame_system::Config>(b: u64) -> Weight {
	Weight::from_parts(15_160_705, 761)
		.saturating_add(T::DbWeight::get().reads_writes(2, 0))
		.saturating_add(Weight::from_parts(297_178, 0).saturating_mul(b))
}

/// 769.0 us at `o` = 73728.
pub(super) fn submit_evidence<T: frame_system::Config>(o: u64) -> Weight {
	Weight::from_parts(82_832_000, 1_354)
		.saturating_add(T::DbWeight::get().reads_writes(3, 2))
		.saturating_add(Weight::from_parts(8_941, 0).saturating_mul(o))
}

/// 142.7 us.
pub(super) fn submit_state<T: frame_system::Config>() -> Weight {
	Weight::from_parts(148_965_000, 1_268).saturating_add(T::DbWeight::get().reads_writes(3, 2))
}

/// 667.2 us at `b` = 160.
pub(super) fn openings<T: frame_system::Config>(b: u64) -> Weight {
	Weight::from_parts(17_970_000, 0).saturating_add(Weight::from_parts(4_056_641, 0).saturating_mul(b))
}

/// 28.3 us.
pub(super) fn timeout<T: frame_system::Config>() -> Weight {
	Weight::from_parts(29_981_000, 1_202).saturating_add(T::DbWeight::get().reads_writes(4, 2))
}
