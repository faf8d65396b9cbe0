//! A tensor by value.

use assay_commitment::{Hash, Layout, LayoutError};
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

/// Root of bits that have the shape `spec`.
pub(crate) fn root(spec: &TensorSpec, bits: &[u32]) -> Hash {
	assay_commitment::tensor_root(&canonical(spec, bits))
}
