//! Blocks of neighbours times a Hadamard matrix.

use assay_program::Axis;

use super::{single, Checked};
use crate::{
	grid,
	launch::{Arg, Lowered},
	OpError,
};

/// Threads of a block; a thread holds its block of numbers in registers, up to 32.
const THREADS: u32 = 128;

pub(super) fn lower(op: &Checked<'_>, log2: u8, axis: Axis) -> Result<Lowered, OpError> {
	let kernel = match log2 {
		1 => "hadamard_2",
		2 => "hadamard_4",
		3 => "hadamard_8",
		4 => "hadamard_16",
		5 => "hadamard_32",
		_ => return Err(OpError::Shape("a Hadamard matrix has a side of 2 to 32")),
	};
	// From one element of a block to the next.
	let step = match axis {
		Axis::Rows => op.cols(),
		Axis::Cols => 1,
	};
	let blocks = op.output.elements() >> log2;
	let args = vec![Arg::Input(0), Arg::U64(step), Arg::Output, op.flag(), Arg::U64(blocks)];
	Ok(single(kernel, grid::line(blocks, THREADS, op.profile), args))
}
