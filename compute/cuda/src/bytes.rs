//! Tensors of 8-bit integers: on the device, and in an engine, four elements to a word, the first in the low byte, row after row;
//! for whoever asks for bits a sign-extended word each.

use std::borrow::Cow;

use assay_program::{DType, TensorSpec};

/// Elements of a word.
const EACH: usize = 4;

/// Words of the device's memory that a tensor takes.
pub(crate) fn device_words(spec: TensorSpec) -> u64 {
	match spec.dtype {
		DType::F32 | DType::I32 => spec.elements(),
		DType::I8 => spec.elements().div_ceil(EACH as u64),
	}
}

/// A tensor's row-major bits as the device holds them.
pub(crate) fn to_device(spec: TensorSpec, bits: &[u32]) -> Cow<'_, [u32]> {
	match spec.dtype {
		DType::F32 | DType::I32 => Cow::Borrowed(bits),
		DType::I8 => {
			let word = |four: &[u32]| four.iter().rev().fold(0, |word, bits| word << 8 | (bits & 0xff));
			Cow::Owned(bits.chunks(EACH).map(word).collect())
		}
	}
}

/// The row-major bits of a tensor of which the device holds these words.
pub(crate) fn to_host(spec: TensorSpec, words: Vec<u32>) -> Vec<u32> {
	match spec.dtype {
		DType::F32 | DType::I32 => words,
		DType::I8 => {
			let bytes = words.iter().flat_map(|word| word.to_le_bytes()).map(|byte| byte as i8 as u32);
			bytes.take(usize::try_from(spec.elements()).unwrap_or(usize::MAX)).collect()
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn bytes_keep_their_signs_and_their_order() {
		let spec = TensorSpec { dtype: DType::I8, rows: 1, cols: 6 };
		let bits: Vec<u32> = [1i8, -2, 127, -128, 0, -1].map(|byte| byte as u32).into();
		let words = to_device(spec, &bits).into_owned();
		assert_eq!(words, [0x807f_fe01, 0xff00]);
		assert_eq!((device_words(spec), to_host(spec, words)), (2, bits));
	}
}
