//! Blocks of neighbours along an axis times a Hadamard matrix.

use crate::patch::Patch;
use alloc::vec::Vec;
use assay_commitment::Region;
use assay_program::Axis;
use assay_softfloat::F32;

/// The elements of the region, row-major, from the rectangle of whole blocks that holds them.
pub(crate) fn rotated(log2: u8, axis: Axis, out: &Region, x: &Patch) -> Vec<u32> {
	let (region, mut elements) = (x.region(), x.bits().to_vec());
	let cols = region.cols as usize;
	// Neighbours, and what lies between two of them.
	let (side, step) = match axis {
		Axis::Rows => (1usize << log2, cols),
		Axis::Cols => (1usize << log2, 1),
	};
	for block in elements.chunks_exact_mut(side * step) {
		for distance in (0..log2).map(|bit| step << bit) {
			for pair in block.chunks_exact_mut(2 * distance) {
				let (low, high) = pair.split_at_mut(distance);
				for (a, b) in low.iter_mut().zip(high) {
					(*a, *b) = (F32(*a).add(F32(*b)).0, F32(*a).sub(F32(*b)).0);
				}
			}
		}
	}
	let skipped = out.row0.saturating_sub(region.row0) as usize * cols;
	elements.into_iter().skip(skipped).take(out.rows as usize * cols).collect()
}
