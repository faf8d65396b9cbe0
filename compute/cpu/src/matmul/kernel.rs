//! The innermost kernels: one tile of chains over one segment.

use super::Region;
use crate::{hard::Hard, path::PORTABLE_FUSED};
use assay_softfloat::Real;

/// A register tile of `ROWS` x `COLS` chains.
pub(super) trait Micro {
	/// Height of a tile, a divisor of [`super::BLOCK_ROWS`].
	const ROWS: usize;
	/// Width of a tile, a divisor of [`super::BLOCK_COLS`].
	const COLS: usize;
	/// Folds the chains of panels `a` (`ROWS` per inner index) and `b` (`COLS` per inner index) into `out`: stored on
	/// the first segment, added afterwards. `out` may be smaller than the tile.
	///
	/// # Safety
	///
	/// The processor has the instructions of the kernel.
	unsafe fn run(a: &[f32], b: &[f32], first: bool, out: Region<'_>);
}

/// Folds finished chains of `width` columns into `out`.
#[inline(always)]
fn fold(chains: &[f32], width: usize, first: bool, mut out: Region<'_>) {
	for (row, chains) in (0..out.rows()).zip(chains.chunks_exact(width)) {
		for (total, chain) in out.row(row).iter_mut().zip(chains) {
			*total = if first { *chain } else { *total + *chain };
		}
	}
}

/// For any processor.
pub(super) struct Portable;

impl Micro for Portable {
	const ROWS: usize = 4;
	const COLS: usize = 8;

	#[inline(always)]
	unsafe fn run(a: &[f32], b: &[f32], first: bool, out: Region<'_>) {
		let mut chains = [[Hard::<PORTABLE_FUSED>(0.0); Self::COLS]; Self::ROWS];
		for (a, b) in a.chunks_exact(Self::ROWS).zip(b.chunks_exact(Self::COLS)) {
			for (chains, a) in chains.iter_mut().zip(a) {
				for (chain, b) in chains.iter_mut().zip(b) {
					*chain = Hard(*a).fma(Hard(*b), *chain);
				}
			}
		}
		let mut flat = [0.0; Self::ROWS * Self::COLS];
		for (flat, chain) in flat.iter_mut().zip(chains.as_flattened()) {
			*flat = chain.0;
		}
		fold(&flat, Self::COLS, first, out);
	}
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
	use super::{fold, lanes, Micro, Region};
	use core::arch::x86_64::*;

	/// 6 x 16 chains in 12 of the 16 vector registers.
	pub(in super::super) struct Avx2;

	impl Micro for Avx2 {
		const ROWS: usize = 6;
		const COLS: usize = 16;

		#[inline(always)]
		unsafe fn run(a: &[f32], b: &[f32], first: bool, out: Region<'_>) {
			// SAFETY: the caller vouches for AVX2 and FMA.
			unsafe { avx2(a, b, first, out) }
		}
	}

	/// 12 x 32 chains in 24 of the 32 vector registers.
	pub(in super::super) struct Avx512;

	impl Micro for Avx512 {
		const ROWS: usize = 12;
		const COLS: usize = 32;

		#[inline(always)]
		unsafe fn run(a: &[f32], b: &[f32], first: bool, out: Region<'_>) {
			// SAFETY: the caller vouches for AVX-512 F.
			unsafe { by_height(a, b, first, out) }
		}
	}

