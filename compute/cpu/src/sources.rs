//! How the inputs of an elementwise op lie to its output.

use crate::matrix::Input;

/// One input as seen from an output of `[rows, cols]`.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
	pub(crate) bits: &'a [u32],
	/// Elements from one output row to the next: the input's columns, or 0 where its row is repeated.
	pub(crate) row_stride: usize,
	/// Whether the input has one element per output column, rather than one repeated along the row.
	pub(crate) along: bool,
}

/// The inputs of an elementwise op over an output `[rows, cols]`, unused ones being constants.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
	pub(crate) sources: [Source<'a>; 3],
	rows: usize,
	pub(crate) cols: usize,
}

/// How an input lies to the rows of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
	/// An element for each of the output.
	Whole,
	/// A row that every row repeats.
	Row,
	/// A column: an element for each row.
	Column,
	/// One element for all.
	One,
}

impl<'a> Sources<'a> {
	/// Inputs of `rows` output rows, each with how it lies; the caller knows that they have that many elements.
	pub(crate) fn lying(inputs: [(&'a [u32], Lie); 3], rows: usize, cols: usize) -> Self {
		let sources = inputs.map(|(bits, lie)| match lie {
			Lie::Whole => Source { bits, row_stride: cols, along: true },
			Lie::Row => Source { bits, row_stride: 0, along: true },
			Lie::Column => Source { bits, row_stride: 1, along: false },
			Lie::One => Source { bits, row_stride: 0, along: false },
		});
		Self { sources, rows, cols }
	}

	/// `None` if an input cannot be broadcast to `[rows, cols]`.
	pub(crate) fn new(inputs: &'a [Input<'a>], rows: usize, cols: usize) -> Option<Self> {
		let mut sources = [Source { bits: &[0], row_stride: 0, along: false }; 3];
		for (source, input) in sources.iter_mut().zip(inputs) {
			*source = match input {
				Input::Scalar(bits) => Source { bits: core::slice::from_ref(bits), row_stride: 0, along: false },
				Input::Tensor(matrix) => {
					let (r, c) = (matrix.rows as usize, matrix.cols as usize);
					if (r != 1 && r != rows) || (c != 1 && c != cols) || matrix.bits.len() != r * c {
						return None;
					}
					Source { bits: matrix.bits, row_stride: if r == 1 { 0 } else { c }, along: c == cols && c != 1 }
				}
			};
		}
		Some(Self { sources, rows, cols }.flattened())
	}

	/// One long row, where every input is either whole or a constant.
	fn flattened(self) -> Self {
		let elements = self.rows * self.cols;
		if !self.sources.iter().all(|source| source.bits.len() == elements || source.bits.len() == 1) {
			return self;
		}
		let sources = self.sources.map(|source| {
			let along = source.bits.len() == elements && elements != 1;
			Source { bits: source.bits, row_stride: 0, along }
		});
		Self { sources, rows: 1, cols: elements }
	}

	/// Whether the work is one row, to be split by columns instead of rows.
	pub(crate) fn is_flat(&self) -> bool {
		self.rows == 1
	}

	/// Of each input: whether it has an element for each of an output row.
	pub(crate) fn along(&self) -> [bool; 3] {
		self.sources.map(|source| source.along)
	}

	/// Columns after flattening.
	pub(crate) fn cols(&self) -> usize {
		self.cols
	}

	/// The part of the work whose output is `len` elements from element `start`; whole rows unless flat.
	pub(crate) fn part(&self, start: usize, len: usize) -> Self {
		if self.is_flat() {
			let sources = self.sources.map(|source| match source.along {
				true => Source { bits: &source.bits[start..start + len], ..source },
				false => source,
			});
			return Self { sources, rows: 1, cols: len };
		}
		let (row, rows) = (start / self.cols, len / self.cols);
		let sources = self.sources.map(|source| Source { bits: &source.bits[row * source.row_stride..], ..source });
		Self { sources, rows, cols: self.cols }
	}
}
