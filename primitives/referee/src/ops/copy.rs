//! Ops that only copy: columns, flattening, other shapes, heads.

use crate::patch::Patch;
use alloc::vec::Vec;
use assay_commitment::Region;
use assay_program::{OpGeometry, OpKind};

/// The elements of the region, row-major, from the rectangles they come from. `None` for kinds that are no copies.
pub(crate) fn elements(geometry: &OpGeometry, out: &Region, patches: &[Patch]) -> Option<Vec<u32>> {
	let input = geometry.inputs().first()?.spec()?;
	let mut elements = Vec::with_capacity(out.rows as usize * out.cols as usize);
	for row in out.row0..out.row0 + out.rows {
		for col in out.col0..out.col0 + out.cols {
			let source = match geometry.kind() {
				OpKind::Columns { first } => Some((row, first.checked_add(col)?)),
				OpKind::PadColumns { first } => {
					col.checked_sub(first).filter(|col| *col < input.cols).map(|col| (row, col))
				}
				OpKind::Flatten => Some((row.checked_div(input.cols)?, row.checked_rem(input.cols)?)),
				OpKind::Reshape => {
					let element = u64::from(row) * u64::from(geometry.output().cols) + u64::from(col);
					let row = u32::try_from(element.checked_div(input.cols.into())?).ok()?;
					Some((row, element.checked_rem(input.cols.into())? as u32))
				}
				OpKind::SplitHeads { rows, heads } => {
					let (block, position) = (row.checked_div(rows)?, row.checked_rem(rows)?);
					let (sequence, head) = (block.checked_div(heads)?, block.checked_rem(heads)?);
					let width = input.cols.checked_div(heads)?;
					Some((
						sequence.checked_mul(rows)?.checked_add(position)?,
						head.checked_mul(width)?.checked_add(col)?,
					))
				}
				OpKind::MergeHeads { rows, heads } => {
					let (sequence, position) = (row.checked_div(rows)?, row.checked_rem(rows)?);
					let (head, col) = (col.checked_div(input.cols)?, col.checked_rem(input.cols)?);
					let block = sequence.checked_mul(heads)?.checked_add(head)?;
					Some((block.checked_mul(rows)?.checked_add(position)?, col))
				}
				_ => return None,
			};
			elements.push(match source {
				Some((row, col)) => patches.iter().find_map(|patch| patch.get(row, col))?,
				None => 0,
			});
		}
	}
	Some(elements)
}