	#[target_feature(enable = "avx2,fma")]
	fn avx2(a: &[f32], b: &[f32], first: bool, mut out: Region<'_>) {
		const ROWS: usize = Avx2::ROWS;
		const COLS: usize = Avx2::COLS;
		let mut chains = [[_mm256_setzero_ps(); 2]; ROWS];
		// Arrays by value, not slices and loads: with nothing to check, the chains stay in registers in every profile.
		let (columns, _) = b.as_chunks::<8>();
		for (a, b) in a.as_chunks::<ROWS>().0.iter().zip(columns.as_chunks::<2>().0) {
			// SAFETY: a register is 8 numbers.
			let b = b.map(|b| unsafe { core::mem::transmute::<[f32; 8], __m256>(b) });
			for i in 0..ROWS {
				let a = _mm256_set1_ps(a[i]);
				chains[i][0] = _mm256_fmadd_ps(a, b[0], chains[i][0]);
				chains[i][1] = _mm256_fmadd_ps(a, b[1], chains[i][1]);
			}
		}
		if out.rows() == ROWS && out.cols() == COLS {
			for (i, chains) in chains.iter().enumerate() {
				let row = out.row(i).as_mut_ptr();
				for (j, chain) in chains.iter().enumerate() {
					// SAFETY: the row has 16 elements.
					unsafe {
						let place = row.add(8 * j);
						let value = if first { *chain } else { _mm256_add_ps(_mm256_loadu_ps(place), *chain) };
						_mm256_storeu_ps(place, value);
					}
				}
			}
			return;
		}
		let mut flat = [0.0f32; ROWS * COLS];
		for (chain, place) in chains.as_flattened().iter().zip(flat.chunks_exact_mut(8)) {
			// SAFETY: `place` has 8 elements.
			unsafe { _mm256_storeu_ps(place.as_mut_ptr(), *chain) };
		}
		fold(&flat, COLS, first, out);
	}

	/// As [`avx512`], with no more rows of chains than the tile has or a few more.
	#[inline(always)]
	unsafe fn by_height(a: &[f32], b: &[f32], first: bool, out: Region<'_>) {
		// SAFETY: the caller vouches for AVX-512 F.
		unsafe {
			match out.rows() {
				1 => avx512::<1>(a, b, first, out),
				2 => avx512::<2>(a, b, first, out),
				3 | 4 => avx512::<4>(a, b, first, out),
				5..=8 => avx512::<8>(a, b, first, out),
				_ => avx512::<{ Avx512::ROWS }>(a, b, first, out),
			}
		}
	}

	/// The first `R` rows of a tile.
	#[target_feature(enable = "avx512f")]
	fn avx512<const R: usize>(a: &[f32], b: &[f32], first: bool, mut out: Region<'_>) {
		let mut chains = [[_mm512_setzero_ps(); 2]; R];
		// As above.
		let (columns, _) = b.as_chunks::<16>();
		for (a, b) in a.as_chunks::<{ Avx512::ROWS }>().0.iter().zip(columns.as_chunks::<2>().0) {
			// SAFETY: a register is 16 numbers.
			let b = b.map(|b| unsafe { core::mem::transmute::<[f32; 16], __m512>(b) });
			for i in 0..R {
				let a = _mm512_set1_ps(a[i]);
				chains[i][0] = _mm512_fmadd_ps(a, b[0], chains[i][0]);
				chains[i][1] = _mm512_fmadd_ps(a, b[1], chains[i][1]);
			}
		}
		let (rows, masks) = (out.rows(), lanes(out.cols()));
		for (i, chains) in chains.iter().enumerate() {
			if i < rows {
				let row = out.row(i).as_mut_ptr();
				for (j, (chain, mask)) in chains.iter().zip(masks).enumerate() {
					// SAFETY: the row has as many elements as the masks have bits.
					unsafe {
						let place = row.wrapping_add(16 * j);
						let value = match first {
							true => *chain,
							false => _mm512_add_ps(_mm512_maskz_loadu_ps(mask, place), *chain),
						};
						_mm512_mask_storeu_ps(place, mask, value);
					}
				}
			}
		}
	}
}

/// A bit for each of `cols` columns, of two vectors.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn lanes(cols: usize) -> [u16; 2] {
	let bits = if cols >= 32 { u32::MAX } else { (1u32 << cols) - 1 };
	[bits as u16, (bits >> 16) as u16]
}
