//! Measured in the runtime's own WebAssembly by `scripts/bench weights`. Not to be edited: run it again.
//!
//! 2026-11-21 on Intel(R) Xeon(R) Processor; 8 values of each parameter, 20 runs of each. Times are without the database,
//! whose cost is the runtime's `DbWeight`. Each comment gives the fastest run.

use frame_support::{traits::Get, weights::Weight};

/// 72.4 us.
pub(super) fn register_worker<T: frame_system::Config>() -> Weight {
	Weight::from_parts(76_242_000, 369).saturating_add(T::DbWeight::get().reads_writes(4, 3))
}

/// 131.1 us.
pub(super) fn register_verifier<T: frame_system::Config>() -> Weight {
	Weight::from_parts(134_026_000, 53_661).saturating_add(T::DbWeight::get().reads_writes(7, 5))
}

/// 121.0 us.
pub(super) fn bond_more<T: frame_system::Config>() -> Weight {
	Weight::from_parts(124_129_000, 54_107).saturating_add(T::DbWeight::get().reads_writes(6, 4))
}

/// 19.8 us.
pub(super) fn update_endpoint<T: frame_system::Config>() -> Weight {
	Weight::from_parts(21_307_000, 666).saturating_add(T::DbWeight::get().reads_writes(1, 1))
}

/// 21.2 us.
pub(super) fn update_capabilities<T: frame_system::Config>() -> Weight {
	Weight::from_parts(23_283_000, 666).saturating_add(T::DbWeight::get().reads_writes(1, 1))
}

/// 64.5 us.
pub(super) fn set_draining<T: frame_system::Config>() -> Weight {
	Weight::from_parts(66_368_000, 53_662).saturating_add(T::DbWeight::get().reads_writes(2, 2))
}

/// 74.0 us.
pub(super) fn set_ready<T: frame_system::Config>() -> Weight {
	Weight::from_parts(76_860_000, 53_821).saturating_add(T::DbWeight::get().reads_writes(3, 2))
}

/// 69.8 us.
pub(super) fn unbond<T: frame_system::Config>() -> Weight {
	Weight::from_parts(71_512_000, 53_911).saturating_add(T::DbWeight::get().reads_writes(4, 2))
}

/// 95.5 us.
pub(super) fn withdraw<T: frame_system::Config>() -> Weight {
	Weight::from_parts(98_470_000, 53_872).saturating_add(T::DbWeight::get().reads_writes(6, 4))
}
