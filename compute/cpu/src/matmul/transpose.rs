//! Transposes blocks of 16 x 16 numbers in registers.

use core::arch::x86_64::*;

use super::pack::{transpose, Rows};

/// As [`transpose`], for panels at least 12 wide.
///
/// # Safety
///
/// The processor has AVX-512 F, and `width` is at least 12.
#[target_feature(enable = "avx512f")]
pub(super) fn avx512(rows: Rows<'_>, width: usize, panel: &mut [f32]) {
	let whole = rows.len / 16 * 16;
	for first in (0..rows.used).step_by(16) {
		let used = 16.min(rows.used - first);
		let lanes = 16.min(width - first);
		let mask = ((1u32 << lanes) - 1) as __mmask16;
		for k in (0..whole).step_by(16) {
			let mut block = [_mm512_setzero_ps(); 16];
			for (i, line) in block.iter_mut().enumerate().take(used) {
				let at = (rows.first + first + i) * rows.stride + rows.start + k;
				let source = &rows.data[at..at + 16];
				// SAFETY: 16 numbers.
				*line = unsafe { _mm512_loadu_ps(source.as_ptr()) };
			}
			for (j, column) in turn(block).into_iter().enumerate() {
				let at = (k + j) * width + first;
				let target = &mut panel[at..at + lanes];
				// SAFETY: as many numbers as the mask has bits.
				unsafe { _mm512_mask_storeu_ps(target.as_mut_ptr(), mask, column) };
			}
		}
	}
	transpose(rows, whole, width, panel);
}

/// Columns of 16 rows.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn turn(rows: [__m512; 16]) -> [__m512; 16] {
	// Of each four rows: in part `j` of vector `c`, column `4 j + c`.
	let mut fours = [[_mm512_setzero_ps(); 4]; 4];
	for (four, rows) in fours.iter_mut().zip(rows.as_chunks::<4>().0) {
		let pairs = [(rows[0], rows[1]), (rows[2], rows[3])]
			.map(|(a, b)| (_mm512_castps_pd(_mm512_unpacklo_ps(a, b)), _mm512_castps_pd(_mm512_unpackhi_ps(a, b))));
		let [(low, high), (low_next, high_next)] = pairs;
		*four = [
			_mm512_castpd_ps(_mm512_unpacklo_pd(low, low_next)),
			_mm512_castpd_ps(_mm512_unpackhi_pd(low, low_next)),
			_mm512_castpd_ps(_mm512_unpacklo_pd(high, high_next)),
			_mm512_castpd_ps(_mm512_unpackhi_pd(high, high_next)),
		];
	}
	let mut columns = [_mm512_setzero_ps(); 16];
	for c in 0..4 {
		let [v0, v1, v2, v3] = [fours[0][c], fours[1][c], fours[2][c], fours[3][c]];
		let (a, b) = (_mm512_shuffle_f32x4::<0x44>(v0, v1), _mm512_shuffle_f32x4::<0x44>(v2, v3));
		let (p, q) = (_mm512_shuffle_f32x4::<0xee>(v0, v1), _mm512_shuffle_f32x4::<0xee>(v2, v3));
		columns[c] = _mm512_shuffle_f32x4::<0x88>(a, b);
		columns[4 + c] = _mm512_shuffle_f32x4::<0xdd>(a, b);
		columns[8 + c] = _mm512_shuffle_f32x4::<0x88>(p, q);
		columns[12 + c] = _mm512_shuffle_f32x4::<0xdd>(p, q);
	}
	columns
}
