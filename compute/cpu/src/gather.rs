//! Batches and labels.

use assay_program::DType;

use crate::matrix::{is_raised, non_finite_flag, Matrix};

/// Copies the row of `data` that `row_of` names for each row of `out`. Returns whether every f32 is finite.
pub(crate) fn rows(data: &Matrix<'_>, row_of: impl Fn(u32) -> u32, out: &mut [u32]) -> bool {
	let cols = data.cols as usize;
	let mut flags = 0u32;
	for (element, out) in (0u32..).zip(out.chunks_exact_mut(cols)) {
		let row = row_of(element) as usize;
		out.copy_from_slice(&data.bits[row * cols..][..cols]);
		if data.dtype == DType::F32 {
			flags |= out.iter().fold(0, |flags, bits| flags | non_finite_flag(*bits));
		}
	}
	!is_raised(flags)
}

/// Rows with 1 in the label's column; none where the label is outside.
pub(crate) fn one_hot(labels: &[u32], cols: usize, out: &mut [u32]) {
	out.fill(0);
	for (label, out) in labels.iter().zip(out.chunks_exact_mut(cols)) {
		// A negative label is a large unsigned one, outside like any other.
		if let Some(place) = usize::try_from(*label).ok().and_then(|label| out.get_mut(label)) {
			*place = 0x3f80_0000;
		}
	}
}
