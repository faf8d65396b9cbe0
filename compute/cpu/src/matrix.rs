//! Inputs and output of an op: row-major matrices of 32-bit patterns; an i8 is sign-extended.

use assay_program::DType;

/// A matrix to read.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
	/// Element type.
	pub dtype: DType,
	/// Rows.
	pub rows: u32,
	/// Columns.
	pub cols: u32,
	/// `rows * cols` bit patterns, row-major.
	pub bits: &'a [u32],
}

/// One input of an op.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
	/// A tensor.
	Tensor(Matrix<'a>),
	/// The same f32 bits for every element.
	Scalar(u32),
}

/// The matrix to write. Every element is written unless the op fails on its arguments.
#[derive(Debug)]
pub struct Output<'a> {
	/// Element type.
	pub dtype: DType,
	/// Rows.
	pub rows: u32,
	/// Columns.
	pub cols: u32,
	/// `rows * cols` bit patterns, row-major.
	pub bits: &'a mut [u32],
}

/// The numbers with these bit patterns.
pub(crate) fn floats(bits: &[u32]) -> &[f32] {
	// SAFETY: u32 and f32 have the same size and alignment, and every bit pattern is an f32.
	unsafe { core::slice::from_raw_parts(bits.as_ptr().cast(), bits.len()) }
}

/// The numbers with these bit patterns, to write.
pub(crate) fn floats_mut(bits: &mut [u32]) -> &mut [f32] {
	// SAFETY: as in `floats`; the result borrows `bits` mutably.
	unsafe { core::slice::from_raw_parts_mut(bits.as_mut_ptr().cast(), bits.len()) }
}

/// A sign bit where an element is infinite or NaN, of any of them: fold over elements with `|`.
#[inline(always)]
pub(crate) fn non_finite_flag(bits: u32) -> u32 {
	(bits & 0x7f80_0000).wrapping_add(0x0080_0000)
}

/// Whether [`non_finite_flag`] was raised.
#[inline(always)]
pub(crate) fn is_raised(flags: u32) -> bool {
	flags & 0x8000_0000 != 0
}
