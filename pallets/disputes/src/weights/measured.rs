//! Measured in the runtime's own WebAssembly by `scripts/bench weights`. Not to be edited: run it again.
//!
//! 2026-11-21 on Intel(R) Xeon(R) Processor; 3 values of each parameter, 5 runs of each. Times are without the database,
//! whose cost is the runtime's `DbWeight`. Each comment gives the fastest run.

use frame_support::{traits::Get, weights::Weight};

/// 4355.2 us.
pub(super) fn verdict<T: frame_system::Config>() -> Weight {
	Weight::from_parts(4_434_447_000, 129_791).saturating_add(T::DbWeight::get().reads_writes(144, 139))
}

/// 177.8 us.
pub(super) fn play<T: frame_system::Config>() -> Weight {
	Weight::from_parts(184_022_000, 2_617).saturating_add(T::DbWeight::get().reads_writes(2, 1))
}

/// 195.4 us at `b` = 512.
pub(super) fn play_refused<T: frame_system::Config>(b: u64) -> Weight {
	Weight::from_parts(32_434_281, 757)
		.saturating_add(T::DbWeight::get().reads_writes(2, 0))
		.saturating_add(Weight::from_parts(370_366, 0).saturating_mul(b))
}

/// 839.7 us at `o` = 73728.
pub(super) fn submit_evidence<T: frame_system::Config>(o: u64) -> Weight {
	Weight::from_parts(6_867_330, 1_350)
		.saturating_add(T::DbWeight::get().reads_writes(3, 2))
		.saturating_add(Weight::from_parts(11_557, 0).saturating_mul(o))
}

/// 12088.9 us at `b` = 128.
pub(super) fn submit_assembly<T: frame_system::Config>(b: u64) -> Weight {
	Weight::from_parts(163_925_000, 1_228)
		.saturating_add(T::DbWeight::get().reads_writes(3, 2))
		.saturating_add(Weight::from_parts(102_224_506, 0).saturating_mul(b))
}

/// 701.9 us at `b` = 160.
pub(super) fn openings<T: frame_system::Config>(b: u64) -> Weight {
	Weight::from_parts(19_359_000, 0).saturating_add(Weight::from_parts(4_285_063, 0).saturating_mul(b))
}

/// 42.8 us.
pub(super) fn timeout<T: frame_system::Config>() -> Weight {
	Weight::from_parts(46_420_000, 1_198).saturating_add(T::DbWeight::get().reads_writes(4, 2))
}
