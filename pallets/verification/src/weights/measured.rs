//! Measured in the runtime's own WebAssembly by `scripts/bench weights`. Not to be edited: run it again.
//!
//! 2026-11-21 on Intel(R) Xeon(R) Processor; 3 values of each parameter, 5 runs of each. Times are without the database,
//! whose cost is the runtime's `DbWeight`. Each comment gives the fastest run.

use frame_support::{traits::Get, weights::Weight};

/// 14.6 us.
pub(super) fn on_finalize<T: frame_system::Config>() -> Weight {
	Weight::from_parts(15_531_000, 270).saturating_add(T::DbWeight::get().reads_writes(2, 1))
}

/// 155.6 us.
pub(super) fn commit_milestone<T: frame_system::Config>() -> Weight {
	Weight::from_parts(161_249_000, 1_201).saturating_add(T::DbWeight::get().reads_writes(5, 2))
}

/// 92522.5 us.
pub(super) fn draw<T: frame_system::Config>() -> Weight {
	Weight::from_parts(97_399_094_000, 96_235).saturating_add(T::DbWeight::get().reads_writes(325, 65))
}

/// 99808.8 us.
pub(super) fn redraw<T: frame_system::Config>() -> Weight {
	Weight::from_parts(104_442_366_000, 104_291).saturating_add(T::DbWeight::get().reads_writes(197, 129))
}

/// 176.2 us.
pub(super) fn commit_blind<T: frame_system::Config>() -> Weight {
	Weight::from_parts(183_721_000, 6_081).saturating_add(T::DbWeight::get().reads_writes(4, 1))
}

/// 776.0 us at `n` = 32.
pub(super) fn open<T: frame_system::Config>(n: u64) -> Weight {
	Weight::from_parts(169_693_411, 1_317)
		.saturating_add(T::DbWeight::get().reads_writes(4, 1))
		.saturating_add(Weight::from_parts(19_347_433, 150).saturating_mul(n))
}

/// 234.5 us.
pub(super) fn reveal<T: frame_system::Config>() -> Weight {
	Weight::from_parts(240_738_000, 8_782).saturating_add(T::DbWeight::get().reads_writes(6, 4))
}

/// 357.3 us.
pub(super) fn reveal_slashed<T: frame_system::Config>() -> Weight {
	Weight::from_parts(382_255_000, 64_679).saturating_add(T::DbWeight::get().reads_writes(9, 5))
}

/// 8277.9 us.
pub(super) fn settle<T: frame_system::Config>() -> Weight {
	Weight::from_parts(8_302_533_000, 109_978).saturating_add(T::DbWeight::get().reads_writes(140, 137))
}

/// 8326.9 us.
pub(super) fn settle_unopened<T: frame_system::Config>() -> Weight {
	Weight::from_parts(8_430_549_000, 110_078).saturating_add(T::DbWeight::get().reads_writes(142, 137))
}

/// 12764.7 us.
pub(super) fn settle_unrevealed<T: frame_system::Config>() -> Weight {
	Weight::from_parts(12_995_772_000, 127_486).saturating_add(T::DbWeight::get().reads_writes(206, 202))
}

/// 162.4 us.
pub(super) fn report_unserved<T: frame_system::Config>() -> Weight {
	Weight::from_parts(167_026_000, 4_065).saturating_add(T::DbWeight::get().reads_writes(4, 1))
}

/// 223.5 us.
pub(super) fn answer_challenge<T: frame_system::Config>() -> Weight {
	Weight::from_parts(225_675_000, 4_069).saturating_add(T::DbWeight::get().reads_writes(4, 1))
}
