//! The innermost kernel for processors with NEON's dot products of bytes.

use core::arch::{aarch64::*, asm};

use super::{
	kernel::{four_bytes, Micro},
	Region,
};

/// 8 x 8 sums of products of four bytes, in 16 of the 32 vector registers.
pub(super) struct Dot;

impl Micro for Dot {
	const ROWS: usize = 8;
	const COLS: usize = 8;
	const GROUP: usize = 4;
	const A_MASK: u32 = 0;

	#[inline(always)]
	fn word(elements: &[i8]) -> u32 {
		four_bytes(elements)
	}

	#[inline(always)]
	unsafe fn run(a: &[u32], b: &[u32], _: &[u32], first: bool, out: Region<'_, u32>) {
		// SAFETY: the caller vouches for the dot products.
		unsafe { dot(a, b, first, out) }
	}
}

/// Adds to each lane of `sum` the products of the four bytes of the same lane of `b` with those of lane `LANE` of `a`.
/// The intrinsic is not stable.
macro_rules! add_products {
	($sum:expr, $b:expr, $a:expr, $lane:literal) => {
		// SAFETY: registers only; the caller vouches for the instruction.
		unsafe {
			asm!(
				concat!("sdot {sum:v}.4s, {b:v}.16b, {a:v}.4b[", $lane, "]"),
				sum = inout(vreg) $sum,
				b = in(vreg) $b,
				a = in(vreg) $a,
				options(pure, nomem, nostack, preserves_flags)
			)
		}
	};
}

#[target_feature(enable = "neon,dotprod")]
fn dot(a: &[u32], b: &[u32], first: bool, mut out: Region<'_, u32>) {
	const ROWS: usize = Dot::ROWS;
	const COLS: usize = Dot::COLS;
	let mut sums = [[vdupq_n_u32(0); 2]; ROWS];
	let (rows, columns) = (a.as_chunks::<4>().0.as_chunks::<2>().0, b.as_chunks::<4>().0.as_chunks::<2>().0);
	for (a, b) in rows.iter().zip(columns) {
		// SAFETY: a register is 4 words.
		let (a, b) = unsafe { (a.map(|a| vld1q_u32(a.as_ptr())), b.map(|b| vld1q_u32(b.as_ptr()))) };
		for i in 0..2 {
			for j in 0..2 {
				add_products!(sums[4 * i][j], b[j], a[i], "0");
				add_products!(sums[4 * i + 1][j], b[j], a[i], "1");
				add_products!(sums[4 * i + 2][j], b[j], a[i], "2");
				add_products!(sums[4 * i + 3][j], b[j], a[i], "3");
			}
		}
	}
	for (i, sums) in sums.iter().enumerate().take(out.rows()) {
		let mut flat = [0u32; COLS];
		for (sum, place) in sums.iter().zip(flat.as_chunks_mut::<4>().0) {
			// SAFETY: `place` has 4 words.
			unsafe { vst1q_u32(place.as_mut_ptr(), *sum) };
		}
		for (total, sum) in out.row(i).iter_mut().zip(flat) {
			*total = if first { sum } else { total.wrapping_add(sum) };
		}
	}
}
