//! Canonical bytes of a tensor.
//!
//! A tensor is a matrix `[rows, cols]`. A matrix with more than one row is cut into square tiles of 4 KiB, tiles row-major
//! over the grid and elements row-major inside the tile. One row is a vector: elements in order, in runs of 4 KiB. Both
//! are zero padded to whole tiles or runs. A chunk is a quarter of that: a quarter of a tile's rows, or of a run; it is one
//! BLAKE3 chunk and the unit of dispute.
//!
//! | Element | Bytes | Tile | Chunk of a matrix | Run of a vector | Chunk of a vector |
//! |---|---|---|---|---|---|
//! | `F32`, `I32` | 4 | 32 x 32 | 8 rows x 32 columns | 1024 | 256 |
//! | `I8` | 1 | 64 x 64 | 16 rows x 64 columns | 4096 | 1024 |
//!
//! The elements that go in and come out are 32 bits each; an `I8` is sign-extended.

use alloc::{vec, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Bytes of a chunk.
pub const CHUNK_BYTES: usize = 1024;
/// Bytes of a tile, and of a run of a vector.
pub const TILE_BYTES: usize = 4096;
/// Chunks of a tile, and of a run of a vector.
pub const TILE_CHUNKS: u32 = 4;

/// Type of the elements, little endian.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum DType {
	/// IEEE 754 binary32, by its bits.
	F32,
	/// Two's complement, 4 bytes.
	I32,
	/// Two's complement, 1 byte.
	I8,
}

impl DType {
	/// Bytes of an element in the canonical form.
	pub const fn bytes(self) -> u32 {
		match self {
			DType::F32 | DType::I32 => 4,
			DType::I8 => 1,
		}
	}

	/// Whether 32 bits are an element of this type: any for the 4-byte types, a sign-extended byte for `I8`.
	pub const fn holds(self, bits: u32) -> bool {
		match self {
			DType::F32 | DType::I32 => true,
			DType::I8 => bits as u8 as i8 as u32 == bits,
		}
	}
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
	/// An element of an 8-bit tensor is not in `-128..=127`.
	Range,
}

impl core::fmt::Display for LayoutError {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str(match self {
			LayoutError::Empty => "the shape has no elements; rows and columns must be at least 1",
			LayoutError::TooLarge => "the tensor is too large; split it so that it has fewer than 2^32 chunks",
			LayoutError::Length => "the data does not have the length of the shape",
			LayoutError::Padding => "padding is not zero; write zeros to all slots outside the shape",
			LayoutError::Range => "an i8 element is not in -128..=127; give each sign-extended to 32 bits",
		})
	}
}

impl core::error::Error for LayoutError {}

/// The part of a matrix that a chunk holds, clipped to the shape. `rows` or `cols` is 0 where the chunk is padding only.
///
/// Element `(r, c)` of the region is in slot `(r - row0) * side + (c - col0)` of the chunk, `side` being the columns of a
/// tile; of a vector, in slot `c - col0`.
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
	dtype: DType,
	rows: u32,
	cols: u32,
	tiles: u32,
}

impl Layout {
	/// The layout of a shape. Both sides must be at least 1 and the chunks fewer than 2^32.
	pub fn new(dtype: DType, rows: u32, cols: u32) -> Result<Self, LayoutError> {
		if rows == 0 || cols == 0 {
			return Err(LayoutError::Empty);
		}
		let shape = Self { dtype, rows, cols, tiles: 0 };
		let tiles = if rows == 1 {
			u64::from(cols.div_ceil(shape.tile_elements()))
		} else {
			u64::from(rows.div_ceil(shape.tile_side())) * u64::from(cols.div_ceil(shape.tile_side()))
		};
		let tiles = u32::try_from(tiles).map_err(|_| LayoutError::TooLarge)?;
		tiles.checked_mul(TILE_CHUNKS).ok_or(LayoutError::TooLarge)?;
		Ok(Self { tiles, ..shape })
	}

	/// Type of the elements.
	pub fn dtype(&self) -> DType {
		self.dtype
	}

	/// Bytes of an element.
	pub fn element_bytes(&self) -> u32 {
		self.dtype.bytes()
	}

	/// Rows and columns of a tile.
	pub fn tile_side(&self) -> u32 {
		match self.dtype {
			DType::F32 | DType::I32 => 32,
			DType::I8 => 64,
		}
	}

