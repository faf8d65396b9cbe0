//! The innermost kernels: one tile of sums over one block of the inner dimension.

use super::{pack, Region};
use crate::{aligned::Aligned, path::Supported};

/// A register tile of `ROWS` x `COLS` sums.
pub(super) trait Micro {
	/// Height of a tile, a divisor of [`super::BLOCK_ROWS`].
	const ROWS: usize;
	/// Width of a tile, a divisor of [`super::BLOCK_COLS`].
	const COLS: usize;
	/// Inner indices in a word: 1, 2 or 4.
	const GROUP: usize;
	/// Bits flipped in the words of `A`.
	const A_MASK: u32;
	/// Words of the inner dimension in a panel.
	const BLOCK_WORDS: usize = super::BLOCK_WORDS;

	/// The word of up to `GROUP` elements.
	fn word(elements: &[i8]) -> u32;

	/// Packs rows of `A` into panels of `ROWS`, all of the same size.
	fn pack_rows(path: Supported, rows: pack::Source<'_>, panels: &mut Aligned)
	where
		Self: Sized,
	{
		pack::run::<Self>(path, rows, Self::ROWS, Self::A_MASK, panels);
	}

	/// Comes before the tiles of a block of `rows` rows whose panels of `B` have `words` words of each column, and
	/// [`Micro::leave`] after, on the thread that works on them, which does nothing else in between.
	///
	/// # Safety
	///
	/// The processor has the instructions of the kernel.
	#[inline(always)]
	unsafe fn enter(_rows: usize, _words: usize) {}

	/// Undoes [`Micro::enter`].
	///
	/// # Safety
	///
	/// As of [`Micro::enter`], which came before.
	#[inline(always)]
	unsafe fn leave() {}

	/// What the sums of each column of a panel of `B` start from.
	///
	/// # Safety
	///
	/// The processor has the instructions of the kernel.
	#[inline(always)]
	unsafe fn start(_: &[u32], starts: &mut [u32]) {
		starts.fill(0);
	}

	/// Sums of panels `a` (`ROWS` words per inner group) and `b` (`COLS`) into `out`: stored for the first block, added
	/// afterwards. `out` may be smaller than the tile.
	///
	/// # Safety
	///
	/// The processor has the instructions of the kernel, and [`Micro::enter`] was called for the block.
	unsafe fn run(a: &[u32], b: &[u32], starts: &[u32], first: bool, out: Region<'_, u32>);
}

/// The word of up to four bytes, the first lowest.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
pub(super) fn four_bytes(elements: &[i8]) -> u32 {
	match *elements {
		[a, b, c, d] => u32::from_le_bytes([a as u8, b as u8, c as u8, d as u8]),
		_ => elements.iter().rev().fold(0, |word, element| word << 8 | u32::from(*element as u8)),
	}
}

/// Adds finished sums of `width` columns to `out`.
#[inline(always)]
pub(super) fn fold(sums: &[u32], width: usize, first: bool, mut out: Region<'_, u32>) {
	for (row, sums) in (0..out.rows()).zip(sums.chunks_exact(width)) {
		for (total, sum) in out.row(row).iter_mut().zip(sums) {
			*total = if first { *sum } else { total.wrapping_add(*sum) };
		}
	}
}

/// For any processor.
pub(super) struct Portable;

impl Micro for Portable {
	const ROWS: usize = 4;
	const COLS: usize = 8;
	const GROUP: usize = 1;
	const A_MASK: u32 = 0;

	#[inline(always)]
	fn word(elements: &[i8]) -> u32 {
		elements[0] as u32
	}

	#[inline(always)]
	unsafe fn run(a: &[u32], b: &[u32], _: &[u32], first: bool, out: Region<'_, u32>) {
		let mut sums = [[0u32; Self::COLS]; Self::ROWS];
		for (a, b) in a.as_chunks::<{ Self::ROWS }>().0.iter().zip(b.as_chunks::<{ Self::COLS }>().0) {
			for i in 0..Self::ROWS {
				for j in 0..Self::COLS {
					sums[i][j] = sums[i][j].wrapping_add(a[i].wrapping_mul(b[j]));
				}
			}
		}
		fold(sums.as_flattened(), Self::COLS, first, out);
	}
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512, Vnni};

#[cfg(target_arch = "x86_64")]
mod x86 {
	use super::{fold, four_bytes, Micro, Region};
	use crate::matmul::lanes;
	use core::arch::x86_64::*;

	/// Two 16-bit integers.
	#[inline(always)]
	fn pair(elements: &[i8]) -> u32 {
		let half = |element: i8| u32::from(element as u16);
		match *elements {
			[a, b] => half(a) | half(b) << 16,
			[a] => half(a),
			_ => 0,
		}
	}

	/// 6 x 16 sums of products of pairs, which are 16-bit: none leaves 32 bits.
	pub(in super::super) struct Avx2;

	impl Micro for Avx2 {
		const ROWS: usize = 6;
		const COLS: usize = 16;
		const GROUP: usize = 2;
		const A_MASK: u32 = 0;

		#[inline(always)]
		fn word(elements: &[i8]) -> u32 {
			pair(elements)
		}

		#[inline(always)]
		unsafe fn run(a: &[u32], b: &[u32], _: &[u32], first: bool, out: Region<'_, u32>) {
			// SAFETY: the caller vouches for AVX2.
			unsafe { avx2(a, b, first, out) }
		}
	}

	#[target_feature(enable = "avx2")]
	fn avx2(a: &[u32], b: &[u32], first: bool, out: Region<'_, u32>) {
		const ROWS: usize = Avx2::ROWS;
		const COLS: usize = Avx2::COLS;
		let mut sums = [[_mm256_setzero_si256(); 2]; ROWS];
		// Arrays by value, not slices and loads: with nothing to check, the sums stay in registers in every profile.
		let (columns, _) = b.as_chunks::<8>();
		for (a, b) in a.as_chunks::<ROWS>().0.iter().zip(columns.as_chunks::<2>().0) {
			// SAFETY: a register is 8 words.
			let b = b.map(|b| unsafe { core::mem::transmute::<[u32; 8], __m256i>(b) });
			for i in 0..ROWS {
				let a = _mm256_set1_epi32(a[i] as i32);
				sums[i][0] = _mm256_add_epi32(sums[i][0], _mm256_madd_epi16(a, b[0]));
				sums[i][1] = _mm256_add_epi32(sums[i][1], _mm256_madd_epi16(a, b[1]));
			}
		}
		let mut flat = [0u32; ROWS * COLS];
		for (sum, place) in sums.as_flattened().iter().zip(flat.chunks_exact_mut(8)) {
			// SAFETY: `place` has 8 words.
			unsafe { _mm256_storeu_si256(place.as_mut_ptr().cast(), *sum) };
		}
		fold(&flat, COLS, first, out);
	}

	/// 12 x 32 sums of products of pairs.
	pub(in super::super) struct Avx512;

	impl Micro for Avx512 {
		const ROWS: usize = 12;
		const COLS: usize = 32;
		const GROUP: usize = 2;
		const A_MASK: u32 = 0;

		#[inline(always)]
		fn word(elements: &[i8]) -> u32 {
			pair(elements)
		}

		#[inline(always)]
		unsafe fn run(a: &[u32], b: &[u32], _: &[u32], first: bool, out: Region<'_, u32>) {
			// SAFETY: the caller vouches for AVX-512 F and BW.
			unsafe {
				match out.rows() {
					1 => avx512::<1>(a, b, first, out),
					2..=4 => avx512::<4>(a, b, first, out),
					_ => avx512::<{ Self::ROWS }>(a, b, first, out),
				}
			}
		}
	}

	/// The first `R` rows of a tile.
	#[target_feature(enable = "avx512f,avx512bw")]
	fn avx512<const R: usize>(a: &[u32], b: &[u32], first: bool, out: Region<'_, u32>) {
		let mut sums = [[_mm512_setzero_si512(); 2]; R];
		// As above.
		let (columns, _) = b.as_chunks::<16>();
		for (a, b) in a.as_chunks::<{ Avx512::ROWS }>().0.iter().zip(columns.as_chunks::<2>().0) {
			// SAFETY: a register is 16 words.
			let b = b.map(|b| unsafe { core::mem::transmute::<[u32; 16], __m512i>(b) });
			for i in 0..R {
				let a = _mm512_set1_epi32(a[i] as i32);
				sums[i][0] = _mm512_add_epi32(sums[i][0], _mm512_madd_epi16(a, b[0]));
				sums[i][1] = _mm512_add_epi32(sums[i][1], _mm512_madd_epi16(a, b[1]));
			}
		}
		fold512(&sums, first, out);
	}

	/// 12 x 32 sums of products of four bytes, those of `A` plus 128 and unsigned.
	pub(in super::super) struct Vnni;

	impl Micro for Vnni {
		const ROWS: usize = 12;
		const COLS: usize = 32;
		const GROUP: usize = 4;
		const A_MASK: u32 = 0x8080_8080;

		#[inline(always)]
		fn word(elements: &[i8]) -> u32 {
			four_bytes(elements)
		}

		#[inline(always)]
		unsafe fn start(b: &[u32], starts: &mut [u32]) {
			// SAFETY: the caller vouches for AVX-512 F and VNNI.
			unsafe { vnni_start(b, starts) }
		}

		#[inline(always)]
		unsafe fn run(a: &[u32], b: &[u32], starts: &[u32], first: bool, out: Region<'_, u32>) {
			// SAFETY: as above.
			unsafe {
				match out.rows() {
					1 => vnni::<1>(a, b, starts, first, out),
					2 => vnni::<2>(a, b, starts, first, out),
					3 | 4 => vnni::<4>(a, b, starts, first, out),
					5..=8 => vnni::<8>(a, b, starts, first, out),
					_ => vnni::<{ Self::ROWS }>(a, b, starts, first, out),
				}
			}
		}
	}

	/// `-128` times the sum of each column.
	#[target_feature(enable = "avx512f,avx512vnni")]
	fn vnni_start(b: &[u32], starts: &mut [u32]) {
		let mut sums = [_mm512_setzero_si512(); 2];
		for b in b.as_chunks::<16>().0.as_chunks::<2>().0 {
			for (sum, b) in sums.iter_mut().zip(b) {
				// SAFETY: a register is 16 words.
				let b = unsafe { core::mem::transmute::<[u32; 16], __m512i>(*b) };
				*sum = _mm512_dpbusd_epi32(*sum, _mm512_set1_epi8(1), b);
			}
		}
		for (sum, starts) in sums.into_iter().zip(starts.as_chunks_mut::<16>().0) {
			let start = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_slli_epi32::<7>(sum));
			// SAFETY: 16 words.
			unsafe { _mm512_storeu_si512(starts.as_mut_ptr().cast(), start) };
		}
	}

	/// The first `R` rows of a tile.
	#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
	fn vnni<const R: usize>(a: &[u32], b: &[u32], starts: &[u32], first: bool, out: Region<'_, u32>) {
		let mut start = [_mm512_setzero_si512(); 2];
		for (start, words) in start.iter_mut().zip(starts.as_chunks::<16>().0) {
			// SAFETY: 16 words.
			*start = unsafe { _mm512_loadu_si512(words.as_ptr().cast()) };
		}
		let mut sums = [start; R];
		// As above.
		let (columns, _) = b.as_chunks::<16>();
		for (a, b) in a.as_chunks::<{ Vnni::ROWS }>().0.iter().zip(columns.as_chunks::<2>().0) {
			// SAFETY: a register is 16 words.
			let b = b.map(|b| unsafe { core::mem::transmute::<[u32; 16], __m512i>(b) });
			for i in 0..R {
				let a = _mm512_set1_epi32(a[i] as i32);
				sums[i][0] = _mm512_dpbusd_epi32(sums[i][0], a, b[0]);
				sums[i][1] = _mm512_dpbusd_epi32(sums[i][1], a, b[1]);
			}
		}
		fold512(&sums, first, out);
	}

	/// Adds the finished sums of a tile to `out`, which may have fewer rows and columns.
	#[inline]
	#[target_feature(enable = "avx512f")]
	fn fold512<const R: usize>(sums: &[[__m512i; 2]; R], first: bool, mut out: Region<'_, u32>) {
		let (rows, masks) = (out.rows(), lanes(out.cols()));
		for (i, sums) in sums.iter().enumerate() {
			if i < rows {
				let row = out.row(i).as_mut_ptr().cast::<i32>();
				for (j, (sum, mask)) in sums.iter().zip(masks).enumerate() {
					// SAFETY: the row has as many elements as the masks have bits.
					unsafe {
						let place = row.wrapping_add(16 * j);
						let total = match first {
							true => *sum,
							false => _mm512_add_epi32(_mm512_maskz_loadu_epi32(mask, place), *sum),
						};
						_mm512_mask_storeu_epi32(place, mask, total);
					}
				}
			}
		}
	}
}
