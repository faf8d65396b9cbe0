//! One-hot encoding of integer labels.

use crate::patch::Patch;
use alloc::vec::Vec;
use assay_commitment::Region;
use assay_softfloat::F32;

/// The elements of the region, row-major. Labels are two's complement; one outside the columns gives a zero row.
pub(crate) fn rows(out: &Region, labels: &Patch) -> Vec<u32> {
	let mut elements = Vec::with_capacity(out.rows as usize * out.cols as usize);
	for row in out.row0..out.row0 + out.rows {
		let label = i64::from(labels.at(row, 0) as i32);
		elements.extend((out.col0..out.col0 + out.cols).map(|col| {
			if label == i64::from(col) {
				F32::ONE.0
			} else {
				F32::ZERO.0
			}
		}));
	}
	elements
}
