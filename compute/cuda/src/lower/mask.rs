//! Elements kept or replaced by position.

use assay_program::philox::Key;

use super::{single, Checked};
use crate::{
	grid,
	launch::{Arg, Lowered},
};

pub(super) fn causal(op: &Checked<'_>, positions: u32, offset: u32, fill: u32) -> Lowered {
	let (rows, cols) = (op.rows(), op.cols());
	let args = vec![
		Arg::Input(0),
		Arg::U64(u64::from(positions)),
		Arg::U64(u64::from(offset)),
		Arg::U32(fill),
		Arg::Output,
		op.flag(),
		Arg::U64(rows),
		Arg::U64(cols),
	];
	single("causal", grid::plane(rows, cols, op.profile), args)
}

pub(super) fn dropout(op: &Checked<'_>, stream: u32, keep: u32, scale: u32) -> Lowered {
	let Key([key0, key1]) = Key::dropout(op.seed);
	let elements = op.output.elements();
	let args = vec![
		Arg::Input(0),
		Arg::U32(key0),
		Arg::U32(key1),
		Arg::U32(stream),
		Arg::Step,
		Arg::U32(keep),
		Arg::U32(scale),
		Arg::Output,
		op.flag(),
		Arg::U64(elements),
	];
	single("dropout", grid::line(elements.div_ceil(4), 256, op.profile), args)
}
