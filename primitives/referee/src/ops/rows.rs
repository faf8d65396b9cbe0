//! Rows by id: table look-up and its gradient, one link.

use crate::patch::Patch;
use alloc::vec::Vec;
use assay_commitment::Region;
use assay_program::refine::Link;
use assay_softfloat::F32;

/// Takes over the rows of the table that the link holds and the ids name. `words` are the elements found so far.
pub(crate) fn lookup(out: &Region, link: &Link, mut words: Vec<u32>, table: &Patch, ids: &Patch) -> Vec<u32> {
	for (row, words) in (out.row0..).zip(words.chunks_exact_mut(out.cols as usize)) {
		let id = ids.at(row, 0);
		if (link.start..link.end).contains(&id) {
			for (col, word) in (out.col0..).zip(words) {
				*word = table.at(id, col);
			}
		}
	}
	words
}

/// Adds the rows that the link holds to the rows that the ids name. `words` are the sums so far.
pub(crate) fn scatter(out: &Region, link: &Link, mut words: Vec<u32>, ids: &Patch, values: &Patch) -> Vec<u32> {
	for at in link.start..link.end {
		let row = ids.at(at, 0).wrapping_sub(out.row0);
		if row < out.rows {
			let first = row as usize * out.cols as usize;
			for (col, word) in (out.col0..).zip(words.iter_mut().skip(first).take(out.cols as usize)) {
				*word = F32(*word).add(F32(values.at(at, col))).0;
			}
		}
	}
	words
}
