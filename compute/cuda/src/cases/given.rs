//! Inputs of a case.

use assay_program::{DType, TensorSpec};

use super::Random;

/// An input of a case.
#[derive(Clone, Debug)]
pub enum Given {
	/// A tensor: type and shape, row-major bits, and whether it is a data tensor.
	Tensor(TensorSpec, Vec<u32>, bool),
	/// The same f32 bits for every element.
	Scalar(u32),
}

/// Numbers.
pub fn f32s(rows: u32, cols: u32, mut element: impl FnMut() -> u32) -> Given {
	let spec = TensorSpec::f32(rows, cols);
	Given::Tensor(spec, (0..spec.elements()).map(|_| element()).collect(), false)
}

/// Integers of 32 bits.
pub fn i32s(rows: u32, cols: u32, mut element: impl FnMut() -> u32) -> Given {
	let spec = TensorSpec { dtype: DType::I32, rows, cols };
	Given::Tensor(spec, (0..spec.elements()).map(|_| element()).collect(), false)
}

/// Bytes, the extremes often.
pub fn i8s(rows: u32, cols: u32, random: &mut Random) -> Given {
	let spec = TensorSpec { dtype: DType::I8, rows, cols };
	let mut element = || match random.below(8) {
		0 => -128i32 as u32,
		1 => 127,
		_ => (random.next() >> 24) as u8 as i8 as u32,
	};
	Given::Tensor(spec, (0..spec.elements()).map(|_| element()).collect(), false)
}
