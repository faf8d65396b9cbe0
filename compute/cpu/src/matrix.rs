//! Inputs and output of an op: row-major matrices in words of memory. A word holds the 32 bits of an element, or four elements
//! of an int8 matrix side by side, the last word what is left of them.

use std::borrow::Cow;

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
	/// `rows * cols` elements, row-major, in [`words_of`] words.
	pub bits: &'a [u32],
}

impl<'a> Matrix<'a> {
	/// Whether there are as many words as the elements take.
	pub(crate) fn is_whole(&self) -> bool {
		let elements = (self.rows as usize).checked_mul(self.cols as usize);
		elements.map(|elements| words_of(self.dtype, elements)) == Some(self.bits.len())
	}
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
	/// Room for `rows * cols` elements, row-major, in [`words_of`] words.
	pub bits: &'a mut [u32],
}

/// Words of memory that elements take.
pub const fn words_of(dtype: DType, elements: usize) -> usize {
	match dtype {
		DType::F32 | DType::I32 => elements,
		DType::I8 => elements.div_ceil(4),
	}
}

/// Elements given by 32 bits each, an int8 one sign-extended, in words of memory.
pub fn to_words(dtype: DType, elements: Vec<u32>) -> Vec<u32> {
	match dtype {
		DType::F32 | DType::I32 => elements,
		DType::I8 => {
			let mut words = vec![0; words_of(dtype, elements.len())];
			for (byte, element) in bytes_mut(&mut words).iter_mut().zip(elements) {
				*byte = element as i8;
			}
			words
		}
	}
}

/// The first `count` elements in words of memory, 32 bits each, an int8 one sign-extended.
pub fn from_words(dtype: DType, words: &[u32], count: usize) -> Cow<'_, [u32]> {
	match dtype {
		DType::F32 | DType::I32 => Cow::Borrowed(&words[..count]),
		DType::I8 => Cow::Owned(bytes(words)[..count].iter().map(|byte| *byte as u32).collect()),
	}
}

/// The bytes of words: int8 elements, and those of the rest of the last word.
pub fn bytes(words: &[u32]) -> &[i8] {
	// SAFETY: a word is four bytes, bytes lie at any address, and any bits are an i8.
	unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), words.len() * 4) }
}

/// The bytes of words, to write.
pub fn bytes_mut(words: &mut [u32]) -> &mut [i8] {
	// SAFETY: as in `bytes`; the result borrows `words` mutably.
	unsafe { core::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len() * 4) }
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

/// Whether all numbers with these bit patterns are finite.
#[inline(always)]
pub(crate) fn all_finite(bits: &[u32]) -> bool {
	!is_raised(bits.iter().fold(0, |flags, bits| flags | non_finite_flag(*bits)))
}
