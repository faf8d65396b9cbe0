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

	/// Bytes of the elements.
	pub const fn bytes(&self) -> u64 {
		self.elements().saturating_mul(self.dtype.bytes() as u64)
	}

	/// Canonical layout.
	pub fn layout(&self) -> Result<Layout, LayoutError> {
		Layout::new(self.dtype, self.rows, self.cols)
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
	/// `GatherBatch` and `NextBatch` read data tensors only.
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
	/// `OneHot` takes one column of labels, `Lookup` and `ScatterRows` one of ids.
	LabelsNotColumn,
	/// The input's rows or columns are not a multiple of the op's blocks or heads, or an attribute is zero.
	NotDivisible {
		/// Input position.
		input: u8,
		/// What it must be a multiple of.
		by: u32,
	},
	/// A head has fewer columns than [`MIN_HEAD`].
	HeadTooNarrow {
		/// Columns of a head.
		cols: u32,
	},
	/// The columns taken or filled lie outside.
	ColumnsOutside {
		/// First column.
		first: u32,
		/// Columns.
		count: u32,
		/// Columns there are.
		of: u32,
	},
	/// Ids and rows differ in number.
	RowsDiffer {
		/// Rows of the first input.
		left: u32,
		/// Rows of the second input.
		right: u32,
	},
	/// The output must be declared like this.
	Output {
		/// Declaration that fits; for `OneHot` any number of columns does.
		expected: TensorSpec,
	},
	/// A dimension is zero.
	EmptyDimension,
	/// The inner dimension of an int8 product is above [`MAX_INNER_I8`].
	InnerTooLong {
		/// The inner dimension.
		inner: u32,
	},
	/// The window does not fit the images, or the input is not whole images of it.
	Window,
	/// A reshape changes the number of elements.
	Elements {
		/// Of the input.
		given: u64,
		/// Of the output.
		output: u64,
	},
}

/// Fewest columns of a head: narrower ones would scatter a micro-op over too many chunks.
pub const MIN_HEAD: u32 = 8;

/// Longest inner dimension of an int8 product: `128 * 128 * 131,071` is below `2^31`.
pub const MAX_INNER_I8: u32 = (1 << 17) - 1;

