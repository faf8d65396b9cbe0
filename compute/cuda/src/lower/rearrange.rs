//! Ops that only copy.

use super::{by_type, input, single, Checked};
use crate::{
	grid,
	launch::{Arg, Lowered},
	OpError,
};

/// Arguments that every copy ends with.
fn target(op: &Checked<'_>, rows: u64, cols: u64) -> [Arg; 4] {
	[Arg::Output, op.flag(), Arg::U64(rows), Arg::U64(cols)]
}

fn copy(op: &Checked<'_>, kernel: &'static str, numbers: [u64; 2], rows: u64, cols: u64) -> Lowered {
	let args =
		[Arg::Input(0)].into_iter().chain(numbers.map(Arg::U64)).chain(target(op, rows, cols)).collect::<Vec<_>>();
	single(kernel, grid::plane(rows, cols, op.profile), args)
}

pub(super) fn columns(op: &Checked<'_>, first: u32) -> Result<Lowered, OpError> {
	let width = u64::from(input(op, 0)?.cols);
	let kernel = by_type(op, "columns", "columns_i8");
	Ok(copy(op, kernel, [width, u64::from(first)], op.rows(), op.cols()))
}

pub(super) fn pad_columns(op: &Checked<'_>, first: u32) -> Result<Lowered, OpError> {
	let width = u64::from(input(op, 0)?.cols);
	Ok(copy(op, "pad_columns", [width, u64::from(first)], op.rows(), op.cols()))
}

/// All the columns of one long row.
pub(super) fn reshape(op: &Checked<'_>) -> Lowered {
	let elements = op.output.elements();
	copy(op, by_type(op, "columns", "columns_i8"), [elements, 0], 1, elements)
}

pub(super) fn heads(op: &Checked<'_>, kernel: &'static str, positions: u32, heads: u32) -> Lowered {
	copy(op, kernel, [u64::from(positions), u64::from(heads)], op.rows(), op.cols())
}
