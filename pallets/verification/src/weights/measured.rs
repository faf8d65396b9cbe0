//! Measured in the runtime's own WebAssembly by `scripts/bench weights`. Not to be edited: run it again.
//!
//! 2026-11-21 on Intel(R) Xeon(R) Processor; 8 values of each parameter, 20 runs of each. Times are without the database,
//! whose cost is the runtime's `DbWeight`. Each comment gives the fastest run.

use frame_support::{traits::Get, weights::Weight};

/// 9.1 us.
pub(super) fn on_finalize<T: frame_system::Config>() -> Weight {
	Weight::from_parts(9_862_000, 270).saturating_add(T::DbWeight::get().reads_writes(2, 1))
}

/// 127.4 us.
pub(super) fn commit_milestone<T: frame_system::Config>() -> Weight {
	Weight::from_parts(134_112_000, 1_205).saturating_add(T::DbWeight::get().reads_writes(5, 2))
}

/// 60398.2 us.
pub(super) fn draw<T: frame_system::Config>() -> Weight {
	Weight::from_parts(60_739_996_000, 96_239).saturating_add(T::DbWeight::get().reads_writes(325, 65))
}

/// 63146.1 us.
pub(super) fn redraw<T: frame_system::Config>() -> Weight {
	Weight::from_parts(63_402_672_000, 104_295).saturating_add(T::DbWeight::get().reads_writes(197, 129))
}

/// 149.7 us.
pub(super) fn commit_blind<T: frame_system::Config>() -> Weight {
	Weight::from_parts(158_625_000, 6_085).saturating_add(T::DbWeight::get().reads_writes(4, 1))
}

/// 684.4 us at `n` = 32.
pub(super) fn open<T: frame_system::Config>(n: u64) -> Weight {
	Weight::from_parts(152_544_582, 1_321)
		.saturating_add(T::DbWeight::get().reads_writes(4, 1))
		.saturating_add(Weight::from_parts(17_243_366, 150).saturating_mul(n))
}

/// 190.5 us.
pub(super) fn reveal<T: frame_system::Config>() -> Weight {
	Weight::from_parts(198_063_000, 8_786).saturating_add(T::DbWeight::get().reads_writes(6, 4))
}

/// 300.9 us.
pub(super) fn reveal_slashed<T: frame_system::Config>() -> Weight {
	Weight::from_parts(319_904_000, 64_683).saturating_add(T::DbWeight::get().reads_writes(9, 5))
}

/// 5624.4 us.
pub(super) fn settle<T: frame_system::Config>() -> Weight {
	Weight::from_parts(5_742_324_000, 109_982).saturating_add(T::DbWeight::get().reads_writes(140, 137))
}

/// 5687.8 us.
pub(super) fn settle_unopened<T: frame_system::Config>() -> Weight {
	Weight::from_parts(5_753_129_000, 110_082).saturating_add(T::DbWeight::get().reads_writes(142, 137))
}

/// 8826.9 us.
pub(super) fn settle_unrevealed<T: frame_system::Config>() -> Weight {
	Weight::from_parts(8_959_231_000, 127_490).saturating_add(T::DbWeight::get().reads_writes(206, 202))
}

/// 129.4 us.
pub(super) fn report_unserved<T: frame_system::Config>() -> Weight {
	Weight::from_parts(137_343_000, 4_069).saturating_add(T::DbWeight::get().reads_writes(4, 1))
}

/// 178.8 us.
pub(super) fn answer_challenge<T: frame_system::Config>() -> Weight {
	Weight::from_parts(191_434_000, 4_073).saturating_add(T::DbWeight::get().reads_writes(4, 1))
}
