//! Canonical bytes of a tensor.
//!
//! A tensor is a matrix `[rows, cols]` of 4-byte elements. A matrix with more than one row is cut into 32x32 tiles,
//! tiles row-major over the grid and elements row-major inside the tile. One row is a vector: elements in order, in
//! runs of 1024. Both are zero padded to whole tiles or runs (4 KiB). A chunk is a quarter of that: 8 rows x 32 columns,
//! or 256 consecutive elements; it is one BLAKE3 chunk and the unit of dispute.

use alloc::{vec, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Bytes of a chunk.
pub const CHUNK_BYTES: usize = 1024;
/// Elements of a chunk.
pub const CHUNK_ELEMENTS: u32 = 256;
/// Rows of a matrix that one chunk covers.
pub const CHUNK_ROWS: u32 = 8;
/// Rows and columns of a tile.
pub const TILE_SIDE: u32 = 32;
/// Elements of a tile, and of a run of a vector.
pub const TILE_ELEMENTS: u32 = 1024;
/// Bytes of a tile, and of a run of a vector.
pub const TILE_BYTES: usize = 4096;
/// Chunks of a tile, and of a run of a vector.
pub const TILE_CHUNKS: u32 = 4;

/// Type of the elements. Each takes 4 bytes, little endian.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum DType {
	/// IEEE 754 binary32, by its bits.
	F32,
	/// Two's complement.
	I32,
}

/// Why a shape, or data claimed to have it, has no canonical form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum LayoutError {
	/// Rows or columns are zero: a tensor has at least one element.
	Empty,
	/// The canonical form has more chunks than 32 bits can number, or more bytes than this machine can address.
	TooLarge,
	/// The number of elements or bytes is not the one of the shape.
	Length,
	/// A slot outside the shape is not zero.
	Padding,
}

impl core::fmt::Display for LayoutError {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str(match self {
			LayoutError::Empty => "the shape has no elements; rows and columns must be at least 1",
			LayoutError::TooLarge => "the tensor is too large; split it so that it has fewer than 2^32 chunks",
			LayoutError::Length => "the data does not have the length of the shape",
			LayoutError::Padding => "padding is not zero; write zeros to all slots outside the shape",
		})
	}
}

impl core::error::Error for LayoutError {}

/// The part of a matrix that a chunk holds, clipped to the shape. `rows` or `cols` is 0 where the chunk is padding only.
///
/// Element `(r, c)` of the region is in slot `(r - row0) * 32 + (c - col0)` of the chunk; of a vector, `c - col0`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
	/// First row.
	pub row0: u32,
	/// Number of rows.
	pub rows: u32,
	/// First column.
	pub col0: u32,
	/// Number of columns.
	pub cols: u32,
}

/// Where the elements of a `[rows, cols]` tensor are in its canonical bytes. Its chunks can be numbered with 32 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
	rows: u32,
	cols: u32,
	tiles: u32,
}

impl Layout {
	/// The layout of a shape. Both sides must be at least 1 and the chunks fewer than 2^32.
	pub fn new(rows: u32, cols: u32) -> Result<Self, LayoutError> {
		if rows == 0 || cols == 0 {
			return Err(LayoutError::Empty);
		}
		let tiles = if rows == 1 {
			u64::from(cols.div_ceil(TILE_ELEMENTS))
		} else {
			u64::from(rows.div_ceil(TILE_SIDE)) * u64::from(cols.div_ceil(TILE_SIDE))
		};
		let tiles = u32::try_from(tiles).map_err(|_| LayoutError::TooLarge)?;
		tiles.checked_mul(TILE_CHUNKS).ok_or(LayoutError::TooLarge)?;
		Ok(Self { rows, cols, tiles })
	}

	/// Rows of the tensor.
	pub fn rows(&self) -> u32 {
		self.rows
	}

	/// Columns of the tensor.
	pub fn cols(&self) -> u32 {
		self.cols
	}

	/// Whether the elements are stored in order (one row).
	pub fn is_vector(&self) -> bool {
		self.rows == 1
	}

