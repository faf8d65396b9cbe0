//! 8-bit integers: their products, one link, and the way from and to numbers.

use super::matmul::Transposed;
use crate::patch::Patch;
use alloc::vec::Vec;
use assay_commitment::Region;
use assay_program::refine::Link;
use assay_softfloat::{functions, F32};

/// Adds the link's products to the sums so far. No sum leaves 32 bits: the inner dimension is bounded.
pub(crate) fn matmul(
	transposed: Transposed,
	out: &Region,
	link: &Link,
	mut words: Vec<u32>,
	a: &Patch,
	b: &Patch,
) -> Vec<u32> {
	for inner in link.start..link.end {
		let right: Vec<u32> = (out.col0..out.col0 + out.cols)
			.map(|col| if transposed.b { b.at(col, inner) } else { b.at(inner, col) })
			.collect();
		for (row, sums) in (out.row0..).zip(words.chunks_exact_mut(out.cols as usize)) {
			let left = if transposed.a { a.at(inner, row) } else { a.at(row, inner) };
			for (sum, right) in sums.iter_mut().zip(&right) {
				// Two's complement: the low 32 bits are those of the signed sum.
				*sum = sum.wrapping_add(left.wrapping_mul(*right));
			}
		}
	}
	words
}

/// The integer of a number at a scale.
pub(crate) fn quantise(x: u32, scale: u32) -> u32 {
	functions::quantise(F32(x), F32(scale)) as u32
}

/// The number of an integer at two scales.
pub(crate) fn dequantise(value: u32, row: u32, col: u32) -> u32 {
	functions::dequantise(value as i32, F32(row), F32(col)).0
}
