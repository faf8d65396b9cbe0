//! Measured in the runtime's own WebAssembly by `scripts/bench weights`. Not to be edited: run it again.
//!
//! 2026-11-21 on Intel(R) Xeon(R) Processor; 3 values of each parameter, 5 runs of each. Times are without the database,
//! whose cost is the runtime's `DbWeight`. Each comment gives the fastest run.

use frame_support::{traits::Get, weights::Weight};

/// 118.9 us.
pub(super) fn register_worker<T: frame_system::Config>() -> Weight {
	Weight::from_parts(125_863_000, 369).saturating_add(T::DbWeight::get().reads_writes(4, 3))
}

/// 192.4 us.
pub(super) fn register_verifier<T: frame_system::Config>() -> Weight {
	Weight::from_parts(200_460_000, 53_661).saturating_add(T::DbWeight::get().reads_writes(7, 5))
}

/// 173.1 us.
pub(super) fn bond_more<T: frame_system::Config>() -> Weight {
	Weight::from_parts(184_924_000, 54_107).saturating_add(T::DbWeight::get().reads_writes(6, 4))
}

/// 30.6 us.
pub(super) fn update_endpoint<T: frame_system::Config>() -> Weight {
	Weight::from_parts(33_556_000, 666).saturating_add(T::DbWeight::get().reads_writes(1, 1))
}

/// 31.7 us.
pub(super) fn update_capabilities<T: frame_system::Config>() -> Weight {
	Weight::from_parts(34_147_000, 666).saturating_add(T::DbWeight::get().reads_writes(1, 1))
}

/// 84.1 us.
pub(super) fn set_draining<T: frame_system::Config>() -> Weight {
	Weight::from_parts(85_357_000, 53_662).saturating_add(T::DbWeight::get().reads_writes(2, 2))
}

/// 103.1 us.
pub(super) fn set_ready<T: frame_system::Config>() -> Weight {
	Weight::from_parts(110_077_000, 53_821).saturating_add(T::DbWeight::get().reads_writes(3, 2))
}

/// 90.9 us.
pub(super) fn unbond<T: frame_system::Config>() -> Weight {
	Weight::from_parts(103_700_000, 53_911).saturating_add(T::DbWeight::get().reads_writes(4, 2))
}

/// 139.3 us.
pub(super) fn withdraw<T: frame_system::Config>() -> Weight {
	Weight::from_parts(150_205_000, 53_872).saturating_add(T::DbWeight::get().reads_writes(6, 4))
}
