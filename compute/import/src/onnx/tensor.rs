//! Encoded tensors to elements.

use assay_program::{shape::is_finite, DType};
use safetensors::Dtype;

use super::{proto::TensorProto, wire::Field};
use crate::{error::TensorProblem, safetensors::Widening};

/// A tensor whose elements are known when the program is built.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constant {
	/// F32 bits.
	Floats { shape: Vec<usize>, bits: Vec<u32> },
	/// Integers: shapes, axes, indices, ids.
	Ints { shape: Vec<usize>, values: Vec<i64> },
}

/// Most elements of a tensor of integers.
const MAX_INTS: usize = 1 << 22;

impl TensorProto<'_> {
	/// The elements. At most twice the bytes of the file are allocated.
	pub(crate) fn constant(&self) -> Result<Constant, TensorProblem> {
		if self.external {
			return Err(TensorProblem::Type("in another file (save the model as one file), which".into()));
		}
		let shape = self.shape()?;
		let elements = shape.iter().try_fold(1usize, |product, extent| product.checked_mul(*extent));
		let elements = elements.ok_or_else(|| TensorProblem::Rank(shape.clone()))?;
		if self.data_type == 9 {
			return self.truths(shape, elements);
		}
		let (widening, dtype) = match self.data_type {
			1 => (Widening::F32, Dtype::F32),
			6 => (Widening::I32, Dtype::I32),
			7 => (Widening::I64, Dtype::I64),
			10 => (Widening::F16, Dtype::F16),
			16 => (Widening::Bf16, Dtype::BF16),
			other => return Err(TensorProblem::Type(type_name(other).into())),
		};
		let found = match self.raw {
			Some(raw) => raw.len().checked_div(widening.size()).filter(|_| raw.len() % widening.size() == 0),
			None => self.typed_elements(dtype),
		};
		if found != Some(elements) {
			return Err(TensorProblem::Shape { found: vec![found.unwrap_or(0)], expected: shape });
		}
		match widening.dtype() {
			DType::F32 => Ok(Constant::Floats { bits: self.floats(widening, elements)?, shape }),
			_ if elements > MAX_INTS => Err(TensorProblem::Memory(elements as u64)),
			_ => Ok(Constant::Ints { values: self.integers(dtype)?, shape }),
		}
	}

	/// Truth values: a byte each, or an integer each.
	fn truths(&self, shape: Vec<usize>, elements: usize) -> Result<Constant, TensorProblem> {
		let found = self.raw.map_or_else(|| self.typed_elements(Dtype::I32), |raw| Some(raw.len()));
		if found != Some(elements) || elements > MAX_INTS {
			return Err(TensorProblem::Shape { found: vec![found.unwrap_or(0)], expected: shape });
		}
		let values = match self.raw {
			Some(raw) => raw.iter().map(|byte| i64::from(*byte != 0)).collect(),
			None => self.integers(Dtype::I32)?.into_iter().map(|int| i64::from(int != 0)).collect(),
		};
		Ok(Constant::Ints { shape, values })
	}

	fn shape(&self) -> Result<Vec<usize>, TensorProblem> {
		let extent = |dim: &i64| usize::try_from(*dim).map_err(|_| TensorProblem::Rank(Vec::new()));
		self.dims.iter().map(extent).collect()
	}

	/// Elements outside of `raw_data`.
	fn typed_elements(&self, dtype: Dtype) -> Option<usize> {
		if dtype == Dtype::F32 {
			return self.floats.len().is_multiple_of(4).then_some(self.floats.len() / 4);
		}
		let mut count = 0usize;
		Field::Bytes(self.ints).ints(0, |_| count += 1).ok()?;
		Some(count)
	}

	fn floats(&self, widening: Widening, elements: usize) -> Result<Vec<u32>, TensorProblem> {
		let mut bits = Vec::new();
		bits.try_reserve_exact(elements).map_err(|_| TensorProblem::Memory(elements as u64 * 4))?;
		match (self.raw, widening) {
			(Some(raw), _) => widening.extend(&mut bits, raw)?,
			(None, Widening::F32) => widening.extend(&mut bits, self.floats)?,
			// Halves are kept as the low bits of integers.
			(None, _) => {
				let mut problem = None;
				let each = |int: i64| {
					let low = (int as u16).to_le_bytes();
					problem = problem.take().or(widening.extend(&mut bits, &low).err());
				};
				Field::Bytes(self.ints).ints(0, each).map_err(|_| TensorProblem::Missing)?;
				if let Some(problem) = problem {
					return Err(problem);
				}
			}
		}
		debug_assert!(bits.iter().all(|bits| is_finite(*bits)));
		Ok(bits)
	}

	fn integers(&self, dtype: Dtype) -> Result<Vec<i64>, TensorProblem> {
		let mut values = Vec::new();
		match (self.raw, dtype) {
			(Some(raw), Dtype::I64) => {
				values.extend(raw.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes)))
			}
			(Some(raw), _) => {
				values.extend(raw.as_chunks::<4>().0.iter().map(|bytes| i64::from(i32::from_le_bytes(*bytes))));
			}
			(None, _) => {
				Field::Bytes(self.ints).ints(0, |int| values.push(int)).map_err(|_| TensorProblem::Missing)?;
			}
		}
		Ok(values)
	}
}

/// Name of a `TensorProto.DataType`.
pub(crate) fn type_name(data_type: i64) -> &'static str {
	match data_type {
		1 => "FLOAT",
		2 => "UINT8",
		3 => "INT8",
		6 => "INT32",
		7 => "INT64",
		8 => "STRING",
		9 => "BOOL",
		10 => "FLOAT16",
		11 => "DOUBLE",
		16 => "BFLOAT16",
		_ => "of an ONNX number that is not known here",
	}
}