	/// Elements of a tile, and of a run of a vector.
	pub fn tile_elements(&self) -> u32 {
		TILE_BYTES as u32 / self.element_bytes()
	}

	/// Rows of a matrix that one chunk covers.
	pub fn chunk_rows(&self) -> u32 {
		self.tile_side() / TILE_CHUNKS
	}

	/// Elements of a chunk.
	pub fn chunk_elements(&self) -> u32 {
		CHUNK_BYTES as u32 / self.element_bytes()
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

	/// Chunk and slot in it (0..[`Layout::chunk_elements`]) of an element. `None` outside the shape.
	pub fn slot_of(&self, row: u32, col: u32) -> Option<(u32, u32)> {
		if row >= self.rows || col >= self.cols {
			return None;
		}
		if self.is_vector() {
			return Some((col / self.chunk_elements(), col % self.chunk_elements()));
		}
		let (side, height) = (self.tile_side(), self.chunk_rows());
		let tile = (row / side) * self.grid_cols() + col / side;
		let chunk = tile * TILE_CHUNKS + row % side / height;
		Some((chunk, row % height * side + col % side))
	}

	/// Chunk of an element. `None` outside the shape.
	pub fn chunk_of(&self, row: u32, col: u32) -> Option<u32> {
		self.slot_of(row, col).map(|(chunk, _)| chunk)
	}

	/// Row and column of a slot of a chunk. `None` for padding and outside the tensor.
	pub fn element_of(&self, chunk: u32, slot: u32) -> Option<(u32, u32)> {
		let (row0, col0) = self.origin(chunk)?;
		if slot >= self.chunk_elements() {
			return None;
		}
		// Wide, since the padding of the largest shapes lies beyond 32 bits.
		let (row, col) = if self.is_vector() {
			(row0, col0 + u64::from(slot))
		} else {
			(row0 + u64::from(slot / self.tile_side()), col0 + u64::from(slot % self.tile_side()))
		};
		let (row, col) = (u32::try_from(row).ok()?, u32::try_from(col).ok()?);
		(row < self.rows && col < self.cols).then_some((row, col))
	}

	/// The elements that a chunk holds. `None` if the tensor has no such chunk.
	pub fn chunk_region(&self, chunk: u32) -> Option<Region> {
		let (row0, col0) = self.origin(chunk)?;
		let (height, width) =
			if self.is_vector() { (1, self.chunk_elements()) } else { (self.chunk_rows(), self.tile_side()) };
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
		let size = self.element_bytes() as usize;
		self.for_each_span(elements.len(), |element, byte, len| {
			let target = bytes.get_mut(byte..byte + size * len)?;
			self.write(elements.get(element..element + len)?, target);
			Some(())
		})?;
		Ok(bytes)
	}

	/// Row-major element bits of canonical bytes. Rejects bytes of another length and padding that is not zero.
	pub fn from_canonical(&self, bytes: &[u8]) -> Result<Vec<u32>, LayoutError> {
		if bytes.len() as u64 != self.byte_len() {
			return Err(LayoutError::Length);
		}
		// At most as many as `bytes.len()`, which is in memory.
		let count = usize::try_from(self.elements()).map_err(|_| LayoutError::TooLarge)?;
		let mut elements = vec![0u32; count];
		self.spans(bytes, |element, span| {
			self.read(span, elements.get_mut(element..)?);
			Some(())
		})?;
		Ok(elements)
	}

	/// Calls `visit` with each run of elements that lie side by side in canonical bytes and in row-major order: the first one's
	/// index, and their bytes. Rejects what [`Layout::from_canonical`] rejects, padding after the last call; [`LayoutError::Length`]
	/// also if `visit` gives `None`.
	pub fn spans<'a>(
		&self,
		bytes: &'a [u8],
		mut visit: impl FnMut(usize, &'a [u8]) -> Option<()>,
	) -> Result<(), LayoutError> {
		if bytes.len() as u64 != self.byte_len() {
			return Err(LayoutError::Length);
		}
		let count = usize::try_from(self.elements()).map_err(|_| LayoutError::TooLarge)?;
		let size = self.element_bytes() as usize;
		let set = |bytes: &[u8]| bytes.iter().filter(|byte| **byte != 0).count() as u64;
		let mut inside = 0u64;
		self.for_each_span(count, |element, byte, len| {
			let span = bytes.get(byte..byte + size * len)?;
			inside += set(span);
			visit(element, span)
		})?;
		(set(bytes) == inside).then_some(()).ok_or(LayoutError::Padding)
	}

	/// Canonical bytes of one chunk of row-major element bits.
	pub fn chunk_bytes(&self, elements: &[u32], chunk: u32) -> Result<[u8; CHUNK_BYTES], LayoutError> {
		self.check_elements(elements)?;
		let region = self.chunk_region(chunk).ok_or(LayoutError::Length)?;
		let mut bytes = [0u8; CHUNK_BYTES];
		let line_bytes =
			if self.is_vector() { CHUNK_BYTES } else { (self.element_bytes() * self.tile_side()) as usize };
		for (line, row) in bytes.chunks_exact_mut(line_bytes).zip(region.row0..region.row0 + region.rows) {
			// Within `elements`: the region is clipped to the shape.
			let start = row as usize * self.cols as usize + region.col0 as usize;
			let source = elements.get(start..start + region.cols as usize).ok_or(LayoutError::Length)?;
			self.write(source, line);
		}
		Ok(bytes)
	}

	/// Writes elements side by side, as many as there are of the fewer.
	pub fn write(&self, elements: &[u32], bytes: &mut [u8]) {
		match self.dtype {
			DType::F32 | DType::I32 => {
				for (slot, bits) in bytes.chunks_exact_mut(4).zip(elements) {
					slot.copy_from_slice(&bits.to_le_bytes());
				}
			}
			DType::I8 => {
				for (slot, bits) in bytes.iter_mut().zip(elements) {
					*slot = *bits as u8;
				}
			}
		}
	}

	/// Reads elements that are side by side, as many as there are of the fewer.
	pub fn read(&self, bytes: &[u8], elements: &mut [u32]) {
		match self.dtype {
			DType::F32 | DType::I32 => {
				for (bits, slot) in elements.iter_mut().zip(bytes.chunks_exact(4)) {
					*bits = slot.iter().rev().fold(0, |bits, byte| bits << 8 | u32::from(*byte));
				}
			}
			DType::I8 => {
				for (bits, slot) in elements.iter_mut().zip(bytes) {
					*bits = *slot as i8 as u32;
				}
			}
		}
	}

	/// Tiles across, of a matrix.
	fn grid_cols(&self) -> u32 {
		self.cols.div_ceil(self.tile_side())
	}

	/// Row and column of slot 0 of a chunk, which may itself be padding.
	fn origin(&self, chunk: u32) -> Option<(u64, u64)> {
		if chunk >= self.chunks() {
			return None;
		}
		if self.is_vector() {
			return Some((0, u64::from(chunk) * u64::from(self.chunk_elements())));
		}
		let (tile, quarter, side) = (chunk / TILE_CHUNKS, chunk % TILE_CHUNKS, u64::from(self.tile_side()));
		let row = u64::from(tile / self.grid_cols()) * side + u64::from(quarter * self.chunk_rows());
		Some((row, u64::from(tile % self.grid_cols()) * side))
	}

	/// Bytes of the canonical form if one allocation can hold them.
	fn byte_len_usize(&self) -> Result<usize, LayoutError> {
		isize::try_from(self.byte_len()).map(isize::unsigned_abs).map_err(|_| LayoutError::TooLarge)
	}

	fn check_elements(&self, elements: &[u32]) -> Result<(), LayoutError> {
		if elements.len() as u64 != self.elements() {
			return Err(LayoutError::Length);
		}
		let fits = elements.iter().all(|bits| self.dtype.holds(*bits));
		fits.then_some(()).ok_or(LayoutError::Range)
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
		let (cols, side, grid) = (self.cols as usize, self.tile_side() as usize, self.grid_cols() as usize);
		let size = self.element_bytes() as usize;
		for row in 0..self.rows as usize {
			for tile_col in 0..grid {
				let tile = row / side * grid + tile_col;
				let col = tile_col * side;
				let byte = tile * TILE_BYTES + row % side * side * size;
				visit(row * cols + col, byte, side.min(cols - col)).ok_or(LayoutError::Length)?;
			}
		}
		Ok(())
	}
}
