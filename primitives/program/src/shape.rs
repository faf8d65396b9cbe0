//! Shapes and element types: what each op takes and what it gives.

use crate::{Axis, DType, OpKind, Role, TensorDecl};
use assay_commitment::{Layout, LayoutError};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Element type and extent of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct TensorSpec {
	/// Element type.
	pub dtype: DType,
	/// Rows, at least 1.
	pub rows: u32,
	/// Columns, at least 1.
	pub cols: u32,
}

impl TensorSpec {
	/// An f32 matrix.
	pub const fn f32(rows: u32, cols: u32) -> TensorSpec {
		TensorSpec { dtype: DType::F32, rows, cols }
	}

	/// Number of elements.
	pub const fn elements(&self) -> u64 {
		self.rows as u64 * self.cols as u64
	}

	/// Canonical layout.
	pub fn layout(&self) -> Result<Layout, LayoutError> {
		Layout::new(self.rows, self.cols)
	}
}

impl TensorDecl {
	/// Element type and extent.
	pub const fn spec(&self) -> TensorSpec {
		TensorSpec { dtype: self.dtype, rows: self.rows, cols: self.cols }
	}
}

impl Role {
	/// True for tensors that are part of the committed state.
	pub const fn is_state(&self) -> bool {
		matches!(self, Role::Param(_) | Role::State(_))
	}
}

/// What an op reads in one input position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperandSpec {
	/// A tensor.
	Tensor {
		/// Type and extent.
		spec: TensorSpec,
		/// True if the tensor is [`Role::Data`].
		data: bool,
	},
	/// A constant.
	Scalar(u32),
}

impl OperandSpec {
	/// The operand that a tensor with this declaration is.
	pub const fn of(decl: &TensorDecl) -> OperandSpec {
		OperandSpec::Tensor { spec: decl.spec(), data: matches!(decl.role, Role::Data { .. }) }
	}

	/// Type and extent, of a tensor.
	pub const fn spec(&self) -> Option<TensorSpec> {
		match self {
			OperandSpec::Tensor { spec, .. } => Some(*spec),
			OperandSpec::Scalar(_) => None,
		}
	}
}

/// Why operands or the output do not fit an op.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum ShapeError {
	/// The op takes another number of inputs.
	InputCount {
		/// Inputs the kind takes.
		takes: u8,
		/// Inputs given.
		given: u32,
	},
	/// This input must be a tensor, not a scalar.
	ScalarNotAllowed {
		/// Input position.
		input: u8,
	},
	/// At least one input must be a tensor; a constant result belongs in a scalar operand of its consumer.
	NoTensorInput,
	/// The scalar is NaN or infinite.
	ScalarNotFinite {
		/// Input position.
		input: u8,
	},
	/// The input has another element type than the op takes.
	InputType {
		/// Input position.
		input: u8,
		/// Type the op takes there.
		takes: DType,
	},
	/// `GatherBatch` reads data tensors only.
	InputNotData,
	/// Inner dimensions of a matrix product differ.
	InnerDimension {
		/// Columns of the first operand after its transposition.
		left: u32,
		/// Rows of the second operand after its transposition.
		right: u32,
	},
	/// An input neither has the output's extent nor extent 1 in some dimension.
	NotBroadcastable {
		/// Input position.
		input: u8,
	},
	/// `OneHot` takes one column of labels.
	LabelsNotColumn,
	/// The output must be declared like this.
	Output {
		/// Declaration that fits; for `OneHot` any number of columns does.
		expected: TensorSpec,
	},
	/// A dimension is zero.
	EmptyDimension,
}

