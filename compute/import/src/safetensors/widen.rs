//! Elements of a file to the 32-bit patterns of programs, without a change of value.

use assay_program::DType;
use safetensors::Dtype;

use crate::error::TensorProblem;

/// How the elements of a type become 32-bit ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Widening {
	/// The bits as they are.
	F32,
	/// Binary16: every value is one of binary32.
	F16,
	/// The upper half of binary32.
	Bf16,
	/// The bits as they are.
	I32,
	/// Only values that i32 holds.
	I64,
}

impl Widening {
	pub(crate) fn of(dtype: Dtype) -> Result<Self, TensorProblem> {
		Ok(match dtype {
			Dtype::F32 => Widening::F32,
			Dtype::F16 => Widening::F16,
			Dtype::BF16 => Widening::Bf16,
			Dtype::I32 => Widening::I32,
			Dtype::I64 => Widening::I64,
			other => return Err(TensorProblem::Type(format!("{other:?}"))),
		})
	}

	/// Type of the result.
	pub(crate) fn dtype(self) -> DType {
		match self {
			Widening::F32 | Widening::F16 | Widening::Bf16 => DType::F32,
			Widening::I32 | Widening::I64 => DType::I32,
		}
	}

	/// Bytes of an element in the file.
	pub(crate) fn size(self) -> usize {
		match self {
			Widening::F16 | Widening::Bf16 => 2,
			Widening::F32 | Widening::I32 => 4,
			Widening::I64 => 8,
		}
	}

	/// Appends the elements of `bytes`, whole elements, little endian. NaN, infinities and large I64s are errors.
	pub(crate) fn extend(self, bits: &mut Vec<u32>, bytes: &[u8]) -> Result<(), TensorProblem> {
		for element in bytes.chunks_exact(self.size()) {
			let wide = match (self, element) {
				(Widening::F16, [a, b]) => f16_to_f32(u16::from_le_bytes([*a, *b])),
				(Widening::Bf16, [a, b]) => u32::from_le_bytes([0, 0, *a, *b]),
				(Widening::F32 | Widening::I32, [a, b, c, d]) => u32::from_le_bytes([*a, *b, *c, *d]),
				(Widening::I64, element) => narrow(element, bits.len() as u64)?,
				_ => continue,
			};
			if self.dtype() == DType::F32 && !assay_program::shape::is_finite(wide) {
				return Err(TensorProblem::NotFinite { element: bits.len() as u64 });
			}
			bits.push(wide);
		}
		Ok(())
	}
}

fn narrow(element: &[u8], index: u64) -> Result<u32, TensorProblem> {
	let value = element.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte)) as i64;
	match i32::try_from(value) {
		Ok(value) => Ok(value as u32),
		Err(_) => Err(TensorProblem::OutOfRange { element: index, value }),
	}
}

/// The binary32 bits of a binary16 value; exact, and a NaN stays one.
pub(crate) fn f16_to_f32(half: u16) -> u32 {
	let sign = u32::from(half & 0x8000) << 16;
	let (exponent, fraction) = (u32::from(half >> 10 & 0x1f), u32::from(half & 0x3ff));
	let magnitude = match (exponent, fraction) {
		(0x1f, _) => 0x7f80_0000 | fraction << 13,
		(0, 0) => 0,
		// Subnormal: `fraction * 2^-24`, whose leading one becomes implicit.
		(0, _) => {
			let top = 31 - fraction.leading_zeros();
			(top + 127 - 24) << 23 | (fraction << (23 - top) & 0x007f_ffff)
		}
		_ => (exponent + 127 - 15) << 23 | fraction << 13,
	};
	sign | magnitude
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_half_keeps_its_value() {
		for half in 0..=u16::MAX {
			let wide = f32::from_bits(f16_to_f32(half));
			let (exponent, fraction) = (i32::from(half >> 10 & 0x1f), f64::from(half & 0x3ff));
			let sign = if half >> 15 == 1 { -1.0 } else { 1.0 };
			match exponent {
				31 if fraction == 0.0 => assert_eq!(f64::from(wide), sign * f64::INFINITY),
				31 => assert!(wide.is_nan()),
				0 => assert_eq!(f64::from(wide).to_bits(), (sign * fraction * 2f64.powi(-24)).to_bits()),
				_ => assert_eq!(f64::from(wide), sign * (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15)),
			}
		}
	}

	#[test]
	fn bf16_is_the_upper_half_of_f32() {
		let mut bits = Vec::new();
		Widening::Bf16.extend(&mut bits, &[0x80, 0xbf, 0x49, 0x40]).unwrap();
		assert_eq!(bits, [(-1.0f32).to_bits(), 3.140_625f32.to_bits()]);
	}

	#[test]
	fn i64_is_narrowed_or_refused() {
		let mut bits = Vec::new();
		let values = [i64::from(i32::MIN), -1, i64::from(i32::MAX)];
		let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
		Widening::I64.extend(&mut bits, &bytes).unwrap();
		assert_eq!(bits, [0x8000_0000, 0xffff_ffff, 0x7fff_ffff]);
		let value = i64::from(i32::MAX) + 1;
		let problem = Widening::I64.extend(&mut bits, &value.to_le_bytes()).unwrap_err();
		assert_eq!(problem, TensorProblem::OutOfRange { element: 3, value });
	}

	#[test]
	fn what_is_not_finite_is_refused() {
		for (widening, bytes) in [
			(Widening::F32, f32::NAN.to_le_bytes().to_vec()),
			(Widening::F32, f32::NEG_INFINITY.to_le_bytes().to_vec()),
			(Widening::F16, vec![0, 0x7c]),
			(Widening::Bf16, vec![0x80, 0x7f]),
		] {
			let problem = widening.extend(&mut vec![0], &bytes).unwrap_err();
			assert_eq!(problem, TensorProblem::NotFinite { element: 1 });
		}
		assert!(Widening::I32.extend(&mut Vec::new(), &f32::NAN.to_le_bytes()).is_ok());
	}
}
