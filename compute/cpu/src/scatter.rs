//! Sums of rows by id, each in ascending order of the rows.

use crate::{
	matrix::{floats, floats_mut, Matrix},
	path::Kernel,
};

/// One band of the output: rows from `first`. Every id is looked at, so bands are few.
pub(crate) struct Scatter<'a, 'b> {
	pub(crate) ids: &'a [u32],
	pub(crate) values: Matrix<'a>,
	pub(crate) first: usize,
	pub(crate) band: &'b mut [u32],
}

impl Kernel for Scatter<'_, '_> {
	type Output = ();

	#[inline(always)]
	fn run<const FUSED: bool>(self) {
		let cols = self.values.cols as usize;
		let (rows, sums) = (self.band.len() / cols, floats_mut(self.band));
		sums.fill(0.0);
		for (id, values) in self.ids.iter().zip(floats(self.values.bits).chunks_exact(cols)) {
			let Some(row) = (*id as usize).checked_sub(self.first).filter(|row| *row < rows) else { continue };
			for (sum, value) in sums[row * cols..][..cols].iter_mut().zip(values) {
				*sum += *value;
			}
		}
	}
}
