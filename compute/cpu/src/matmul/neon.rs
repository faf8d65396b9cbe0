//! The innermost kernel for NEON.

use core::arch::aarch64::*;

use super::{kernel::Micro, Region};

/// 12 x 8 chains in 24 of the 32 vector registers.
pub(super) struct Neon;

impl Micro for Neon {
	const ROWS: usize = 12;
	const COLS: usize = 8;

	#[inline(always)]
	unsafe fn run(a: &[f32], b: &[f32], first: bool, out: Region<'_>) {
		// SAFETY: the caller vouches for NEON.
		unsafe { neon(a, b, first, out) }
	}
}

#[target_feature(enable = "neon")]
fn neon(a: &[f32], b: &[f32], first: bool, mut out: Region<'_>) {
	const ROWS: usize = Neon::ROWS;
	const COLS: usize = Neon::COLS;
	let mut chains = [[vdupq_n_f32(0.0); 2]; ROWS];
	let (rows, columns) = (a.as_chunks::<4>().0.as_chunks::<3>().0, b.as_chunks::<4>().0.as_chunks::<2>().0);
	for (a, b) in rows.iter().zip(columns) {
		// SAFETY: a register is 4 numbers.
		let (a, b) = unsafe { (a.map(|a| vld1q_f32(a.as_ptr())), b.map(|b| vld1q_f32(b.as_ptr()))) };
		for i in 0..3 {
			for j in 0..2 {
				chains[4 * i][j] = vfmaq_laneq_f32::<0>(chains[4 * i][j], b[j], a[i]);
				chains[4 * i + 1][j] = vfmaq_laneq_f32::<1>(chains[4 * i + 1][j], b[j], a[i]);
				chains[4 * i + 2][j] = vfmaq_laneq_f32::<2>(chains[4 * i + 2][j], b[j], a[i]);
				chains[4 * i + 3][j] = vfmaq_laneq_f32::<3>(chains[4 * i + 3][j], b[j], a[i]);
			}
		}
	}
	let whole = out.cols() == COLS;
	for (i, chains) in chains.iter().enumerate().take(out.rows()) {
		let row = out.row(i);
		if whole {
			for (chain, place) in chains.iter().zip(row.as_chunks_mut::<4>().0) {
				// SAFETY: `place` has 4 elements.
				unsafe {
					let value = if first { *chain } else { vaddq_f32(vld1q_f32(place.as_ptr()), *chain) };
					vst1q_f32(place.as_mut_ptr(), value);
				}
			}
		} else {
			let mut flat = [0.0f32; COLS];
			for (chain, place) in chains.iter().zip(flat.as_chunks_mut::<4>().0) {
				// SAFETY: as above.
				unsafe { vst1q_f32(place.as_mut_ptr(), *chain) };
			}
			for (total, chain) in row.iter_mut().zip(flat) {
				*total = if first { chain } else { *total + chain };
			}
		}
	}
}