	/// Elements, without padding.
	pub fn elements(&self) -> u64 {
		u64::from(self.rows) * u64::from(self.cols)
	}

	/// Tiles, or runs of a vector.
	pub fn tiles(&self) -> u32 {
		self.tiles
	}

	/// Chunks: leaves of the tensor's BLAKE3 tree, at least 4.
	pub fn chunks(&self) -> u32 {
		self.tiles * TILE_CHUNKS
	}

	/// Bytes of the canonical form, padding included.
	pub fn byte_len(&self) -> u64 {
		u64::from(self.tiles) * TILE_BYTES as u64
	}

	/// Chunk and slot in it (0..256) of an element. `None` outside the shape.
	pub fn slot_of(&self, row: u32, col: u32) -> Option<(u32, u32)> {
		if row >= self.rows || col >= self.cols {
			return None;
		}
		if self.is_vector() {
			return Some((col / CHUNK_ELEMENTS, col % CHUNK_ELEMENTS));
		}
		let tile = (row / TILE_SIDE) * self.grid_cols() + col / TILE_SIDE;
		let chunk = tile * TILE_CHUNKS + row % TILE_SIDE / CHUNK_ROWS;
		Some((chunk, row % CHUNK_ROWS * TILE_SIDE + col % TILE_SIDE))
	}

	/// Chunk of an element. `None` outside the shape.
	pub fn chunk_of(&self, row: u32, col: u32) -> Option<u32> {
		self.slot_of(row, col).map(|(chunk, _)| chunk)
	}

	/// Row and column of slot `slot` (0..256) of a chunk. `None` for padding and outside the tensor.
	pub fn element_of(&self, chunk: u32, slot: u32) -> Option<(u32, u32)> {
		let (row0, col0) = self.origin(chunk)?;
		if slot >= CHUNK_ELEMENTS {
			return None;
		}
		// Wide, since the padding of the largest shapes lies beyond 32 bits.
		let (row, col) = if self.is_vector() {
			(row0, col0 + u64::from(slot))
		} else {
			(row0 + u64::from(slot / TILE_SIDE), col0 + u64::from(slot % TILE_SIDE))
		};
		let (row, col) = (u32::try_from(row).ok()?, u32::try_from(col).ok()?);
		(row < self.rows && col < self.cols).then_some((row, col))
	}

	/// The elements that a chunk holds. `None` if the tensor has no such chunk.
	pub fn chunk_region(&self, chunk: u32) -> Option<Region> {
		let (row0, col0) = self.origin(chunk)?;
		let (height, width) = if self.is_vector() { (1, CHUNK_ELEMENTS) } else { (CHUNK_ROWS, TILE_SIDE) };
		let clip = |origin: u64, extent: u32, end: u32| -> (u32, u32) {
			let left = u64::from(end).saturating_sub(origin).min(u64::from(extent));
			// Both fit: `left` is at most `extent`, and an origin past `end` is replaced by it.
			(origin.min(u64::from(end)) as u32, left as u32)
		};
		let (row0, rows) = clip(row0, height, self.rows);
		let (col0, cols) = clip(col0, width, self.cols);
		Some(Region { row0, rows, col0, cols })
	}

	/// Canonical bytes of row-major element bits.
	pub fn to_canonical(&self, elements: &[u32]) -> Result<Vec<u8>, LayoutError> {
		self.check_elements(elements)?;
		let mut bytes = vec![0u8; self.byte_len_usize()?];
		self.for_each_span(elements.len(), |element, byte, len| {
			let target = bytes.get_mut(byte..byte + 4 * len)?;
			for (slot, bits) in target.chunks_exact_mut(4).zip(elements.get(element..element + len)?) {
				slot.copy_from_slice(&bits.to_le_bytes());
			}
			Some(())
		})?;
		Ok(bytes)
	}

