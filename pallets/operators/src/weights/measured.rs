//! Measured in the runtime's own WebAssembly by `scripts/bench weights`. Not to be edited: run it again.
//!
//! 2026-11-21 on Intel(R) Xeon(R) Processor; 6 values of each parameter, 10 runs of each. Times are without the database,
//! whose cost is the runtime's `DbWeight`. Each comment gives the fastest run.

use frame_support::{traits::Get, weights::Weight};

/// 74.3 us.
pub(super) fn register_worker<T: frame_system::Config>() -> Weight {
	Weight::from_parts(79_310_000, 369).saturating_add(T::DbWeight::get().reads_writes(4, 3))
}

/// 134.4 us.
pub(super) fn register_verifier<T: frame_system::Config>() -> Weight {
	Weight::from_parts(138_802_000, 53_661).saturating_add(T::DbWeight::get().reads_writes(7, 5))
}

/// 122.5 us.
pub(super) fn bond_more<T: frame_system::Config>() -> Weight {
	Weight::from_parts(126_668_000, 54_107).saturating_add(T::DbWeight::get().reads_writes(6, 4))
}

/// 20.4 us.
pub(super) fn update_endpoint<T: frame_system::Config>() -> Weight {
	Weight::from_parts(22_162_000, 666).saturating_add(T::DbWeight::get().reads_writes(1, 1))
}

/// 22.1 us.
pub(super) fn update_capabilities<T: frame_system::Config>() -> Weight {
	Weight::from_parts(24_336_000, 666).saturating_add(T::DbWeight::get().reads_writes(1, 1))
}

/// 64.7 us.
pub(super) fn set_draining<T: frame_system::Config>() -> Weight {
	Weight::from_parts(66_051_000, 53_662).saturating_add(T::DbWeight::get().reads_writes(2, 2))
}

/// 76.3 us.
pub(super) fn set_ready<T: frame_system::Config>() -> Weight {
	Weight::from_parts(78_221_000, 53_821).saturating_add(T::DbWeight::get().reads_writes(3, 2))
}

/// 71.7 us.
pub(super) fn unbond<T: frame_system::Config>() -> Weight {
	Weight::from_parts(73_083_000, 53_911).saturating_add(T::DbWeight::get().reads_writes(4, 2))
}

/// 96.2 us.
pub(super) fn withdraw<T: frame_system::Config>() -> Weight {
	Weight::from_parts(99_205_000, 53_872).saturating_add(T::DbWeight::get().reads_writes(6, 4))
}
