//! Rows by number: batches, tables, labels, and sums of rows by id.

use assay_program::philox::Key;

use super::{by_type, input, single, Checked};
use crate::{
	grid,
	launch::{Arg, Launch, Lowered},
	OpError,
};

pub(super) fn gather_batch(op: &Checked<'_>, stream: u32) -> Result<Lowered, OpError> {
	let Key([key0, key1]) = Key::batch(op.seed);
	let (rows, cols) = (op.rows(), op.cols());
	let args = vec![
		Arg::Input(0),
		Arg::U32(input(op, 0)?.rows),
		Arg::Output,
		op.flag(),
		Arg::U64(rows),
		Arg::U64(cols),
		Arg::U32(key0),
		Arg::U32(key1),
		Arg::U32(stream),
		Arg::Step,
	];
	let kernel = by_type(op, "gather_batch", "gather_batch_i8");
	Ok(single(kernel, grid::plane(rows, cols, op.profile), args))
}

pub(super) fn next_batch(op: &Checked<'_>) -> Result<Lowered, OpError> {
	let (rows, cols) = (op.rows(), op.cols());
	let data_rows = Arg::U64(input(op, 0)?.rows.into());
	let args = vec![Arg::Input(0), data_rows, Arg::Output, op.flag(), Arg::U64(rows), Arg::U64(cols), Arg::Step];
	let kernel = by_type(op, "next_batch", "next_batch_i8");
	Ok(single(kernel, grid::plane(rows, cols, op.profile), args))
}

pub(super) fn one_hot(op: &Checked<'_>) -> Lowered {
	let (rows, cols) = (op.rows(), op.cols());
	let args = vec![Arg::Input(0), Arg::Output, Arg::U64(rows), Arg::U64(cols)];
	single("one_hot", grid::plane(rows, cols, op.profile), args)
}

pub(super) fn lookup(op: &Checked<'_>) -> Result<Lowered, OpError> {
	let (rows, cols) = (op.rows(), op.cols());
	let table = Arg::U32(input(op, 0)?.rows);
	let args = vec![Arg::Input(0), table, Arg::Input(1), Arg::Output, op.flag(), Arg::U64(rows), Arg::U64(cols)];
	Ok(single("lookup", grid::plane(rows, cols, op.profile), args))
}

/// Scratch 0 is the first row of each id, scratch 1 the next row of each row.
pub(super) fn scatter(op: &Checked<'_>) -> Result<Lowered, OpError> {
	const THREADS: u32 = 256;
	let (rows, cols, count) = (op.rows(), op.cols(), input(op, 0)?.rows);
	let launch = |kernel, (grid, block), args| Launch { kernel, grid, block, args };
	let launches = vec![
		launch(
			"fill",
			grid::line(rows, THREADS, op.profile),
			vec![Arg::Scratch(0), Arg::U32(u32::MAX), Arg::U64(rows)],
		),
		launch(
			"scatter_links",
			grid::line(u64::from(count), THREADS, op.profile),
			vec![Arg::Input(0), Arg::U32(count), Arg::Scratch(0), Arg::Scratch(1), Arg::U32(op.output.rows)],
		),
		launch(
			"scatter_sum",
			grid::plane(rows, cols, op.profile),
			vec![
				Arg::Scratch(0),
				Arg::Scratch(1),
				Arg::Input(1),
				Arg::Output,
				op.flag(),
				Arg::U64(rows),
				Arg::U64(cols),
			],
		),
	];
	Ok(Lowered { launches, scratch: vec![rows, u64::from(count)] })
}
