//! Products of 8-bit integers, on tensor cores where the device has them for bytes. The sums are exact: both ways give the
//! same bits.
//!
//! Both operands are packed first: four elements to a word, the words in the order in which the product reads them.

use super::{input, Checked};
use crate::{
	grid,
	launch::{Arg, Launch, Lowered},
	OpError,
};

/// Sides of the output tiles that there are kernels for.
const LARGE: u64 = 128;
const SMALL: u64 = 64;
/// Words of the inner dimension, of four elements each, that a tile takes at once: of the kernels for tensor cores, two steps.
const DEPTH: u64 = 8;
const STEP: u64 = 8;
const STEPS: u64 = 2;
const BYTES: u64 = 4;
/// Fewest words of the inner dimension that are worth a part of their own.
const MIN_PART: u64 = 64;
/// Threads of a block.
const THREADS: u32 = 256;
/// Most scratch words that a split product takes: 256 MiB.
const MAX_SPLIT: u64 = 1 << 26;

/// Scratch 0 and 1 are the packed operands, scratch 2 the sums of the parts that the inner dimension is cut into, if it is.
pub(super) fn lower(op: &Checked<'_>, trans_a: bool, trans_b: bool) -> Result<Lowered, OpError> {
	let (m, n, a) = (op.rows(), op.cols(), input(op, 0)?);
	let inner = u64::from(if trans_a { a.rows } else { a.cols });
	let at_once = if op.profile.int8_tiles { STEP * STEPS } else { DEPTH };
	let depth = inner.div_ceil(BYTES).next_multiple_of(at_once);
	let processors = u64::from(op.profile.multiprocessors.max(1));
	let tiles = |side: u64| m.div_ceil(side).saturating_mul(n.div_ceil(side));
	// Large tiles read less memory per product; small ones, and then parts, keep every processor busy.
	let large = m > SMALL && n > SMALL && tiles(LARGE) >= processors;
	let (kernel, side) = match (large, op.profile.int8_tiles) {
		(true, false) => ("matmul_i8_large", LARGE),
		(false, false) => ("matmul_i8_small", SMALL),
		(true, true) => ("mma_i8_large", LARGE),
		(false, true) => ("mma_i8_small", SMALL),
	};
	let tiles = tiles(side);
	let (padded_m, padded_n) = (m.next_multiple_of(side), n.next_multiple_of(side));

	let wanted = processors.checked_div(tiles).unwrap_or(1).clamp(1, depth.div_ceil(MIN_PART));
	let per_part = depth.div_ceil(wanted).next_multiple_of(at_once);
	let (parts, elements) = (depth.div_ceil(per_part), op.output.elements());
	let fits = elements.saturating_mul(parts) <= MAX_SPLIT;
	let (parts, per_part) = if fits { (parts, per_part) } else { (1, depth) };

	let small =
		|number: u64| u32::try_from(number).map_err(|_| OpError::Shape("the product is larger than a device takes"));
	let blocks = tiles.checked_mul(parts).filter(|blocks| *blocks <= i32::MAX as u64);
	let blocks = small(blocks.unwrap_or(u64::MAX))?;
	let (_, _) = (small(padded_m)?, small(padded_n)?);
	let target = if parts == 1 { Arg::Output } else { Arg::Scratch(2) };
	let numbers = [small(m)?, small(n)?, small(depth)?, small(per_part)?].map(Arg::U32);
	let args = [Arg::Scratch(0), Arg::Scratch(1), target].into_iter().chain(numbers).collect();
	let product = Launch { kernel, grid: [blocks, 1, 1], block: [THREADS, 1, 1], args };

	let mut launches = vec![
		pack(op, 0, !trans_a, (m, inner), (depth, padded_m)),
		pack(op, 1, trans_b, (n, inner), (depth, padded_n)),
		product,
	];
	let mut scratch = vec![depth.saturating_mul(padded_m), depth.saturating_mul(padded_n)];
	if parts > 1 {
		scratch.push(elements.saturating_mul(parts));
		let (grid, block) = grid::line(elements, THREADS, op.profile);
		let args = vec![Arg::Scratch(2), Arg::U64(parts), Arg::Output, Arg::U64(elements)];
		launches.push(Launch { kernel: "add_parts", grid, block, args });
	}
	Ok(Lowered { launches, scratch })
}

/// Packs operand `index` into the scratch memory of the same number: `depth` rows of `padded` words. `by_rows`: a line
/// along the inner dimension is contiguous.
fn pack(op: &Checked<'_>, index: u8, by_rows: bool, (outer, inner): (u64, u64), (depth, padded): (u64, u64)) -> Launch {
	/// Side of the tile that a block of threads turns.
	const TURNED: u64 = 32;
	let (input, numbers) = (Arg::Input(index), [outer, inner].map(Arg::U64));
	let target = [Arg::Scratch(index), Arg::U64(depth), Arg::U64(padded)];
	if op.profile.int8_tiles {
		let (across, along) = if by_rows { (inner, 1) } else { (1, outer) };
		let steps = depth / STEP;
		let (grid, block) = grid::plane(steps, padded * STEP, op.profile);
		let target = [Arg::Scratch(index), Arg::U64(steps), Arg::U64(padded)];
		let strides = [across, along].map(Arg::U64);
		let args = [input].into_iter().chain(strides).chain(numbers).chain(target).collect();
		return Launch { kernel: "pack_fragments", grid, block, args };
	}
	let (kernel, (grid, block)) = if by_rows {
		let tiles = depth.div_ceil(TURNED).saturating_mul(padded.div_ceil(TURNED));
		("pack_rows", grid::blocks(tiles, [32, 8, 1], op.profile))
	} else {
		("pack_columns", grid::plane(depth, padded, op.profile))
	};
	let args = [input].into_iter().chain(numbers).chain(target).collect();
	Launch { kernel, grid, block, args }
}
