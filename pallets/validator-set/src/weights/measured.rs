//! Measured in the runtime's own WebAssembly by `scripts/bench weights`. Not to be edited: run it again.
//!
//! 2026-11-21 on Intel(R) Xeon(R) Processor; 6 values of each parameter, 10 runs of each. Times are without the database,
//! whose cost is the runtime's `DbWeight`. Each comment gives the fastest run.

use frame_support::{traits::Get, weights::Weight};

/// 127.2 us.
pub(super) fn register<T: frame_system::Config>() -> Weight {
	Weight::from_parts(133_327_000, 7_101).saturating_add(T::DbWeight::get().reads_writes(6, 4))
}

/// 101.7 us.
pub(super) fn raise_bond<T: frame_system::Config>() -> Weight {
	Weight::from_parts(110_156_000, 5_747).saturating_add(T::DbWeight::get().reads_writes(3, 3))
}

/// 42.9 us.
pub(super) fn leave<T: frame_system::Config>() -> Weight {
	Weight::from_parts(47_468_000, 5_583).saturating_add(T::DbWeight::get().reads_writes(2, 2))
}

/// 63.7 us.
pub(super) fn withdraw<T: frame_system::Config>() -> Weight {
	Weight::from_parts(67_429_000, 777).saturating_add(T::DbWeight::get().reads_writes(5, 3))
}

/// 90.7 us.
pub(super) fn punish<T: frame_system::Config>() -> Weight {
	Weight::from_parts(95_768_000, 6_439).saturating_add(T::DbWeight::get().reads_writes(7, 5))
}
