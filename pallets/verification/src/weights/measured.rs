//! Measured in the runtime's own WebAssembly by `scripts/bench weights`. Not to be edited: run it again.
//!
//! 2026-11-21 on Intel(R) Xeon(R) Processor; 6 values of each parameter, 10 runs of each. Times are without the database,
//! whose cost is the runtime's `DbWeight`. Each comment gives the fastest run.

use frame_support::{traits::Get, weights::Weight};

/// 9.2 us.
pub(super) fn on_finalize<T: frame_system::Config>() -> Weight {
	Weight::from_parts(10_271_000, 270).saturating_add(T::DbWeight::get().reads_writes(2, 1))
}

/// 114.7 us.
pub(super) fn commit_milestone<T: frame_system::Config>() -> Weight {
	Weight::from_parts(119_931_000, 1_205).saturating_add(T::DbWeight::get().reads_writes(5, 2))
}

/// 60293.9 us.
pub(super) fn draw<T: frame_system::Config>() -> Weight {
	Weight::from_parts(60_603_574_000, 96_239).saturating_add(T::DbWeight::get().reads_writes(325, 65))
}

/// 62999.5 us.
pub(super) fn redraw<T: frame_system::Config>() -> Weight {
	Weight::from_parts(63_248_867_000, 104_295).saturating_add(T::DbWeight::get().reads_writes(197, 129))
}

/// 126.4 us.
pub(super) fn commit_blind<T: frame_system::Config>() -> Weight {
	Weight::from_parts(135_788_000, 6_085).saturating_add(T::DbWeight::get().reads_writes(4, 1))
}

/// 681.7 us at `n` = 32.
pub(super) fn open<T: frame_system::Config>(n: u64) -> Weight {
	Weight::from_parts(131_128_607, 1_321)
		.saturating_add(T::DbWeight::get().reads_writes(4, 1))
		.saturating_add(Weight::from_parts(17_451_354, 150).saturating_mul(n))
}

/// 184.9 us.
pub(super) fn reveal<T: frame_system::Config>() -> Weight {
	Weight::from_parts(198_252_000, 8_786).saturating_add(T::DbWeight::get().reads_writes(6, 4))
}

/// 289.0 us.
pub(super) fn reveal_slashed<T: frame_system::Config>() -> Weight {
	Weight::from_parts(311_675_000, 64_683).saturating_add(T::DbWeight::get().reads_writes(9, 5))
}

/// 5647.5 us.
pub(super) fn settle<T: frame_system::Config>() -> Weight {
	Weight::from_parts(5_693_481_000, 109_982).saturating_add(T::DbWeight::get().reads_writes(140, 137))
}

/// 5696.6 us.
pub(super) fn settle_unopened<T: frame_system::Config>() -> Weight {
	Weight::from_parts(5_754_416_000, 110_082).saturating_add(T::DbWeight::get().reads_writes(142, 137))
}

/// 8794.3 us.
pub(super) fn settle_unrevealed<T: frame_system::Config>() -> Weight {
	Weight::from_parts(8_866_626_000, 127_490).saturating_add(T::DbWeight::get().reads_writes(206, 202))
}

/// 119.5 us.
pub(super) fn report_unserved<T: frame_system::Config>() -> Weight {
	Weight::from_parts(133_427_000, 4_069).saturating_add(T::DbWeight::get().reads_writes(4, 1))
}

/// 162.2 us.
pub(super) fn answer_challenge<T: frame_system::Config>() -> Weight {
	Weight::from_parts(179_112_000, 4_073).saturating_add(T::DbWeight::get().reads_writes(4, 1))
}
