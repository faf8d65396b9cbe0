//! Batches and labels.

/// Copies the row of `data` that `row_of` names for each row of `out`, of `width` bytes.
pub(crate) fn rows(data: &[i8], width: usize, row_of: impl Fn(u32) -> u32, out: &mut [i8]) {
	for (element, out) in (0u32..).zip(out.chunks_exact_mut(width)) {
		out.copy_from_slice(&data[row_of(element) as usize * width..][..width]);
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
