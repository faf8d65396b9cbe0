//! Ops that only copy: columns, heads, rows by id. A band is whole rows of the output from row `first`.

use crate::matrix::Matrix;

/// Of rows of `width` bytes, `len` bytes from byte `from` on.
pub(crate) fn columns(x: &[i8], width: usize, from: usize, first: usize, len: usize, band: &mut [i8]) {
	for (row, out) in (first..).zip(band.chunks_exact_mut(len)) {
		out.copy_from_slice(&x[row * width + from..][..len]);
	}
}

/// The input's columns from column `from` on, +0 elsewhere.
pub(crate) fn pad_columns(x: &Matrix<'_>, from: usize, first: usize, cols: usize, band: &mut [u32]) {
	let width = x.cols as usize;
	for (row, out) in (first..).zip(band.chunks_exact_mut(cols)) {
		out.fill(0);
		out[from..from + width].copy_from_slice(&x.bits[row * width..][..width]);
	}
}

/// Heads side by side to heads below each other.
pub(crate) fn split_heads(x: &Matrix<'_>, rows: usize, heads: usize, first: usize, band: &mut [u32]) {
	let (stride, width) = (x.cols as usize, x.cols as usize / heads);
	for (at, out) in (first..).zip(band.chunks_exact_mut(width)) {
		let (block, position) = (at / rows, at % rows);
		let source = (block / heads * rows + position) * stride + block % heads * width;
		out.copy_from_slice(&x.bits[source..][..width]);
	}
}

/// Heads below each other to heads side by side.
pub(crate) fn merge_heads(x: &Matrix<'_>, rows: usize, heads: usize, first: usize, band: &mut [u32]) {
	let width = x.cols as usize;
	for (at, out) in (first..).zip(band.chunks_exact_mut(width * heads)) {
		let (sequence, position) = (at / rows, at % rows);
		for (head, out) in out.chunks_exact_mut(width).enumerate() {
			let source = ((sequence * heads + head) * rows + position) * width;
			out.copy_from_slice(&x.bits[source..][..width]);
		}
	}
}

/// The table's row of each id; +0 where there is none.
pub(crate) fn lookup(table: &Matrix<'_>, ids: &[u32], first: usize, band: &mut [u32]) {
	let width = table.cols as usize;
	for (id, out) in ids[first..].iter().zip(band.chunks_exact_mut(width)) {
		// A negative id is a large unsigned one, outside like any other.
		if *id < table.rows {
			out.copy_from_slice(&table.bits[*id as usize * width..][..width]);
		} else {
			out.fill(0);
		}
	}
}
