//! Elements kept, replaced or moved by position: causal masks, dropout and sampling noise.

use crate::patch::Patch;
use alloc::vec::Vec;
use assay_commitment::Region;
use assay_program::{philox::Key, StepContext};
use assay_softfloat::{functions, F32};

/// Elements of a causal mask over blocks of `rows` rows.
pub(crate) fn causal(rows: u32, offset: u32, fill: u32, out: &Region, x: &Patch) -> Vec<u32> {
	each(out, |row, col| {
		let last = u64::from(row.checked_rem(rows).unwrap_or(0)) + u64::from(offset);
		if u64::from(col) <= last {
			x.at(row, col)
		} else {
			fill
		}
	})
}

/// What a dropout depends on besides its input.
pub(crate) struct Dropout {
	pub(crate) stream: u32,
	pub(crate) keep: u32,
	pub(crate) scale: u32,
	/// Columns of the whole tensor.
	pub(crate) cols: u32,
}

/// Elements of a dropout.
pub(crate) fn dropout(dropout: &Dropout, context: &StepContext, out: &Region, x: &Patch) -> Vec<u32> {
	let key = Key::dropout(&context.seed);
	each(out, |row, col| {
		let element = u64::from(row) * u64::from(dropout.cols) + u64::from(col);
		if key.draw_of_quad(dropout.stream, context.step, element) < dropout.keep {
			F32(x.at(row, col)).mul(F32(dropout.scale)).0
		} else {
			0
		}
	})
}

/// Elements with Gumbel noise added, of a tensor of `cols` columns.
pub(crate) fn gumbel(stream: u32, cols: u32, context: &StepContext, out: &Region, x: &Patch) -> Vec<u32> {
	let key = Key::gumbel(&context.seed);
	each(out, |row, col| {
		let element = u64::from(row) * u64::from(cols) + u64::from(col);
		let word = key.draw_of_quad(stream, context.step, element);
		F32(x.at(row, col)).add(functions::gumbel(word)).0
	})
}

fn each(out: &Region, element: impl Fn(u32, u32) -> u32) -> Vec<u32> {
	let rows = out.row0..out.row0 + out.rows;
	rows.flat_map(|row| (out.col0..out.col0 + out.cols).map(move |col| (row, col)))
		.map(|(row, col)| element(row, col))
		.collect()
}
