//! Runs of ops that compute a row of their output from the same row of their inputs, or from inputs that are whole already.
//!
//! A [`RowGroup`] goes through all its ops for a few rows before it takes the next ones. Outputs that only ops of the group read
//! stay in scratch that the first- or second-level cache holds, so they cost no memory traffic. Every op runs the kernel that
//! it runs alone, and no kernel looks across rows: the bits are those of the ops one by one. Threads take bands of rows.

mod compile;
mod dequantise_add;
mod fuse;
mod places;
mod tile;

use core::cell::RefCell;

use assay_program::{OpKind, TensorSpec};

use crate::{path::Supported, Context, Cpu, Matrix, OpError};
pub(crate) use tile::{Band, Outside};

/// Most tensors that a group may read from outside.
pub const MAX_GIVEN: usize = 48;
/// Most outputs of a group that are kept.
pub const MAX_KEPT: usize = 24;
/// Elements of all outputs of a group below which it stays on the calling thread.
const PARALLEL_ELEMENTS: usize = 1 << 15;

/// What an op of a group reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowInput {
	/// The same f32 bits for every element.
	Scalar(u32),
	/// A tensor from outside, by its position.
	Given(usize),
	/// The output of an earlier op of the group, by its position.
	Op(usize),
}

/// An op of a group.
#[derive(Clone, Debug)]
pub struct RowOp {
	/// What it does.
	pub kind: OpKind,
	/// Its inputs.
	pub inputs: Vec<RowInput>,
	/// Type and shape of its output.
	pub output: TensorSpec,
	/// Whether the output is needed outside of the group.
	pub kept: bool,
}

/// How an op's input lies to the rows of its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
	/// A row of it belongs to each row of the output.
	SameRow,
	/// Any part of it may be read, so it must be whole before the op starts.
	Anywhere,
}

/// How op `kind` with an output of `rows` rows reads its input `input` of shape `spec`; `None` if the op cannot be part of a
/// group.
pub fn row_reads(kind: OpKind, input: usize, spec: TensorSpec, rows: u32) -> Option<Reads> {
	use assay_program::Axis;
	match kind {
		OpKind::Unary(_) | OpKind::Binary(_) | OpKind::Fma | OpKind::Quantise | OpKind::Dequantise => {
			Some(if spec.rows == rows { Reads::SameRow } else { Reads::Anywhere })
		}
		OpKind::Reduce { axis: Axis::Cols, .. }
		| OpKind::OneHot
		| OpKind::Columns { .. }
		| OpKind::PadColumns { .. }
		| OpKind::Causal { .. }
		| OpKind::Dropout { .. }
		| OpKind::ArgMax
		| OpKind::Hadamard { axis: Axis::Cols, .. } => Some(Reads::SameRow),
		OpKind::Im2col(_) => Some(Reads::Anywhere),
		OpKind::Lookup => Some(if input == 0 { Reads::Anywhere } else { Reads::SameRow }),
		_ => None,
	}
}

/// A group, ready to run.
#[derive(Clone, Debug)]
pub struct RowGroup {
	ops: Vec<tile::TileOp>,
	/// Rows of the group: those of every output, or elements where it is flat.
	rows: usize,
	/// Rows at a time.
	tile: usize,
	/// Bytes per row of each given tensor that is read by rows, 0 for the others.
	given: Vec<usize>,
	/// Bytes per row of each kept output.
	kept: Vec<usize>,
	/// Words of each scratch tensor for one tile.
	scratch: Vec<usize>,
	/// Elements of all outputs.
	elements: usize,
}

thread_local! {
	static SCRATCH: RefCell<Vec<Vec<u32>>> = const { RefCell::new(Vec::new()) };
}

impl RowGroup {
	/// Rows of the group: those of every output, or all their elements where rows do not matter to it.
	pub(crate) fn rows(&self) -> usize {
		self.rows
	}

	/// Elements of all outputs.
	pub(crate) fn elements(&self) -> usize {
		self.elements
	}

