//! Matrix product: one link of the fma chains of a chunk.

use crate::patch::Patch;
use alloc::vec::Vec;
use assay_commitment::Region;
use assay_program::refine::Link;
use assay_softfloat::F32;

/// Continues the chains of the chunk's elements over the link; at the end of a segment folds them into the totals.
///
/// `words` is totals, then chains, each row-major over `out`.
pub(crate) fn link(
	trans_a: bool,
	trans_b: bool,
	out: &Region,
	link: &Link,
	mut words: Vec<u32>,
	a: &Patch,
	b: &Patch,
) -> Vec<u32> {
	let cols = out.cols as usize;
	let elements = words.len() / 2;
	let (totals, chains) = words.split_at_mut(elements);
	for inner in link.start..link.end {
		let right: Vec<F32> = (out.col0..out.col0 + out.cols)
			.map(|col| F32(if trans_b { b.at(col, inner) } else { b.at(inner, col) }))
			.collect();
		for (row, chains) in (out.row0..out.row0 + out.rows).zip(chains.chunks_exact_mut(cols)) {
			let left = F32(if trans_a { a.at(inner, row) } else { a.at(row, inner) });
			for (chain, right) in chains.iter_mut().zip(&right) {
				*chain = left.fma(*right, F32(*chain)).0;
			}
		}
	}
	if link.ends_segment() {
		for (total, chain) in totals.iter_mut().zip(chains) {
			let segment = core::mem::replace(chain, 0);
			*total = if link.has_total() { F32(*total).add(F32(segment)).0 } else { segment };
		}
	}
	words
}
