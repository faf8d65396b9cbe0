//! Column of the largest element of each row, one link.

use crate::patch::Patch;
use alloc::vec::Vec;
use assay_program::refine::Link;
use assay_softfloat::F32;

/// Goes on over the link's columns. `words` are the columns of the largest elements so far, then these elements.
pub(crate) fn link(link: &Link, mut words: Vec<u32>, x: &Patch) -> Vec<u32> {
	let elements = words.len() / 2;
	let (columns, largest) = words.split_at_mut(elements);
	for (row, (column, largest)) in (x.region().row0..).zip(columns.iter_mut().zip(largest)) {
		for at in link.start..link.end {
			let value = F32(x.at(row, at));
			if at == 0 || value.gt(F32(*largest)) {
				(*column, *largest) = (at, value.0);
			}
		}
	}
	words
}
