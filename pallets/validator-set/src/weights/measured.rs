//! Measured in the runtime's own WebAssembly by `scripts/bench weights`. Not to be edited: run it again.
//!
//! 2026-11-21 on Intel(R) Xeon(R) Processor; 3 values of each parameter, 5 runs of each. Times are without the database,
//! whose cost is the runtime's `DbWeight`. Each comment gives the fastest run.

use frame_support::{traits::Get, weights::Weight};

/// 195.0 us.
pub(super) fn register<T: frame_system::Config>() -> Weight {
	Weight::from_parts(199_190_000, 7_101).saturating_add(T::DbWeight::get().reads_writes(6, 4))
}

/// 150.4 us.
pub(super) fn raise_bond<T: frame_system::Config>() -> Weight {
	Weight::from_parts(152_718_000, 5_747).saturating_add(T::DbWeight::get().reads_writes(3, 3))
}

/// 69.7 us.
pub(super) fn leave<T: frame_system::Config>() -> Weight {
	Weight::from_parts(72_557_000, 5_583).saturating_add(T::DbWeight::get().reads_writes(2, 2))
}

/// 98.3 us.
pub(super) fn withdraw<T: frame_system::Config>() -> Weight {
	Weight::from_parts(112_697_000, 777).saturating_add(T::DbWeight::get().reads_writes(5, 3))
}

/// 133.5 us.
pub(super) fn punish<T: frame_system::Config>() -> Weight {
	Weight::from_parts(140_271_000, 6_439).saturating_add(T::DbWeight::get().reads_writes(7, 5))
}
