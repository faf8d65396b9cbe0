//! Packs rows of bytes, four to a word, sixteen words of sixteen rows at once.

use core::arch::x86_64::*;

use super::{kernel::Micro, pack::along};
use crate::matmul::transpose::turn;

/// Words of `used` rows, `width` apart, each with the bits of `mask` flipped. Words are of four bytes.
///
/// # Safety
///
/// The processor has AVX-512 F.
#[target_feature(enable = "avx512f")]
pub(super) fn avx512<'a, M: Micro>(
	row: &impl Fn(usize) -> &'a [i8],
	used: usize,
	width: usize,
	mask: u32,
	panel: &mut [u32],
) {
	const BLOCK: usize = 64;
	let whole = row(0).len() / BLOCK * BLOCK;
	let flip = _mm512_set1_epi32(mask as i32);
	for first in (0..used).step_by(16) {
		let (used, lanes) = (16.min(used - first), 16.min(width - first));
		let stored = ((1u32 << lanes) - 1) as __mmask16;
		for k in (0..whole).step_by(BLOCK) {
			let mut block = [_mm512_setzero_ps(); 16];
			for (i, words) in block.iter_mut().enumerate().take(used) {
				let source = &row(first + i)[k..k + BLOCK];
				// SAFETY: 64 bytes.
				let source = unsafe { _mm512_loadu_si512(source.as_ptr().cast()) };
				*words = _mm512_castsi512_ps(_mm512_xor_si512(source, flip));
			}
			for words in &mut block[used..] {
				*words = _mm512_castsi512_ps(flip);
			}
			for (j, column) in turn(block).into_iter().enumerate() {
				let at = (k / 4 + j) * width + first;
				let target = &mut panel[at..at + lanes];
				// SAFETY: as many words as the mask has bits.
				unsafe { _mm512_mask_storeu_ps(target.as_mut_ptr().cast(), stored, column) };
			}
		}
	}
	for i in 0..if row(0).len() > whole { used } else { 0 } {
		along::<M>(&row(i)[whole..], width, mask, &mut panel[whole / 4 * width + i..]);
	}
}
