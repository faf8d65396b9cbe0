//! Measured in the runtime's own WebAssembly by `scripts/bench weights`. Not to be edited: run it again.
//!
//! 2026-11-21 on Intel(R) Xeon(R) Processor; 8 values of each parameter, 20 runs of each. Times are without the database,
//! whose cost is the runtime's `DbWeight`. Each comment gives the fastest run.

use frame_support::{traits::Get, weights::Weight};

/// 3255.2 us.
pub(super) fn verdict<T: frame_system::Config>() -> Weight {
	Weight::from_parts(3_297_673_000, 130_051).saturating_add(T::DbWeight::get().reads_writes(144, 139))
}

/// 148.0 us.
pub(super) fn play<T: frame_system::Config>() -> Weight {
	Weight::from_parts(154_794_000, 2_621).saturating_add(T::DbWeight::get().reads_writes(2, 1))
}

/// 150.0 us at `b` = 512.
pub(super) fn play_refused<T: frame_system::Config>(b: u64) -> Weight {
	Weight::from_parts(30_976_472, 761)
		.saturating_add(T::DbWeight::get().reads_writes(2, 0))
		.saturating_add(Weight::from_parts(290_343, 0).saturating_mul(b))
}

/// 761.6 us at `o` = 73728.
pub(super) fn submit_evidence<T: frame_system::Config>(o: u64) -> Weight {
	Weight::from_parts(113_735_056, 1_354)
		.saturating_add(T::DbWeight::get().reads_writes(3, 2))
		.saturating_add(Weight::from_parts(8_923, 0).saturating_mul(o))
}

/// 142.2 us.
pub(super) fn submit_state<T: frame_system::Config>() -> Weight {
	Weight::from_parts(148_262_000, 1_268).saturating_add(T::DbWeight::get().reads_writes(3, 2))
}

/// 670.7 us at `b` = 160.
pub(super) fn openings<T: frame_system::Config>(b: u64) -> Weight {
	Weight::from_parts(29_405_120, 0).saturating_add(Weight::from_parts(4_069_768, 0).saturating_mul(b))
}

/// 27.7 us.
pub(super) fn timeout<T: frame_system::Config>() -> Weight {
	Weight::from_parts(29_944_000, 1_202).saturating_add(T::DbWeight::get().reads_writes(4, 2))
}
