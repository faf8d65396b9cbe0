//! Ops that only copy: which rectangles of the input an output rectangle comes from.

use crate::{OpKind, TensorSpec};
use alloc::vec::Vec;
use assay_commitment::Region;

/// The rectangles of the input that hold the elements of `out`, not empty, where the output has `cols` columns. Rectangles
/// follow the output's rows, then its columns. `None` for kinds that are no copies, or attributes that do not fit the shape.
pub(crate) fn sources(kind: OpKind, input: TensorSpec, cols: u32, out: &Region) -> Option<Vec<Region>> {
	let mut regions = Vec::new();
	match kind {
		OpKind::Columns { first } => regions.push(Region { col0: out.col0.checked_add(first)?, ..*out }),
		OpKind::PadColumns { first } => {
			let (begin, end) =
				(out.col0.max(first), out.col0.checked_add(out.cols)?.min(first.checked_add(input.cols)?));
			if begin < end {
				regions.push(Region { col0: begin - first, cols: end - begin, ..*out });
			}
		}
		OpKind::Flatten => {
			let end = out.row0.checked_add(out.rows)?;
			let mut at = out.row0;
			while at < end {
				let (row, col) = (at.checked_div(input.cols)?, at.checked_rem(input.cols)?);
				let len = (end - at).min(input.cols - col);
				regions.push(Region { row0: row, rows: 1, col0: col, cols: len });
				at += len;
			}
		}
		OpKind::Reshape => {
			for row in out.row0..out.row0.checked_add(out.rows)? {
				let first = u64::from(row) * u64::from(cols) + u64::from(out.col0);
				stretch(input.cols, first, out.cols, &mut regions)?;
			}
		}
		OpKind::SplitHeads { rows, heads } => {
			let width = input.cols.checked_div(heads)?;
			for (block, position, len) in stretches(out, rows)? {
				let (sequence, head) = (block.checked_div(heads)?, block.checked_rem(heads)?);
				let row0 = sequence.checked_mul(rows)?.checked_add(position)?;
				let col0 = head.checked_mul(width)?.checked_add(out.col0)?;
				regions.push(Region { row0, rows: len, col0, cols: out.cols });
			}
		}
		OpKind::MergeHeads { rows, heads } => {
			for (sequence, position, len) in stretches(out, rows)? {
				let end = out.col0.checked_add(out.cols)?;
				let mut at = out.col0;
				while at < end {
					let (head, col) = (at.checked_div(input.cols)?, at.checked_rem(input.cols)?);
					let cols = (end - at).min(input.cols - col);
					let block = sequence.checked_mul(heads)?.checked_add(head)?;
					let row0 = block.checked_mul(rows)?.checked_add(position)?;
					regions.push(Region { row0, rows: len, col0: col, cols });
					at += cols;
				}
			}
		}
		_ => return None,
	}
	Some(regions)
}

/// The rectangles that hold `len` elements in row-major order, at least 1, of a matrix of `cols` columns: the rest of a row,
/// whole rows, the beginning of a row.
fn stretch(cols: u32, first: u64, len: u32, regions: &mut Vec<Region>) -> Option<()> {
	let row = u32::try_from(first.checked_div(cols.into())?).ok()?;
	let col = first.checked_rem(cols.into())? as u32;
	let head = len.min(cols - col);
	let (mut row, mut rest) = (row, len);
	if head < cols {
		regions.push(Region { row0: row, rows: 1, col0: col, cols: head });
		(row, rest) = (row.checked_add(1)?, len - head);
	}
	let whole = rest.checked_div(cols)?;
	if whole > 0 {
		regions.push(Region { row0: row, rows: whole, col0: 0, cols });
		rest -= whole * cols;
	}
	if rest > 0 {
		regions.push(Region { row0: row.checked_add(whole)?, rows: 1, col0: 0, cols: rest });
	}
	Some(())
}

/// The rows of a rectangle by blocks of `height`: block, first row within it, number.
fn stretches(out: &Region, height: u32) -> Option<Vec<(u32, u32, u32)>> {
	let end = out.row0.checked_add(out.rows)?;
	let mut stretches = Vec::new();
	let mut at = out.row0;
	while at < end {
		let (block, first) = (at.checked_div(height)?, at.checked_rem(height)?);
		let len = (end - at).min(height - first);
		stretches.push((block, first, len));
		at += len;
	}
	Some(stretches)
}
