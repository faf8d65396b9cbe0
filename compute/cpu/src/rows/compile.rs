//! Checks a group and lays out its scratch.

use assay_program::{shape::check_op, DType, OpKind, OperandSpec, TensorSpec};

use super::{
	fuse::{passes, Fused, Pass},
	row_reads,
	tile::{Place, Source, TileOp},
	Reads, RowGroup, RowInput, RowOp, MAX_GIVEN, MAX_KEPT,
};
use crate::{sources::Lie, OpError};

/// Bytes of scratch that a tile may fill, unless one row needs more.
const TILE_BYTES: usize = 96 * 1024;
/// Most elements of an output that a tile covers.
const TILE_ELEMENTS: usize = 4096;

impl RowGroup {
	/// A group of `ops`, each reading `given` tensors from outside, in the order of the group's run, and outputs of earlier
	/// ops. All outputs have the same number of rows.
	pub fn new(ops: &[RowOp], given: &[TensorSpec]) -> Result<Self, OpError> {
		let rows = ops.first().ok_or(OpError::Shape("a group has at least one op"))?.output.rows;
		if ops.iter().any(|op| op.output.rows != rows) {
			return Err(OpError::Shape("the outputs of a group have the same number of rows"));
		}
		check_ops(ops, given, rows)?;
		let flat = is_flat(ops, given);
		let mut widths = vec![0; given.len()];
		let mut tile_ops = Vec::with_capacity(ops.len());
		let passes = passes(ops, given);
		let (places, scratch, kept) = places(&passes, flat);
		for op in &passes {
			let mut sources = [Source { place: Place::Scalar([0]), cols: 1, lie: Lie::One, by_rows: false }; 4];
			for (input, (source, reads)) in sources.iter_mut().zip(&op.inputs).enumerate() {
				let (spec, place) = match *reads {
					RowInput::Scalar(bits) => {
						source.place = Place::Scalar([bits]);
						continue;
					}
					RowInput::Given(at) => (given[at], Place::Given(at)),
					RowInput::Op(at) => (passes[at].output, places[at]),
				};
				let reads = match op.pass {
					Pass::Op(kind) => row_reads(kind, input, spec, rows),
					Pass::Magnitude => Some(Reads::SameRow),
					Pass::DequantiseAdd => row_reads(OpKind::Dequantise, input, spec, rows),
					Pass::Places { window: None, .. } if input == 0 => Some(Reads::SameRow),
					Pass::Places { .. } => Some(Reads::Anywhere),
				};
				let by_rows = match reads {
					Some(Reads::SameRow) => spec.rows == rows && !(flat && spec.elements() == 1),
					Some(Reads::Anywhere) => false,
					None => return Err(OpError::Shape("the op cannot be part of a group")),
				};
				if let (Place::Given(at), true) = (place, by_rows) {
					widths[at] = row_bytes(spec, flat);
				}
				if !by_rows && !matches!(place, Place::Given(_)) && spec.elements() != 1 {
					return Err(OpError::Shape("an op of a group reads other rows of an earlier one"));
				}
				let cols = if flat { 1 } else { spec.cols as usize };
				*source = Source { place, cols, lie: lie(spec, op.output, flat), by_rows };
			}
			let cols = if flat { 1 } else { op.output.cols as usize };
			tile_ops.push(TileOp {
				pass: op.pass,
				inputs: sources,
				output: places[tile_ops.len()],
				cols,
				dtype: op.output.dtype,
			});
		}
		if given.len() > MAX_GIVEN || kept.len() > MAX_KEPT {
			return Err(OpError::Shape("the group reads or keeps too many tensors"));
		}
		let rows = if flat { ops[0].output.elements() as usize } else { rows as usize };
		let per_row: usize = scratch.iter().sum();
		let widest = passes.iter().map(|op| if flat { 1 } else { op.output.cols as usize }).max().unwrap_or(1);
		let tile = (TILE_BYTES / per_row.max(1)).min((TILE_ELEMENTS / widest).max(1)).max(1);
		// Dropout draws four elements at a time, and four bytes are a word, so a tile of them begins at a multiple of four; wide
		// rows do anyway.
		let tile = if flat || tile > 4 || has_fours(ops) { tile.next_multiple_of(4) } else { tile }.min(rows.max(1));
		let elements = ops.iter().map(|op| op.output.elements() as usize).sum();
		Ok(Self {
			ops: tile_ops,
			rows,
			tile,
			given: widths,
			kept,
			scratch: scratch.iter().map(|width| (width * tile).div_ceil(4)).collect(),
			elements,
		})
	}
}

const UNKNOWN: OpError = OpError::Shape("an op of a group reads what is not there");

