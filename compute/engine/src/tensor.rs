//! A tensor by value.

use std::borrow::Cow;

use assay_commitment::{layout::TILE_BYTES, tensor_root, Hash, Layout, LayoutError};
use assay_cpu::{bytes, bytes_mut, from_words, to_words, words_of, Matrix};
use assay_program::{DType, TensorSpec};

/// A matrix. In memory an element takes as many bytes as in the canonical form: 4, or 1 of int8.
#[derive(Clone, Debug)]
pub struct Tensor {
	spec: TensorSpec,
	/// As of [`Matrix`].
	words: Vec<u32>,
}

/// Why bits or bytes are not a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TensorError {
	/// The shape is empty or too large, or the data does not have its length, or padding is not zero.
	#[error("{0}")]
	Layout(LayoutError),
}

impl Tensor {
	/// A tensor of `rows * cols` row-major bit patterns, an int8 one sign-extended.
	pub fn new(dtype: DType, rows: u32, cols: u32, bits: Vec<u32>) -> Result<Self, TensorError> {
		let layout = Layout::new(dtype, rows, cols).map_err(TensorError::Layout)?;
		if bits.len() as u64 != layout.elements() {
			return Err(TensorError::Layout(LayoutError::Length));
		}
		if !bits.iter().all(|bits| dtype.holds(*bits)) {
			return Err(TensorError::Layout(LayoutError::Range));
		}
		Ok(Self { spec: TensorSpec { dtype, rows, cols }, words: to_words(dtype, bits) })
	}

	/// An int8 tensor of `rows * cols` row-major elements.
	pub fn int8(rows: u32, cols: u32, elements: impl ExactSizeIterator<Item = i8>) -> Result<Self, TensorError> {
		let layout = Layout::new(DType::I8, rows, cols).map_err(TensorError::Layout)?;
		if elements.len() as u64 != layout.elements() {
			return Err(TensorError::Layout(LayoutError::Length));
		}
		let mut words = vec![0; words_of(DType::I8, elements.len())];
		bytes_mut(&mut words).iter_mut().zip(elements).for_each(|(byte, element)| *byte = element);
		Ok(Self { spec: TensorSpec { dtype: DType::I8, rows, cols }, words })
	}

	/// The tensor with these canonical bytes. The blob of a data set is the canonical bytes of its tensor, so the blob's
	/// address is the tensor's root.
	pub fn from_canonical(dtype: DType, rows: u32, cols: u32, canonical: &[u8]) -> Result<Self, TensorError> {
		let layout = Layout::new(dtype, rows, cols).map_err(TensorError::Layout)?;
		let words = match dtype {
			DType::F32 | DType::I32 => layout.from_canonical(canonical),
			// Before there is room for as many elements.
			DType::I8 if canonical.len() as u64 != layout.byte_len() => Err(LayoutError::Length),
			DType::I8 => {
				let mut words = vec![0; words_of(dtype, layout.elements() as usize)];
				let elements = bytes_mut(&mut words);
				let read = layout.spans(canonical, |first, span| {
					let run = elements.get_mut(first..)?.iter_mut().zip(span);
					run.for_each(|(element, byte)| *element = *byte as i8);
					Some(())
				});
				read.map(|()| words)
			}
		};
		Ok(Self { spec: TensorSpec { dtype, rows, cols }, words: words.map_err(TensorError::Layout)? })
	}

	/// The tensor of shape `spec` whose elements have the same bits; of no shape, one without memory.
	pub(crate) fn filled(spec: TensorSpec, bits: u32) -> Self {
		let word = if spec.dtype == DType::I8 { u32::from_ne_bytes([bits as u8; 4]) } else { bits };
		Self { spec, words: vec![word; words_of(spec.dtype, spec.elements() as usize)] }
	}

	/// The tensor of shape `spec` in memory that fits it.
	pub(crate) fn from_words(spec: TensorSpec, words: Vec<u32>) -> Self {
		Self { spec, words }
	}

