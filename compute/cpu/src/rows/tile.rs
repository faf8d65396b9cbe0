//! A few rows of a group.

use assay_program::{philox::Key, Axis, BinaryKind, DType, OpKind};

use super::{
	dequantise_add::DequantiseAdd,
	fuse::Pass,
	places::{Places, UnderWindow},
	RowGroup, MAX_KEPT,
};
use crate::{
	arg_max,
	draws::Draws,
	elementwise::{self, Elementwise},
	gather,
	hadamard::Hadamard,
	mask::{self, Dropout},
	matrix::{all_finite, bytes, bytes_mut, Matrix},
	path::Supported,
	rearrange, reduce,
	sources::{Lie, Sources},
	window, Context,
};

/// Where the rows of a tensor are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
	Scalar([u32; 1]),
	Given(usize),
	Kept(usize),
	Scratch(usize),
}

/// What an op reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
	pub(super) place: Place,
	/// Elements per row.
	pub(super) cols: usize,
	pub(super) lie: Lie,
	/// Whether only the rows of the tile are read.
	pub(super) by_rows: bool,
}

/// An op of a group.
#[derive(Clone, Debug)]
pub(super) struct TileOp {
	pub(super) pass: Pass,
	pub(super) inputs: [Source; 4],
	pub(super) output: Place,
	/// Elements per row of the output.
	pub(super) cols: usize,
	pub(super) dtype: DType,
}

/// Rows that one thread works on.
pub(crate) struct Band<'a> {
	/// The first row.
	pub(crate) first: usize,
	pub(crate) rows: usize,
	/// These rows of the kept outputs, in words.
	pub(crate) kept: [&'a mut [u32]; MAX_KEPT],
}

/// A tensor from outside of the group.
#[derive(Clone, Copy, Default)]
pub(crate) struct Outside<'a> {
	pub(crate) bits: &'a [u32],
	/// The row at which `bits` begin, of a tensor that is read by rows.
	pub(crate) first: usize,
}

impl<'a> Band<'a> {
	/// Two bands, the first of `rows` rows, which are whole words of every output. `widths` are bytes per row.
	pub(crate) fn split(self, rows: usize, widths: &[usize]) -> (Band<'a>, Band<'a>) {
		let mut below: [&mut [u32]; MAX_KEPT] = Default::default();
		let mut kept = self.kept;
		for ((top, below), width) in kept.iter_mut().zip(&mut below).zip(widths) {
			debug_assert!((rows * width).is_multiple_of(4), "a band begins at a word");
			(*top, *below) = core::mem::take(top).split_at_mut(rows * width / 4);
		}
		let rest = Band { first: self.first + rows, rows: self.rows - rows, kept: below };
		(Band { first: self.first, rows, kept }, rest)
	}
}

impl RowGroup {
	/// Whether all outputs are finite.
	pub(super) fn run_band(
		&self,
		path: Supported,
		given: &[Outside<'_>],
		context: &Context,
		mut band: Band<'_>,
		scratch: &mut [Vec<u32>],
	) -> bool {
		let mut finite = true;
		for start in (0..band.rows).step_by(self.tile) {
			let rows = self.tile.min(band.rows - start);
			for op in &self.ops {
				finite &= match op.output {
					Place::Kept(at) => {
						let out = core::mem::take(&mut band.kept[at]);
						let tile = Tile { first: band.first + start, start, rows, given, kept: &band.kept, scratch };
						let finite = op.run(path, context, &tile, start, out);
						band.kept[at] = out;
						finite
					}
					Place::Scratch(at) => {
						let mut out = core::mem::take(&mut scratch[at]);
						let tile = Tile { first: band.first + start, start, rows, given, kept: &band.kept, scratch };
						let finite = op.run(path, context, &tile, 0, &mut out);
						scratch[at] = out;
						finite
					}
					Place::Scalar(_) | Place::Given(_) => false,
				};
			}
		}
		finite
	}
}

/// The rows being worked on, and what there is to read.
struct Tile<'a> {
	/// The first row in the whole tensors, and in the band.
	first: usize,
	start: usize,
	rows: usize,
	given: &'a [Outside<'a>],
	kept: &'a [&'a mut [u32]; MAX_KEPT],
	scratch: &'a [Vec<u32>],
}

impl Tile<'_> {
	/// Elements of four bytes.
	#[inline]
	fn read<'b>(&'b self, source: &'b Source) -> &'b [u32] {
		match &source.place {
			Place::Scalar(bits) => bits,
			Place::Given(at) if !source.by_rows => self.given[*at].bits,
			_ => {
				let (words, row) = self.rows_of(source);
				&words[row * source.cols..][..self.rows * source.cols]
			}
		}
	}

	/// The tile's rows of int8 elements.
	#[inline]
	fn read_bytes<'b>(&'b self, source: &'b Source) -> &'b [i8] {
		let (words, row) = self.rows_of(source);
		&bytes(words)[row * source.cols..][..self.rows * source.cols]
	}

	/// The memory of a tensor that is read by rows, and where in it the tile's rows begin.
	#[inline]
	fn rows_of<'b>(&'b self, source: &'b Source) -> (&'b [u32], usize) {
		match &source.place {
			Place::Scalar(bits) => (bits, 0),
			Place::Given(at) => (self.given[*at].bits, self.first - self.given[*at].first),
			Place::Kept(at) => (self.kept[*at], self.start),
			Place::Scratch(at) => (&self.scratch[*at], 0),
		}
	}
}