/// Whether every op of the group gets what it takes, from outside or from earlier ops.
fn check_ops(ops: &[RowOp], given: &[TensorSpec], rows: u32) -> Result<(), OpError> {
	for (index, op) in ops.iter().enumerate() {
		let operand = |input: &RowInput| match *input {
			RowInput::Scalar(bits) => Ok(OperandSpec::Scalar(bits)),
			RowInput::Given(at) => Ok(OperandSpec::Tensor { spec: *given.get(at).ok_or(UNKNOWN)?, data: false }),
			RowInput::Op(at) if at < index => Ok(OperandSpec::Tensor { spec: ops[at].output, data: false }),
			RowInput::Op(_) => Err(UNKNOWN),
		};
		let operands = op.inputs.iter().map(operand).collect::<Result<Vec<_>, OpError>>()?;
		check_op(op.kind, &operands, op.output, rows)
			.map_err(|_| OpError::Shape("operands or output do not fit the op"))?;
	}
	Ok(())
}

/// Whether an output is of draws or of bytes, and its rows do not begin at multiples of four.
fn has_fours(ops: &[RowOp]) -> bool {
	let in_fours = |op: &RowOp| matches!(op.kind, OpKind::Dropout { .. }) || op.output.dtype == DType::I8;
	ops.iter().any(|op| in_fours(op) && !op.output.cols.is_multiple_of(4))
}

/// Bytes of a row, or of an element where rows do not matter.
fn row_bytes(spec: TensorSpec, flat: bool) -> usize {
	spec.dtype.bytes() as usize * if flat { 1 } else { spec.cols as usize }
}

/// Whether every op treats its elements alike, wherever they are: then rows need not be kept together.
fn is_flat(ops: &[RowOp], given: &[TensorSpec]) -> bool {
	let shape = |spec: TensorSpec| (spec.rows, spec.cols);
	let Some(first) = ops.first().map(|op| shape(op.output)) else { return false };
	ops.iter().all(|op| {
		let elementwise = matches!(
			op.kind,
			OpKind::Unary(_) | OpKind::Binary(_) | OpKind::Fma | OpKind::Quantise | OpKind::Dequantise
		);
		let inputs = op.inputs.iter().all(|input| match *input {
			RowInput::Scalar(_) => true,
			RowInput::Given(at) => given.get(at).is_some_and(|spec| shape(*spec) == first || spec.elements() == 1),
			RowInput::Op(at) => ops.get(at).is_some_and(|op| shape(op.output) == first),
		});
		elementwise && inputs && shape(op.output) == first
	})
}

fn lie(spec: TensorSpec, output: TensorSpec, flat: bool) -> Lie {
	match (spec.rows == output.rows && output.rows > 1, spec.cols == output.cols && output.cols > 1) {
		_ if spec.elements() == 1 && output.elements() > 1 => Lie::One,
		_ if flat || (spec.rows, spec.cols) == (output.rows, output.cols) => Lie::Whole,
		(false, true) => Lie::Row,
		(true, false) => Lie::Column,
		(true, true) => Lie::Whole,
		(false, false) => Lie::One,
	}
}

/// Where each output goes, bytes per row of each scratch tensor and of each kept output. A scratch tensor serves one output
/// after another, never one of an op that reads it.
fn places(ops: &[Fused], flat: bool) -> (Vec<Place>, Vec<usize>, Vec<usize>) {
	let mut last: Vec<usize> = (0..ops.len()).collect();
	for (index, op) in ops.iter().enumerate() {
		for input in &op.inputs {
			if let RowInput::Op(at) = *input {
				if let Some(last) = last.get_mut(at) {
					*last = index.max(*last);
				}
			}
		}
	}
	let (mut places, mut scratch, mut kept) = (Vec::with_capacity(ops.len()), Vec::<usize>::new(), Vec::new());
	// Until which op each scratch tensor is taken.
	let mut taken: Vec<usize> = Vec::new();
	for (index, op) in ops.iter().enumerate() {
		let width = row_bytes(op.output, flat);
		if op.kept {
			places.push(Place::Kept(kept.len()));
			kept.push(width);
			continue;
		}
		let free =
			(0..scratch.len()).filter(|slot| taken[*slot] < index).min_by_key(|slot| scratch[*slot].abs_diff(width));
		let slot = free.unwrap_or_else(|| {
			scratch.push(0);
			taken.push(0);
			scratch.len() - 1
		});
		scratch[slot] = scratch[slot].max(width);
		taken[slot] = last[index];
		places.push(Place::Scratch(slot));
	}
	(places, scratch, kept)
}