/// Checks the inputs of an op and returns the smallest output that fits.
///
/// Elementwise ops also accept an output larger than the inputs, which broadcasts; the columns of `OneHot` and `Columns`,
/// where 1 is returned, of `PadColumns`, where the fewest are, the rows of `ScatterRows`, where 1 is, and the shape of
/// `Reshape`, where the input's is, are the program's choice. `batch` is the header's.
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
			let (rows, _, cols) = product((a, trans_a), (b, trans_b))?;
			Ok(TensorSpec::f32(rows, cols))
		}
		(OpKind::MatMulI8 { trans_a, trans_b }, [a, b]) => {
			let (a, b) = (tensor(a, 0, DType::I8)?, tensor(b, 1, DType::I8)?);
			let (rows, inner, cols) = product((a, trans_a), (b, trans_b))?;
			if inner > MAX_INNER_I8 {
				return Err(ShapeError::InnerTooLong { inner });
			}
			Ok(TensorSpec { dtype: DType::I32, rows, cols })
		}
		(OpKind::Reshape, [x]) => match any(x, 0)? {
			TensorSpec { dtype: DType::I8, .. } => Err(ShapeError::InputType { input: 0, takes: DType::F32 }),
			x => Ok(x),
		},
		(OpKind::ArgMax, [x]) => {
			let x = tensor(x, 0, DType::F32)?;
			Ok(TensorSpec { dtype: DType::I32, rows: x.rows, cols: 1 })
		}
		(OpKind::Gumbel { .. }, [x]) => tensor(x, 0, DType::F32),
		(OpKind::Im2col(window), [x]) => {
			let x = tensor(x, 0, DType::F32)?;
			let shape = || {
				let (down, across) = window.positions()?;
				let rows = window.images(x.rows)?.checked_mul(down.checked_mul(across)?)?;
				Some(TensorSpec::f32(rows, window.places()?.checked_mul(x.cols)?))
			};
			shape().ok_or(ShapeError::Window)
		}
		(OpKind::Col2im(window), [x]) => {
			let x = tensor(x, 0, DType::F32)?;
			let shape = || {
				let rows = window.images_of_positions(x.rows)?.checked_mul(window.pixels()?)?;
				let cols = divided(x.cols, window.places()?, 0).ok()?;
				Some(TensorSpec::f32(rows, cols))
			};
			shape().ok_or(ShapeError::Window)
		}
		(OpKind::Hadamard { log2, axis }, [x]) => {
			let x = tensor(x, 0, DType::F32)?;
			let side = if (1..=5).contains(&log2) { 1 << log2 } else { 0 };
			let extent = match axis {
				Axis::Rows => x.rows,
				Axis::Cols => x.cols,
			};
			divided(extent, side, 0).map(|_| x)
		}
		(OpKind::Quantise, inputs) => {
			broadcast(inputs, &[DType::F32; 2]).map(|spec| TensorSpec { dtype: DType::I8, ..spec })
		}
		(OpKind::Dequantise, inputs) => broadcast(inputs, &[DType::I32, DType::F32, DType::F32]),
		(OpKind::Reduce { axis, .. }, [x]) => {
			let x = tensor(x, 0, DType::F32)?;
			Ok(match axis {
				Axis::Rows => TensorSpec::f32(1, x.cols),
				Axis::Cols => TensorSpec::f32(x.rows, 1),
			})
		}
		(OpKind::GatherBatch { .. } | OpKind::NextBatch, [x]) => match *x {
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
		(OpKind::Columns { first }, [x]) => {
			let x = any(x, 0)?;
			outside(first, 1, x.cols)?;
			Ok(TensorSpec { cols: 1, ..x })
		}
		(OpKind::PadColumns { first }, [x]) => {
			let x = tensor(x, 0, DType::F32)?;
			let cols = first.checked_add(x.cols);
			let cols = cols.ok_or(ShapeError::ColumnsOutside { first, count: x.cols, of: u32::MAX })?;
			Ok(TensorSpec { cols, ..x })
		}
		(OpKind::Flatten, [x]) => {
			let x = any(x, 0)?;
			let rows = x.rows.checked_mul(x.cols).ok_or(ShapeError::NotDivisible { input: 0, by: 0 })?;
			Ok(TensorSpec { rows, cols: 1, ..x })
		}
		(OpKind::Lookup, [table, ids]) => {
			let (table, ids) = (tensor(table, 0, DType::F32)?, tensor(ids, 1, DType::I32)?);
			if ids.cols != 1 {
				return Err(ShapeError::LabelsNotColumn);
			}
			Ok(TensorSpec::f32(ids.rows, table.cols))
		}
		(OpKind::ScatterRows, [ids, values]) => {
			let (ids, values) = (tensor(ids, 0, DType::I32)?, tensor(values, 1, DType::F32)?);
			if ids.cols != 1 {
				return Err(ShapeError::LabelsNotColumn);
			}
			if ids.rows != values.rows {
				return Err(ShapeError::RowsDiffer { left: ids.rows, right: values.rows });
			}
			Ok(TensorSpec::f32(1, values.cols))
		}
		(OpKind::SplitHeads { rows, heads }, [x]) => {
			let x = tensor(x, 0, DType::F32)?;
			let width = divided(x.cols, heads, 0)?;
			divided(x.rows, rows, 0)?;
			let below = x.rows.checked_mul(heads).ok_or(ShapeError::NotDivisible { input: 0, by: heads })?;
			wide_enough(width, heads)?;
			Ok(TensorSpec::f32(below, width))
		}
		(OpKind::MergeHeads { rows, heads }, [x]) => {
			let x = tensor(x, 0, DType::F32)?;
			let block = rows.checked_mul(heads).ok_or(ShapeError::NotDivisible { input: 0, by: rows })?;
			let blocks = divided(x.rows, block, 0)?;
			let cols = x.cols.checked_mul(heads).ok_or(ShapeError::NotDivisible { input: 0, by: heads })?;
			wide_enough(x.cols, heads)?;
			// No overflow: at most the input's rows.
			Ok(TensorSpec::f32(blocks.saturating_mul(rows), cols))
		}
		(OpKind::BlockMatMul { trans_a, trans_b, blocks, share }, [a, b]) => {
			let (a, b) = (tensor(a, 0, DType::F32)?, tensor(b, 1, DType::F32)?);
			let (stored_a, stored_b) = (divided(a.rows, blocks, 0)?, divided(b.rows, divided(blocks, share, 1)?, 1)?);
			let (rows, left) = if trans_a { (a.cols, stored_a) } else { (stored_a, a.cols) };
			let (right, cols) = if trans_b { (b.cols, stored_b) } else { (stored_b, b.cols) };
			if left != right {
				return Err(ShapeError::InnerDimension { left, right });
			}
			let rows = rows.checked_mul(blocks).ok_or(ShapeError::NotDivisible { input: 0, by: blocks })?;
			Ok(TensorSpec::f32(rows, cols))
		}
		(OpKind::Causal { rows, fill, .. }, [x]) => {
			let x = tensor(x, 0, DType::F32)?;
			divided(x.rows, rows, 0)?;
			finite(fill, 1).map(|()| x)
		}
		(OpKind::Dropout { scale, .. }, [x]) => {
			let x = tensor(x, 0, DType::F32)?;
			finite(scale, 1).map(|()| x)
		}
		_ => broadcast(inputs, &[DType::F32; 3]),
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
		OpKind::ScatterRows => output.dtype == smallest.dtype && output.cols == smallest.cols,
		OpKind::PadColumns { .. } => {
			TensorSpec { cols: smallest.cols, ..output } == smallest && output.cols >= smallest.cols
		}
		OpKind::Columns { first } => {
			let of = inputs.first().and_then(OperandSpec::spec).map_or(0, |spec| spec.cols);
			outside(first, output.cols, of)?;
			TensorSpec { cols: smallest.cols, ..output } == smallest
		}
		OpKind::Reshape => {
			let (given, output) = (smallest.elements(), output.elements());
			if given != output {
				return Err(ShapeError::Elements { given, output });
			}
			true
		}
		OpKind::Unary(_) | OpKind::Binary(_) | OpKind::Fma | OpKind::Quantise | OpKind::Dequantise => {
			for (input, spec) in inputs.iter().enumerate() {
				let Some(spec) = spec.spec() else { continue };
				let fits = |extent: u32, out: u32| extent == 1 || extent == out;
				if !fits(spec.rows, output.rows) || !fits(spec.cols, output.cols) {
					return Err(ShapeError::NotBroadcastable { input: input as u8 });
				}
			}
			output.dtype == smallest.dtype
		}
		_ => output == smallest,
	};
	fits.then_some(()).ok_or(ShapeError::Output { expected: smallest })
}

