//! A rectangle of an operand, gathered from opened chunks.

use alloc::{vec, vec::Vec};
use assay_commitment::{
	layout::{CHUNK_BYTES, TILE_CHUNKS},
	Layout, Region,
};
use assay_program::{InputChunk, InputRegion, OpGeometry};

/// The elements of a rectangle, row-major.
pub(crate) struct Patch {
	/// Input position.
	pub(crate) operand: u8,
	region: Region,
	bits: Vec<u32>,
}

impl Patch {
	/// Gathers `input` from the next of `chunks`, the bytes of the runs that cover it. `None` if one is missing or has
	/// another length than its run.
	pub(crate) fn gather<'a>(
		geometry: &OpGeometry,
		input: &InputRegion,
		chunks: &mut impl Iterator<Item = &'a [u8]>,
	) -> Option<Patch> {
		let layout = geometry.input_layout(input.operand)?;
		let elements = input.region.rows as usize * input.region.cols as usize;
		let mut patch = Patch { operand: input.operand, region: input.region, bits: vec![0; elements] };
		for run in geometry.cover(input) {
			let bytes = chunks.next().filter(|bytes| bytes.len() == CHUNK_BYTES << run.log2)?;
			patch.copy(&layout, &run, bytes)?;
		}
		Some(patch)
	}

	/// Copies the part of the rectangle that a run holds.
	fn copy(&mut self, layout: &Layout, run: &InputChunk, bytes: &[u8]) -> Option<()> {
		let tile = run.start / TILE_CHUNKS;
		let skipped = run.start % TILE_CHUNKS * layout.chunk_elements();
		let held = layout.chunk_elements() << run.log2;
		let (side, size) = (layout.tile_side(), layout.element_bytes() as usize);
		let Region { row0, rows, col0, cols } = self.region;
		let (tile_row0, tile_col0, height, width) = if layout.is_vector() {
			(0, tile * layout.tile_elements(), 1, layout.tile_elements())
		} else {
			let grid_cols = layout.cols().div_ceil(side);
			(tile / grid_cols * side, tile % grid_cols * side, side, side)
		};
		for in_row in 0..height {
			// The row's elements in the tile, clipped to what the run holds and then to the rectangle.
			let row = tile_row0.checked_add(in_row)?;
			if row < row0 || row - row0 >= rows {
				continue;
			}
			let line = in_row * width;
			let first = tile_col0.checked_add(skipped.saturating_sub(line))?.max(col0);
			let last = u64::from(tile_col0) + u64::from(width.min((skipped + held).saturating_sub(line)));
			let last = last.min(u64::from(col0) + u64::from(cols)) as u32;
			if first >= last {
				continue;
			}
			let from = ((line + (first - tile_col0)) - skipped) as usize * size;
			let source = bytes.get(from..from + (last - first) as usize * size)?;
			let to = (row - row0) as usize * cols as usize + (first - col0) as usize;
			let target = self.bits.get_mut(to..to + (last - first) as usize)?;
			layout.read(source, target);
		}
		Some(())
	}

	/// The element at a row and column of the operand, which the rectangle holds.
	pub(crate) fn at(&self, row: u32, col: u32) -> u32 {
		let index = u64::from(row.wrapping_sub(self.region.row0)) * u64::from(self.region.cols)
			+ u64::from(col.wrapping_sub(self.region.col0));
		usize::try_from(index).ok().and_then(|index| self.bits.get(index)).copied().unwrap_or(0)
	}

	/// The element at a row and column of the operand, if the rectangle holds it.
	pub(crate) fn get(&self, row: u32, col: u32) -> Option<u32> {
		let (in_row, in_col) = (row.checked_sub(self.region.row0)?, col.checked_sub(self.region.col0)?);
		let inside = in_row < self.region.rows && in_col < self.region.cols;
		inside.then(|| self.at(row, col))
	}

	/// All elements, row-major.
	pub(crate) fn bits(&self) -> &[u32] {
		&self.bits
	}

	/// The rectangle.
	pub(crate) fn region(&self) -> Region {
		self.region
	}
}