	/// Row-major element bits of canonical bytes. Rejects bytes of another length and padding that is not zero.
	pub fn from_canonical(&self, bytes: &[u8]) -> Result<Vec<u32>, LayoutError> {
		if bytes.len() as u64 != self.byte_len() {
			return Err(LayoutError::Length);
		}
		// At most a quarter of `bytes.len()`, which is in memory.
		let count = usize::try_from(self.elements()).map_err(|_| LayoutError::TooLarge)?;
		let mut elements = vec![0u32; count];
		let mut inside = 0u64;
		self.for_each_span(count, |element, byte, len| {
			let source = bytes.get(byte..byte + 4 * len)?;
			for (bits, slot) in elements.get_mut(element..element + len)?.iter_mut().zip(source.chunks_exact(4)) {
				*bits = u32::from_le_bytes(slot.try_into().ok()?);
				inside += u64::from(*bits != 0);
			}
			Some(())
		})?;
		let total = bytes.chunks_exact(4).filter(|slot| *slot != [0; 4]).count() as u64;
		if total != inside {
			return Err(LayoutError::Padding);
		}
		Ok(elements)
	}

	/// Canonical bytes of one chunk of row-major element bits.
	pub fn chunk_bytes(&self, elements: &[u32], chunk: u32) -> Result<[u8; CHUNK_BYTES], LayoutError> {
		self.check_elements(elements)?;
		let region = self.chunk_region(chunk).ok_or(LayoutError::Length)?;
		let mut bytes = [0u8; CHUNK_BYTES];
		let line_bytes = if self.is_vector() { CHUNK_BYTES } else { 4 * TILE_SIDE as usize };
		for (line, row) in bytes.chunks_exact_mut(line_bytes).zip(region.row0..region.row0 + region.rows) {
			// Within `elements`: the region is clipped to the shape.
			let start = row as usize * self.cols as usize + region.col0 as usize;
			let source = elements.get(start..start + region.cols as usize).ok_or(LayoutError::Length)?;
			for (slot, bits) in line.chunks_exact_mut(4).zip(source) {
				slot.copy_from_slice(&bits.to_le_bytes());
			}
		}
		Ok(bytes)
	}

	/// Tiles across, of a matrix.
	fn grid_cols(&self) -> u32 {
		self.cols.div_ceil(TILE_SIDE)
	}

	/// Row and column of slot 0 of a chunk, which may itself be padding.
	fn origin(&self, chunk: u32) -> Option<(u64, u64)> {
		if chunk >= self.chunks() {
			return None;
		}
		if self.is_vector() {
			return Some((0, u64::from(chunk) * u64::from(CHUNK_ELEMENTS)));
		}
		let (tile, quarter) = (chunk / TILE_CHUNKS, chunk % TILE_CHUNKS);
		let row = u64::from(tile / self.grid_cols()) * u64::from(TILE_SIDE) + u64::from(quarter * CHUNK_ROWS);
		Some((row, u64::from(tile % self.grid_cols()) * u64::from(TILE_SIDE)))
	}

	/// Bytes of the canonical form if one allocation can hold them.
	fn byte_len_usize(&self) -> Result<usize, LayoutError> {
		isize::try_from(self.byte_len()).map(isize::unsigned_abs).map_err(|_| LayoutError::TooLarge)
	}

	fn check_elements(&self, elements: &[u32]) -> Result<(), LayoutError> {
		if elements.len() as u64 == self.elements() {
			Ok(())
		} else {
			Err(LayoutError::Length)
		}
	}

	/// Calls `visit(first element, first byte, elements)` for each span contiguous in both forms, in row-major order.
	/// The caller has `count` elements, all of them, and as many canonical bytes in memory.
	fn for_each_span(
		&self,
		count: usize,
		mut visit: impl FnMut(usize, usize, usize) -> Option<()>,
	) -> Result<(), LayoutError> {
		if self.is_vector() {
			return visit(0, 0, count).ok_or(LayoutError::Length);
		}
		let (cols, side, grid) = (self.cols as usize, TILE_SIDE as usize, self.grid_cols() as usize);
		for row in 0..self.rows as usize {
			for tile_col in 0..grid {
				let tile = row / side * grid + tile_col;
				let col = tile_col * side;
				let byte = tile * TILE_BYTES + row % side * side * 4;
				visit(row * cols + col, byte, side.min(cols - col)).ok_or(LayoutError::Length)?;
			}
		}
		Ok(())
	}
}