/// The row of a data set of `rows` rows that takes place `element` of the batch of `batch` rows at `step` of
/// [`OpKind::NextBatch`]; 0 of none.
pub fn next_row(step: u64, batch: u32, element: u32, rows: u32) -> u32 {
	let place = u128::from(step) * u128::from(batch) + u128::from(element);
	// Below `rows`.
	place.checked_rem(rows.into()).unwrap_or(0) as u32
}

/// Inputs the kind takes.
pub const fn arity(kind: OpKind) -> u8 {
	match kind {
		OpKind::Unary(_)
		| OpKind::Reduce { .. }
		| OpKind::GatherBatch { .. }
		| OpKind::NextBatch
		| OpKind::OneHot
		| OpKind::Columns { .. }
		| OpKind::PadColumns { .. }
		| OpKind::Flatten
		| OpKind::SplitHeads { .. }
		| OpKind::MergeHeads { .. }
		| OpKind::Causal { .. }
		| OpKind::Dropout { .. }
		| OpKind::Reshape
		| OpKind::ArgMax
		| OpKind::Gumbel { .. }
		| OpKind::Im2col(_)
		| OpKind::Col2im(_)
		| OpKind::Hadamard { .. } => 1,
		OpKind::MatMul { .. }
		| OpKind::Binary(_)
		| OpKind::Lookup
		| OpKind::ScatterRows
		| OpKind::BlockMatMul { .. }
		| OpKind::Quantise
		| OpKind::MatMulI8 { .. } => 2,
		OpKind::Fma | OpKind::Dequantise => 3,
	}
}