	/// Element type and shape.
	pub fn spec(&self) -> TensorSpec {
		self.spec
	}

	/// The tensor as the backend reads it.
	pub fn matrix(&self) -> Matrix<'_> {
		let TensorSpec { dtype, rows, cols } = self.spec;
		Matrix { dtype, rows, cols, bits: &self.words }
	}

	/// Row-major bit patterns; those of int8 elements, sign-extended, are a copy.
	pub fn bits(&self) -> Cow<'_, [u32]> {
		from_words(self.spec.dtype, &self.words, self.spec.elements() as usize)
	}

	/// The row-major bit patterns, by value.
	pub fn into_bits(self) -> Vec<u32> {
		match self.spec.dtype {
			DType::F32 | DType::I32 => self.words,
			DType::I8 => self.bits().into_owned(),
		}
	}

	/// Row-major numbers, of an f32 tensor.
	pub fn to_f32(&self) -> Vec<f32> {
		self.bits().iter().map(|bits| f32::from_bits(*bits)).collect()
	}

	/// Row-major bytes of the elements, little endian.
	pub fn to_bytes(&self) -> Vec<u8> {
		match self.spec.dtype {
			DType::F32 | DType::I32 => self.words.iter().flat_map(|word| word.to_le_bytes()).collect(),
			DType::I8 => {
				bytes(&self.words).iter().take(self.spec.elements() as usize).map(|byte| *byte as u8).collect()
			}
		}
	}

	/// Canonical bytes.
	pub fn to_canonical(&self) -> Vec<u8> {
		canonical(&self.spec, &self.words)
	}

	/// Root of the canonical bytes.
	pub fn root(&self) -> Hash {
		root(&self.spec, &self.words)
	}

	pub(crate) fn words(&self) -> &[u32] {
		&self.words
	}

	pub(crate) fn into_words(self) -> Vec<u32> {
		self.words
	}

	pub(crate) fn words_mut(&mut self) -> &mut Vec<u32> {
		&mut self.words
	}
}

impl PartialEq for Tensor {
	fn eq(&self, other: &Self) -> bool {
		let same = match self.spec.dtype {
			DType::F32 | DType::I32 => self.words == other.words,
			// What is left of the last word is nothing of the tensor's.
			DType::I8 => {
				let count = self.spec.elements() as usize;
				bytes(&self.words).get(..count) == bytes(&other.words).get(..count)
			}
		};
		self.spec == other.spec && same
	}
}

impl Eq for Tensor {}

/// Canonical bytes of words that hold elements of the shape `spec`; no bytes if they do not.
pub(crate) fn canonical(spec: &TensorSpec, words: &[u32]) -> Vec<u8> {
	let mut all = Vec::with_capacity(spec.layout().map_or(0, |layout| layout.byte_len() as usize));
	pieces(spec, words, |piece| all.extend_from_slice(piece));
	all
}

/// Root of words that hold elements of the shape `spec`: of their canonical bytes, which exist a few tiles at a time only.
pub(crate) fn root(spec: &TensorSpec, words: &[u32]) -> Hash {
	if spec.layout().is_ok_and(|layout| layout.byte_len() <= PIECE_BYTES as u64) {
		return tensor_root(&canonical(spec, words));
	}
	let mut hasher = blake3::Hasher::new();
	pieces(spec, words, |piece| {
		hasher.update(piece);
	});
	*hasher.finalize().as_bytes()
}

/// Bytes of canonical form at once: enough for BLAKE3 to fill the machine's vectors, few enough to stay in the second-level
/// cache.
const PIECE_BYTES: usize = 1 << 18;

