//! Matrix products.

use super::{input, Checked};
use crate::{
	grid,
	launch::{Arg, Launch, Lowered},
	OpError,
};

/// Inner elements of one fma chain: part of the numerics contract.
const SEGMENT: u64 = 512;
/// Sides of the output tiles that there are kernels for.
const LARGE: u64 = 128;
const SMALL: u64 = 64;
/// Threads of a block.
const THREADS: u32 = 256;
/// Most scratch words that a split product takes: 256 MiB.
const MAX_SPLIT: u64 = 1 << 26;

/// `blocks` products; `share` consecutive ones read the same block of the second operand.
pub(super) fn lower(
	op: &Checked<'_>,
	trans_a: bool,
	trans_b: bool,
	blocks: u32,
	share: u32,
) -> Result<Lowered, OpError> {
	let (a, blocks, share) = (input(op, 0)?, u64::from(blocks), u64::from(share));
	let divided = |rows: u32| u64::from(rows).checked_div(blocks).ok_or(OpError::Shape("a product of no blocks"));
	let (m, n) = (divided(op.output.rows)?, op.cols());
	let k = if trans_a { divided(a.rows)? } else { u64::from(a.cols) };
	let segments = k.div_ceil(SEGMENT);
	let processors = u64::from(op.profile.multiprocessors.max(1));

	let tiles = |side: u64| m.div_ceil(side).saturating_mul(n.div_ceil(side)).saturating_mul(blocks);
	// Large tiles read less memory per product; small ones, and then segments of their own, keep every processor busy.
	let large = m > SMALL && n > SMALL && tiles(LARGE).saturating_mul(segments) >= processors;
	let tiles = tiles(if large { LARGE } else { SMALL });
	let parts = op.output.elements().saturating_mul(segments);
	let split = segments > 1 && tiles < processors && parts <= MAX_SPLIT;

	let kernel = match (large, trans_a, trans_b) {
		(true, false, false) => "matmul_large_nn",
		(true, false, true) => "matmul_large_nt",
		(true, true, false) => "matmul_large_tn",
		(true, true, true) => "matmul_large_tt",
		(false, false, false) => "matmul_small_nn",
		(false, false, true) => "matmul_small_nt",
		(false, true, false) => "matmul_small_tn",
		(false, true, true) => "matmul_small_tt",
	};
	let launch = |out, flag, segments: u64| {
		let tasks = u32::try_from(tiles.saturating_mul(segments)).ok().filter(|tasks| *tasks <= i32::MAX as u32);
		let tasks = tasks.ok_or(OpError::Shape("the product has more tiles than one launch takes"))?;
		// All are extents of tensors, or divide one: they fit 32 bits.
		let numbers = [m, n, k, blocks, share, segments].map(|number| Arg::U32(number as u32));
		let args = [Arg::Input(0), Arg::Input(1), out, flag].into_iter().chain(numbers).collect();
		Ok::<_, OpError>(Launch { kernel, grid: [tasks, 1, 1], block: [THREADS, 1, 1], args })
	};
	if !split {
		return Ok(Lowered { launches: vec![launch(Arg::Output, Arg::Flag, 1)?], scratch: Vec::new() });
	}
	let fold = fold("sum_fold", op, op.output.elements(), 1, segments);
	Ok(Lowered { launches: vec![launch(Arg::Scratch(0), Arg::Null, segments)?, fold], scratch: vec![parts] })
}

/// Joins `count` parts of every output element, which lie in scratch memory 0.
pub(super) fn fold(kernel: &'static str, op: &Checked<'_>, part_stride: u64, item_stride: u64, count: u64) -> Launch {
	let elements = op.output.elements();
	let (grid, block) = grid::line(elements, THREADS, op.profile);
	let strides = [part_stride, item_stride, count].map(Arg::U64);
	let args =
		[Arg::Scratch(0)].into_iter().chain(strides).chain([Arg::Output, Arg::Flag, Arg::U64(elements)]).collect();
	Launch { kernel, grid, block, args }
}