	/// Bytes per row of each given tensor that is read by rows, 0 for the others, and of each kept output.
	pub(crate) fn widths(&self) -> (&[usize], &[usize]) {
		(&self.given, &self.kept)
	}

	/// Runs a band on the calling thread; whether all outputs are finite.
	pub(crate) fn run_here(&self, path: Supported, given: &[Outside<'_>], context: &Context, band: Band<'_>) -> bool {
		SCRATCH.with_borrow_mut(|scratch| {
			make_room(scratch, &self.scratch);
			self.run_band(path, given, context, band, scratch)
		})
	}

	/// Words of the scratch tensors.
	pub fn scratch(&self) -> &[usize] {
		&self.scratch
	}
}

/// Makes room for scratch tensors of so many words on the calling thread.
pub(crate) fn reserve(sizes: &[usize]) {
	SCRATCH.with_borrow_mut(|scratch| make_room(scratch, sizes));
}

fn make_room(scratch: &mut Vec<Vec<u32>>, sizes: &[usize]) {
	if scratch.len() < sizes.len() {
		scratch.resize_with(sizes.len(), Vec::new);
	}
	for (tensor, size) in scratch.iter_mut().zip(sizes) {
		if tensor.len() < *size {
			tensor.resize(*size, 0);
		}
	}
}

impl Cpu {
	/// Runs a group. `given` are its outside tensors and `kept` its kept outputs, in their order. On [`OpError::NonFinite`] the
	/// output of some op, kept or not, holds an infinity or NaN.
	pub fn run_rows(
		&self,
		group: &RowGroup,
		given: &[Matrix<'_>],
		context: &Context,
		kept: &mut [&mut [u32]],
	) -> Result<(), OpError> {
		if !crate::environment::is_default() {
			return Err(OpError::FloatEnvironment);
		}
		let fits = |width: &usize, words: usize| {
			*width == 0 || width.checked_mul(group.rows).map(|bytes| bytes.div_ceil(4)) == Some(words)
		};
		let given_fit = group.given.iter().zip(given).all(|(width, matrix)| fits(width, matrix.bits.len()));
		let kept_fit = group.kept.iter().zip(kept.iter()).all(|(width, bits)| fits(width, bits.len()));
		if given.len() != group.given.len() || kept.len() != group.kept.len() || !given_fit || !kept_fit {
			return Err(OpError::Shape("a group's tensors are not those it was made for"));
		}
		let mut outputs: [&mut [u32]; MAX_KEPT] = Default::default();
		for (slot, bits) in outputs.iter_mut().zip(kept) {
			*slot = bits;
		}
		let band = Band { first: 0, rows: group.rows, kept: outputs };
		let mut outside = [Outside::default(); MAX_GIVEN];
		for (outside, matrix) in outside.iter_mut().zip(given) {
			*outside = Outside { bits: matrix.bits, first: 0 };
		}
		let work = |band: Band<'_>| group.run_here(self.path, &outside, context, band);
		let finite = if group.elements < PARALLEL_ELEMENTS || self.threads() == 1 {
			work(band)
		} else {
			let (parts, unit) = (self.threads() * 4, group.tile);
			self.in_pool(|| split(group, band, parts, unit, &work))
		};
		finite.then_some(()).ok_or(OpError::NonFinite)
	}
}

/// Halves a band until there are `parts`, each of whole tiles, and works on them in parallel.
fn split(
	group: &RowGroup,
	band: Band<'_>,
	parts: usize,
	unit: usize,
	work: &(impl Fn(Band<'_>) -> bool + Sync),
) -> bool {
	let at = (band.rows / 2).next_multiple_of(unit);
	if parts <= 1 || at >= band.rows {
		return work(band);
	}
	let (left, right) = band.split(at, &group.kept);
	let (a, b) = rayon::join(
		|| split(group, left, parts / 2, unit, work),
		|| split(group, right, parts - parts / 2, unit, work),
	);
	a & b
}