/// Calls `visit` with the canonical bytes of words that hold elements of the shape `spec`, whole rows of tiles at a time; not at
/// all if they do not.
fn pieces(spec: &TensorSpec, words: &[u32], mut visit: impl FnMut(&[u8])) {
	let Ok(layout) = spec.layout() else { return };
	if words.len() != words_of(spec.dtype, spec.elements() as usize) {
		return;
	}
	let size = layout.element_bytes() as usize;
	let write = |first: usize, len: usize, to: &mut [u8]| match spec.dtype {
		DType::F32 | DType::I32 => layout.write(&words[first..first + len], to),
		DType::I8 => {
			to.iter_mut().zip(&bytes(words)[first..first + len]).for_each(|(to, byte)| *to = *byte as u8);
		}
	};
	let (rows, cols) = (spec.rows as usize, spec.cols as usize);
	let most = PIECE_BYTES.min(layout.byte_len() as usize);
	if layout.is_vector() {
		let mut piece = vec![0; most];
		for first in (0..cols).step_by(most / size) {
			let len = (most / size).min(cols - first);
			write(first, len, &mut piece);
			let end = (len * size).next_multiple_of(TILE_BYTES);
			piece[len * size..end].fill(0);
			visit(&piece[..end]);
		}
		return;
	}
	let side = layout.tile_side() as usize;
	let tile_row = cols.div_ceil(side) * TILE_BYTES;
	let mut piece = vec![0; (most / tile_row).max(1) * tile_row];
	let height = piece.len() / tile_row * side;
	for first in (0..rows).step_by(height) {
		let height = height.min(rows - first);
		if !height.is_multiple_of(side) {
			piece.fill(0);
		}
		for row in 0..height {
			let tiles = piece[row / side * tile_row..][..tile_row].chunks_exact_mut(TILE_BYTES);
			for (col, tile) in (0..cols).step_by(side).zip(tiles) {
				let line = &mut tile[row % side * side * size..][..side * size];
				write((first + row) * cols + col, side.min(cols - col), line);
			}
		}
		visit(&piece[..height.div_ceil(side) * tile_row]);
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn pieces_are_the_layouts_bytes() {
		let shapes = [
			(1, 1),
			(1, 65_537),
			(1, 300_000),
			(33, 4_000),
			(1_000, 1_001),
			(32, 2_048),
			(64, 4_096),
			(4_097, 17),
			(64, 70_001),
		];
		for dtype in [DType::F32, DType::I8] {
			for (rows, cols) in shapes {
				let scattered = (0..rows * cols).map(|i: u32| i.wrapping_mul(2_654_435_761) | 1);
				let bits: Vec<u32> = match dtype {
					DType::I8 => scattered.map(|bits| (bits >> 20) as i8 as u32).collect(),
					_ => scattered.collect(),
				};
				let expected = Layout::new(dtype, rows, cols).unwrap().to_canonical(&bits).unwrap();
				let tensor = Tensor::new(dtype, rows, cols, bits.clone()).unwrap();
				assert!(tensor.to_canonical() == expected, "{dtype:?} {rows} x {cols}");
				assert_eq!(tensor.root(), tensor_root(&expected), "{dtype:?} {rows} x {cols}");
				assert!(Tensor::from_canonical(dtype, rows, cols, &expected) == Ok(tensor.clone()), "{rows} x {cols}");
				assert!(tensor.bits() == bits && tensor.into_bits() == bits, "{dtype:?} {rows} x {cols}");
			}
		}
	}

	#[test]
	fn what_follows_the_last_int8_is_not_compared() {
		let spec = TensorSpec { dtype: DType::I8, rows: 1, cols: 3 };
		let of = |bytes: [u8; 4]| Tensor::from_words(spec, vec![u32::from_ne_bytes(bytes)]);
		assert!(of([1, 2, 3, 4]) == of([1, 2, 3, 5]));
		assert!(of([1, 2, 3, 4]) != of([1, 2, 4, 4]));
		assert_eq!(of([1, 2, 255, 9]), Tensor::int8(1, 3, [1, 2, -1].into_iter()).unwrap());
	}
}
