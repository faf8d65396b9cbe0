//! Batches and labels.

/// Copies rows of `data` to `out`, of `width` bytes each. `rows_of` gives those of as many output rows as there is room for, from a
/// first one.
pub(crate) fn rows(data: &[i8], width: usize, rows_of: impl Fn(u32, &mut [u32]), out: &mut [i8]) {
	const ROWS: usize = 256;
	let mut rows = [0; ROWS];
	for (first, out) in (0u32..).step_by(ROWS).zip(out.chunks_mut(ROWS * width)) {
		let rows = &mut rows[..out.len() / width];
		rows_of(first, rows);
		for (row, out) in rows.iter().zip(out.chunks_exact_mut(width)) {
			out.copy_from_slice(&data[*row as usize * width..][..width]);
		}
	}
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
