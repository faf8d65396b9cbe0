//! The root of a tensor, hashed where it lies.

use assay_commitment::Layout;
use assay_program::{DType, TensorSpec};

use crate::{
	error::OpError,
	grid,
	launch::{Arg, Launch, Lowered, Profile},
};

/// Nodes that one block joins to one.
const GROUP: u64 = 512;
const JOINERS: u32 = 256;
const HASHERS: u32 = 128;
/// Words of a node.
const NODE: u64 = 8;

/// Input 0 is the tensor, output the 8 words of its root. Scratch 0 holds the chunks' values and every other level.
pub(crate) fn lower_root(spec: &TensorSpec, profile: &Profile) -> Result<Lowered, OpError> {
	let layout =
		Layout::new(spec.dtype, spec.rows, spec.cols).map_err(|_| OpError::Shape("no tensor has this shape"))?;
	let chunks = u64::from(layout.chunks());
	let grid_cols = if layout.is_vector() { 0 } else { u64::from(spec.cols.div_ceil(layout.tile_side())) };
	let (grid, block) = grid::line(chunks, HASHERS, profile);
	let args = vec![
		Arg::Input(0),
		Arg::U64(u64::from(spec.rows)),
		Arg::U64(u64::from(spec.cols)),
		Arg::U64(grid_cols),
		Arg::Scratch(0),
		Arg::U64(chunks),
	];
	let kernel = match spec.dtype {
		DType::F32 | DType::I32 => "chunk_cvs",
		DType::I8 => "chunk_cvs_i8",
	};
	let mut launches = vec![Launch { kernel, grid, block, args }];
	let (mut count, mut from, mut to) = (chunks, 0, 1);
	loop {
		let groups = count.div_ceil(GROUP);
		let (grid, block) = grid::blocks(groups, [JOINERS, 1, 1], profile);
		let target = if groups == 1 { Arg::Output } else { Arg::Scratch(to) };
		let args = vec![Arg::Scratch(from), target, Arg::U64(count)];
		launches.push(Launch { kernel: "join_cvs", grid, block, args });
		if groups == 1 {
			break;
		}
		(count, from, to) = (groups, to, from);
	}
	Ok(Lowered { launches, scratch: vec![chunks * NODE, chunks.div_ceil(GROUP) * NODE] })
}