/// True for bits that are neither NaN nor infinite.
pub const fn is_finite(bits: u32) -> bool {
	bits & 0x7f80_0000 != 0x7f80_0000
}

fn any(operand: &OperandSpec, input: u8) -> Result<TensorSpec, ShapeError> {
	operand.spec().ok_or(ShapeError::ScalarNotAllowed { input })
}

/// `value / by`, without a rest.
fn divided(value: u32, by: u32, input: u8) -> Result<u32, ShapeError> {
	let wrong = ShapeError::NotDivisible { input, by };
	if value.checked_rem(by) == Some(0) {
		value.checked_div(by).ok_or(wrong)
	} else {
		Err(wrong)
	}
}

fn wide_enough(cols: u32, heads: u32) -> Result<(), ShapeError> {
	(heads == 1 || cols >= MIN_HEAD).then_some(()).ok_or(ShapeError::HeadTooNarrow { cols })
}

fn outside(first: u32, count: u32, of: u32) -> Result<(), ShapeError> {
	let fits = first.checked_add(count).is_some_and(|end| end <= of);
	fits.then_some(()).ok_or(ShapeError::ColumnsOutside { first, count, of })
}

fn finite(bits: u32, input: u8) -> Result<(), ShapeError> {
	is_finite(bits).then_some(()).ok_or(ShapeError::ScalarNotFinite { input })
}

fn tensor(operand: &OperandSpec, input: u8, takes: DType) -> Result<TensorSpec, ShapeError> {
	let spec = operand.spec().ok_or(ShapeError::ScalarNotAllowed { input })?;
	if spec.dtype == takes {
		Ok(spec)
	} else {
		Err(ShapeError::InputType { input, takes })
	}
}

/// Rows, inner dimension and columns of a product, each operand with whether it is stored transposed.
fn product((a, trans_a): (TensorSpec, bool), (b, trans_b): (TensorSpec, bool)) -> Result<(u32, u32, u32), ShapeError> {
	let (rows, left) = if trans_a { (a.cols, a.rows) } else { (a.rows, a.cols) };
	let (right, cols) = if trans_b { (b.cols, b.rows) } else { (b.rows, b.cols) };
	if left == right {
		Ok((rows, left, cols))
	} else {
		Err(ShapeError::InnerDimension { left, right })
	}
}

/// The f32 matrix that inputs of the types taken broadcast to. Scalars are f32.
fn broadcast(inputs: &[OperandSpec], takes: &[DType]) -> Result<TensorSpec, ShapeError> {
	let mut output: Option<TensorSpec> = None;
	for ((input, operand), takes) in inputs.iter().enumerate().zip(takes) {
		let takes = *takes;
		let input = input as u8;
		match *operand {
			OperandSpec::Scalar(_) if takes != DType::F32 => return Err(ShapeError::ScalarNotAllowed { input }),
			OperandSpec::Scalar(bits) if !is_finite(bits) => return Err(ShapeError::ScalarNotFinite { input }),
			OperandSpec::Scalar(_) => {}
			OperandSpec::Tensor { spec, .. } => {
				if spec.dtype != takes {
					return Err(ShapeError::InputType { input, takes });
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