/// Checks the inputs of an op and returns the smallest output that fits.
///
/// Elementwise ops also accept an output larger than the inputs, which broadcasts; `OneHot`'s columns are the
/// program's choice, 1 is returned. `batch` is the header's.
pub fn infer(kind: OpKind, inputs: &[OperandSpec], batch: u32) -> Result<TensorSpec, ShapeError> {
	let takes = arity(kind);
	if inputs.len() != usize::from(takes) {
		return Err(ShapeError::InputCount { takes, given: inputs.len() as u32 });
	}
	for spec in inputs.iter().filter_map(OperandSpec::spec) {
		if spec.rows == 0 || spec.cols == 0 {
			return Err(ShapeError::EmptyDimension);
		}
	}
	match (kind, inputs) {
		(OpKind::MatMul { trans_a, trans_b }, [a, b]) => {
			let (a, b) = (tensor(a, 0, DType::F32)?, tensor(b, 1, DType::F32)?);
			let (rows, left) = if trans_a { (a.cols, a.rows) } else { (a.rows, a.cols) };
			let (right, cols) = if trans_b { (b.cols, b.rows) } else { (b.rows, b.cols) };
			if left != right {
				return Err(ShapeError::InnerDimension { left, right });
			}
			Ok(TensorSpec::f32(rows, cols))
		}
		(OpKind::Reduce { axis, .. }, [x]) => {
			let x = tensor(x, 0, DType::F32)?;
			Ok(match axis {
				Axis::Rows => TensorSpec::f32(1, x.cols),
				Axis::Cols => TensorSpec::f32(x.rows, 1),
			})
		}
		(OpKind::GatherBatch { .. }, [x]) => match *x {
			OperandSpec::Tensor { spec, data: true } => Ok(TensorSpec { rows: batch, ..spec }),
			OperandSpec::Tensor { data: false, .. } => Err(ShapeError::InputNotData),
			OperandSpec::Scalar(_) => Err(ShapeError::ScalarNotAllowed { input: 0 }),
		},
		(OpKind::OneHot, [labels]) => {
			let labels = tensor(labels, 0, DType::I32)?;
			if labels.cols != 1 {
				return Err(ShapeError::LabelsNotColumn);
			}
			Ok(TensorSpec::f32(labels.rows, 1))
		}
		_ => broadcast(inputs),
	}
}

/// Checks inputs and declared output of an op.
pub fn check_op(kind: OpKind, inputs: &[OperandSpec], output: TensorSpec, batch: u32) -> Result<(), ShapeError> {
	let smallest = infer(kind, inputs, batch)?;
	if output.rows == 0 || output.cols == 0 {
		return Err(ShapeError::EmptyDimension);
	}
	let fits = match kind {
		OpKind::OneHot => output.dtype == smallest.dtype && output.rows == smallest.rows,
		OpKind::Unary(_) | OpKind::Binary(_) | OpKind::Fma => {
			for (input, spec) in inputs.iter().enumerate() {
				let Some(spec) = spec.spec() else { continue };
				let fits = |extent: u32, out: u32| extent == 1 || extent == out;
				if !fits(spec.rows, output.rows) || !fits(spec.cols, output.cols) {
					return Err(ShapeError::NotBroadcastable { input: input as u8 });
				}
			}
			output.dtype == DType::F32
		}
		_ => output == smallest,
	};
	fits.then_some(()).ok_or(ShapeError::Output { expected: smallest })
}

/// Inputs the kind takes.
pub const fn arity(kind: OpKind) -> u8 {
	match kind {
		OpKind::Unary(_) | OpKind::Reduce { .. } | OpKind::GatherBatch { .. } | OpKind::OneHot => 1,
		OpKind::MatMul { .. } | OpKind::Binary(_) => 2,
		OpKind::Fma => 3,
	}
}

/// True for bits that are neither NaN nor infinite.
pub const fn is_finite(bits: u32) -> bool {
	bits & 0x7f80_0000 != 0x7f80_0000
}

fn tensor(operand: &OperandSpec, input: u8, takes: DType) -> Result<TensorSpec, ShapeError> {
	let spec = operand.spec().ok_or(ShapeError::ScalarNotAllowed { input })?;
	if spec.dtype == takes {
		Ok(spec)
	} else {
		Err(ShapeError::InputType { input, takes })
	}
}

fn broadcast(inputs: &[OperandSpec]) -> Result<TensorSpec, ShapeError> {
	let mut output: Option<TensorSpec> = None;
	for (input, operand) in inputs.iter().enumerate() {
		let input = input as u8;
		match *operand {
			OperandSpec::Scalar(bits) if !is_finite(bits) => return Err(ShapeError::ScalarNotFinite { input }),
			OperandSpec::Scalar(_) => {}
			OperandSpec::Tensor { spec, .. } => {
				if spec.dtype != DType::F32 {
					return Err(ShapeError::InputType { input, takes: DType::F32 });
				}
				let so_far = output.unwrap_or(TensorSpec::f32(1, 1));
				let both = |a: u32, b: u32| match (a, b) {
					(1, other) | (other, 1) => Ok(other),
					(a, b) if a == b => Ok(a),
					_ => Err(ShapeError::NotBroadcastable { input }),
				};
				output = Some(TensorSpec::f32(both(so_far.rows, spec.rows)?, both(so_far.cols, spec.cols)?));
			}
		}
	}
	output.ok_or(ShapeError::NoTensorInput)
}
