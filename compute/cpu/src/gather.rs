//! Batches and labels.

use assay_program::DType;

use crate::matrix::{is_raised, non_finite_flag, Matrix};

/// Copies rows of `data` to `out`. `rows_of` gives those of as many output rows as there is room for, from a first one. Returns
/// whether every f32 is finite.
pub(crate) fn rows(data: &Matrix<'_>, rows_of: impl Fn(u32, &mut [u32]), out: &mut [u32]) -> bool {
	const ROWS: usize = 256;
	let cols = data.cols as usize;
	let (mut flags, mut rows) = (0u32, [0; ROWS]);
	for (first, out) in (0u32..).step_by(ROWS).zip(out.chunks_mut(ROWS * cols)) {
		let rows = &mut rows[..out.len() / cols];
		rows_of(first, rows);
		for (row, out) in rows.iter().zip(out.chunks_exact_mut(cols)) {
			out.copy_from_slice(&data.bits[*row as usize * cols..][..cols]);
			if data.dtype == DType::F32 {
				flags |= out.iter().fold(0, |flags, bits| flags | non_finite_flag(*bits));
			}
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
