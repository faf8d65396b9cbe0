//! Blocks of columns times a Hadamard matrix.

use crate::patch::Patch;
use alloc::vec::Vec;
use assay_softfloat::F32;

/// The elements of a rectangle of whole blocks of `2^log2` columns, row-major.
pub(crate) fn rotated(log2: u8, x: &Patch) -> Vec<u32> {
	let mut elements = x.bits().to_vec();
	for block in elements.chunks_exact_mut(1 << log2) {
		for distance in (0..log2).map(|bit| 1usize << bit) {
			for pair in block.chunks_exact_mut(2 * distance) {
				let (low, high) = pair.split_at_mut(distance);
				for (a, b) in low.iter_mut().zip(high) {
					(*a, *b) = (F32(*a).add(F32(*b)).0, F32(*a).sub(F32(*b)).0);
				}
			}
		}
	}
	elements
}
