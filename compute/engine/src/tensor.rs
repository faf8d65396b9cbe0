//! A tensor by value.

use assay_commitment::{layout::TILE_BYTES, Hash, Layout, LayoutError};
use assay_program::{DType, TensorSpec};

/// A matrix, each element by its bits in 32; an i8 is sign-extended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
	spec: TensorSpec,
	bits: Vec<u32>,
}

/// Why bits or bytes are not a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TensorError {
	/// The shape is empty or too large, or the data does not have its length, or padding is not zero.
	#[error("{0}")]
	Layout(LayoutError),
}

impl Tensor {
	/// A tensor of `rows * cols` row-major bit patterns.
	pub fn new(dtype: DType, rows: u32, cols: u32, bits: Vec<u32>) -> Result<Self, TensorError> {
		let layout = Layout::new(dtype, rows, cols).map_err(TensorError::Layout)?;
		if bits.len() as u64 != layout.elements() {
			return Err(TensorError::Layout(LayoutError::Length));
		}
		if !bits.iter().all(|bits| dtype.holds(*bits)) {
			return Err(TensorError::Layout(LayoutError::Range));
		}
		Ok(Self { spec: TensorSpec { dtype, rows, cols }, bits })
	}

	/// The tensor with these canonical bytes. The blob of a data set is the canonical bytes of its tensor, so the blob's
	/// address is the tensor's root.
	pub fn from_canonical(dtype: DType, rows: u32, cols: u32, bytes: &[u8]) -> Result<Self, TensorError> {
		let bits = Layout::new(dtype, rows, cols)
			.and_then(|layout| layout.from_canonical(bytes))
			.map_err(TensorError::Layout)?;
		Ok(Self { spec: TensorSpec { dtype, rows, cols }, bits })
	}

	/// Element type and shape.
	pub fn spec(&self) -> TensorSpec {
		self.spec
	}

	/// Row-major bit patterns.
	pub fn bits(&self) -> &[u32] {
		&self.bits
	}

	/// The row-major bit patterns, by value.
	pub fn into_bits(self) -> Vec<u32> {
		self.bits
	}

	/// Row-major numbers, of an f32 tensor.
	pub fn to_f32(&self) -> Vec<f32> {
		self.bits.iter().map(|bits| f32::from_bits(*bits)).collect()
	}

	/// Canonical bytes.
	pub fn to_canonical(&self) -> Vec<u8> {
		canonical(&self.spec, &self.bits)
	}

	/// Root of the canonical bytes.
	pub fn root(&self) -> Hash {
		root(&self.spec, &self.bits)
	}

	pub(crate) fn from_parts(spec: TensorSpec, bits: Vec<u32>) -> Self {
		Self { spec, bits }
	}
}

/// Canonical bytes of bits that have the shape `spec`; no bytes if they do not.
pub(crate) fn canonical(spec: &TensorSpec, bits: &[u32]) -> Vec<u8> {
	spec.layout().and_then(|layout| layout.to_canonical(bits)).unwrap_or_default()
}

/// Bytes of canonical form that are hashed at once: enough for BLAKE3 to fill the machine's vectors, few enough to stay in the
/// second-level cache.
const HASHED_BYTES: usize = 1 << 18;

/// Root of bits that have the shape `spec`: of their canonical bytes, which exist a few tiles at a time only.
pub(crate) fn root(spec: &TensorSpec, bits: &[u32]) -> Hash {
	let Ok(layout) = spec.layout() else { return assay_commitment::tensor_root(&[]) };
	// Bytes are also checked on the way, and short tensors fit.
	if spec.dtype == DType::I8 || layout.byte_len() <= HASHED_BYTES as u64 || bits.len() as u64 != layout.elements() {
		return assay_commitment::tensor_root(&canonical(spec, bits));
	}
	let mut hasher = blake3::Hasher::new();
	if layout.is_vector() {
		let mut bytes = vec![0; HASHED_BYTES];
		for run in bits.chunks(HASHED_BYTES / 4) {
			layout.write(run, &mut bytes);
			bytes[run.len() * 4..].fill(0);
			hasher.update(&bytes[..(run.len() * 4).next_multiple_of(TILE_BYTES)]);
		}
		return *hasher.finalize().as_bytes();
	}
	let (cols, side) = (spec.cols as usize, layout.tile_side() as usize);
	// A row of tiles, and as many of them as fit.
	let tile_row = cols.div_ceil(side) * TILE_BYTES;
	let mut bytes = vec![0; tile_row * (HASHED_BYTES / tile_row).max(1)];
	for rows in bits.chunks(bytes.len() / tile_row * side * cols) {
		let used = rows.len().div_ceil(side * cols) * tile_row;
		if !rows.len().is_multiple_of(side * cols) {
			bytes.fill(0);
		}
		for (rows, tiles) in rows.chunks(side * cols).zip(bytes.chunks_exact_mut(tile_row)) {
			for (index, row) in rows.chunks_exact(cols).enumerate() {
				for (part, tile) in row.chunks(side).zip(tiles.chunks_exact_mut(TILE_BYTES)) {
					layout.write(part, &mut tile[index * side * 4..][..side * 4]);
				}
			}
		}
		hasher.update(&bytes[..used]);
	}
	*hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn roots_in_pieces_are_roots_of_the_whole() {
		for (rows, cols) in
			[(1, 65_537), (1, 200_000), (33, 4_000), (1_000, 1_001), (32, 2_048), (4_097, 17), (64, 70_001)]
		{
			let spec = TensorSpec::f32(rows, cols);
			let bits: Vec<u32> = (0..rows * cols).map(|i| i.wrapping_mul(2_654_435_761) | 1).collect();
			assert_eq!(root(&spec, &bits), assay_commitment::tensor_root(&canonical(&spec, &bits)), "{rows} x {cols}");
		}
	}
}
