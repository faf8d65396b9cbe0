//! Sampling: noise, and the column of the largest element.

use assay_program::philox::Key;

use super::{input, single, Checked};
use crate::{
	grid,
	launch::{Arg, Lowered},
	OpError,
};

/// Threads of a block that looks for a row's largest element: part of the kernel.
const LANES: u32 = 256;

pub(super) fn gumbel(op: &Checked<'_>, stream: u32) -> Lowered {
	let Key([key0, key1]) = Key::gumbel(op.seed);
	let elements = op.output.elements();
	let args = vec![
		Arg::Input(0),
		Arg::U32(key0),
		Arg::U32(key1),
		Arg::U32(stream),
		Arg::Step,
		Arg::Output,
		op.flag(),
		Arg::U64(elements),
	];
	single("gumbel", grid::line(elements.div_ceil(4), 256, op.profile), args)
}

pub(super) fn arg_max(op: &Checked<'_>) -> Result<Lowered, OpError> {
	let (rows, cols) = (op.rows(), u64::from(input(op, 0)?.cols));
	let args = vec![Arg::Input(0), Arg::Output, Arg::U64(rows), Arg::U64(cols)];
	Ok(single("arg_max", grid::blocks(rows, [LANES, 1, 1], op.profile), args))
}