impl TileOp {
	/// Writes the tile's rows from row `row` of an output on.
	fn run(&self, path: Supported, context: &Context, tile: &Tile<'_>, row: usize, out: &mut [u32]) -> bool {
		let (start, len) = (row * self.cols, tile.rows * self.cols);
		match self.dtype {
			DType::I8 => self.run_bytes(path, tile, &mut bytes_mut(out)[start..][..len]),
			DType::F32 | DType::I32 => self.run_words(path, context, tile, &mut out[start..][..len]),
		}
	}

	/// Ops whose output is int8.
	fn run_bytes(&self, path: Supported, tile: &Tile<'_>, out: &mut [i8]) -> bool {
		let source = &self.inputs[0];
		match self.pass {
			Pass::Op(OpKind::Quantise) => elementwise::quantise(path, self.sources(tile, out.len()), out),
			Pass::Op(OpKind::Columns { first }) => {
				rearrange::columns(tile.read_bytes(source), source.cols, first as usize, 0, self.cols, out);
			}
			// No other kind gives int8 in a group.
			_ => return false,
		}
		true
	}

	/// The inputs of an elementwise op over the tile's elements.
	fn sources<'a>(&'a self, tile: &'a Tile<'_>, elements: usize) -> Sources<'a> {
		let [a, b, c, _] = &self.inputs;
		let inputs = [(tile.read(a), a.lie), (tile.read(b), b.lie), (tile.read(c), c.lie)];
		let flat = inputs.iter().all(|(_, lie)| matches!(lie, Lie::Whole | Lie::One));
		let (rows, cols) = if flat { (1, elements) } else { (tile.rows, self.cols) };
		Sources::lying(inputs, rows, cols)
	}

	fn run_words(&self, path: Supported, context: &Context, tile: &Tile<'_>, out: &mut [u32]) -> bool {
		let [a, b, c, d] = &self.inputs;
		let kind = match self.pass {
			Pass::Op(kind) => kind,
			Pass::Magnitude => return reduce::magnitudes(path, tile.read(a), a.cols, out),
			Pass::DequantiseAdd => {
				let [x, row, col, addend] = [a, b, c, d].map(|source| tile.read(source));
				return path.run(DequantiseAdd { x, row, col, addend, out });
			}
			Pass::Places { window: Some(window), .. } => {
				let (x, weights, first) = (tile.read(a), tile.read(b), tile.first);
				return path.run(UnderWindow { window, x, weights, first, channels: self.cols, out });
			}
			Pass::Places { join, weighted, .. } => {
				let (x, weights) = (tile.read(a), weighted.then(|| tile.read(b)));
				let is_max = join == BinaryKind::Max;
				return path.run(Places { x, width: a.cols, weights, is_max, cols: self.cols, out });
			}
		};
		let op = match kind {
			OpKind::Unary(unary) => Elementwise::Unary(unary),
			OpKind::Binary(binary) => Elementwise::Binary(binary),
			OpKind::Fma => Elementwise::Fma,
			OpKind::Dequantise => Elementwise::Dequantise,
			_ => return self.run_shaped(kind, path, context, tile, out),
		};
		elementwise::run(path, op, self.sources(tile, out.len()), out)
	}

	/// Ops that are not elementwise.
	fn run_shaped(&self, kind: OpKind, path: Supported, context: &Context, tile: &Tile<'_>, out: &mut [u32]) -> bool {
		let (source, cols) = (&self.inputs[0], self.cols);
		let x = tile.read(source);
		let matrix = |bits, cols: usize, rows| Matrix { dtype: self.dtype, rows, cols: cols as u32, bits };
		match kind {
			OpKind::Reduce { reduction, axis: Axis::Cols } => {
				return reduce::over_cols(path, reduction, x, source.cols, out);
			}
			OpKind::OneHot => {
				gather::one_hot(x, cols, out);
				return true;
			}
			OpKind::ArgMax => {
				arg_max::run(path, x, source.cols, out);
				return true;
			}
			OpKind::Causal { rows, offset, fill } => {
				mask::causal(x, cols, rows as usize, offset as usize, fill, tile.first, out);
			}
			OpKind::Dropout { stream, keep, scale } => {
				let draws = Draws { key: Key::dropout(&context.seed), stream, step: context.step };
				let dropout = Dropout { draws, keep, scale: f32::from_bits(scale) };
				dropout.run(path, x, tile.first * cols, out);
			}
			OpKind::Columns { first } => {
				rearrange::columns(bytes(x), source.cols * 4, first as usize * 4, 0, cols * 4, bytes_mut(out));
			}
			OpKind::PadColumns { first } => {
				rearrange::pad_columns(&matrix(x, source.cols, tile.rows as u32), first as usize, 0, cols, out);
			}
			OpKind::Lookup => {
				let rows = (x.len() / cols) as u32;
				rearrange::lookup(&matrix(x, cols, rows), tile.read(&self.inputs[1]), 0, out);
			}
			OpKind::Im2col(window) => {
				let Some((down, across)) = window.positions() else { return false };
				let positions = (down as usize * across as usize, across as usize);
				window::im2col(&window, positions, &matrix(x, source.cols, 0), tile.first, cols, out);
			}
			OpKind::Hadamard { log2, .. } => {
				out.copy_from_slice(x);
				path.run(Hadamard { log2, cols: None, elements: out });
			}
			// Groups are made of the kinds above.
			_ => return false,
		}
		self.dtype != DType::F32 || all_finite(out)
	}
}
