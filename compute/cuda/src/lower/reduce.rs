//! Sums and maxima over an axis.

use assay_program::{Axis, Reduction};

use super::{input, matmul::fold, Checked};
use crate::{
	grid,
	launch::{Arg, Launch, Lowered},
	OpError,
};

/// Elements of a segment: part of the numerics contract.
const SEGMENT: u64 = 4096;
/// Rows, or columns, of a thread block; the other side is the 32 lanes.
const STRIP: u32 = 8;
const LANES: u32 = 32;

pub(super) fn lower(op: &Checked<'_>, reduction: Reduction, axis: Axis) -> Result<Lowered, OpError> {
	let x = input(op, 0)?;
	let (rows, cols) = (u64::from(x.rows), u64::from(x.cols));
	let (kernel, join) = match (reduction, axis) {
		(Reduction::Sum, Axis::Cols) => ("sum_over_cols", "sum_fold"),
		(Reduction::Sum, Axis::Rows) => ("sum_over_rows", "sum_fold"),
		(Reduction::Max, Axis::Cols) => ("max_over_cols", "max_fold"),
		(Reduction::Max, Axis::Rows) => ("max_over_rows", "max_fold"),
	};
	let (outer, inner, block) = match axis {
		Axis::Cols => (rows, cols, [LANES, STRIP, 1]),
		Axis::Rows => (cols, rows, [STRIP, LANES, 1]),
	};
	let segments = inner.div_ceil(SEGMENT);
	let launch = |out, flag| {
		let (grid, block) = grid::blocks(outer.div_ceil(u64::from(STRIP)) * segments, block, op.profile);
		let args = vec![Arg::Input(0), out, flag, Arg::U64(rows), Arg::U64(cols), Arg::U64(segments)];
		Launch { kernel, grid, block, args }
	};
	if segments == 1 {
		return Ok(Lowered { launches: vec![launch(Arg::Output, Arg::Flag)], scratch: Vec::new() });
	}
	let (part_stride, item_stride) = match axis {
		Axis::Cols => (1, segments),
		Axis::Rows => (cols, 1),
	};
	let fold = fold(join, op, part_stride, item_stride, segments);
	let launches = vec![launch(Arg::Scratch(0), Arg::Null), fold];
	Ok(Lowered { launches, scratch: vec![outer * segments] })
}
