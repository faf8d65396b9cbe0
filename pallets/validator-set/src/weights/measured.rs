//! Measured in the runtime's own WebAssembly by `scripts/bench weights`. Not to be edited: run it again.
//!
//! 2026-11-21 on Intel(R) Xeon(R) Processor; 8 values of each parameter, 20 runs of each. Times are without the database,
//! whose cost is the runtime's `DbWeight`. Each comment gives the fastest run.

use frame_support::{traits::Get, weights::Weight};

/// 132.8 us.
pub(super) fn register<T: frame_system::Config>() -> Weight {
	Weight::from_parts(138_539_000, 7_101).saturating_add(T::DbWeight::get().reads_writes(6, 4))
}

/// 99.4 us.
pub(super) fn raise_bond<T: frame_system::Config>() -> Weight {
	Weight::from_parts(107_629_000, 5_747).saturating_add(T::DbWeight::get().reads_writes(3, 3))
}

/// 42.2 us.
pub(super) fn leave<T: frame_system::Config>() -> Weight {
	Weight::from_parts(46_855_000, 5_583).saturating_add(T::DbWeight::get().reads_writes(2, 2))
}

/// 63.2 us.
pub(super) fn withdraw<T: frame_system::Config>() -> Weight {
	Weight::from_parts(67_000_000, 777).saturating_add(T::DbWeight::get().reads_writes(5, 3))
}

/// 93.0 us.
pub(super) fn punish<T: frame_system::Config>() -> Weight {
	Weight::from_parts(94_994_000, 6_439).saturating_add(T::DbWeight::get().reads_writes(7, 5))
}
