//! What the errors say to a person: where it is wrong and what to do.

use crate::{
	refine::GeometryError,
	shape::{ShapeError, TensorSpec, MAX_INNER_I8, MIN_HEAD},
	types::MAX_NAME,
	validate::{DecodeError, OpProblem, ProgramError, Quantity, TensorProblem, UpdateProblem, VERSION},
	DType, ProgramOpeningError,
};
use core::fmt::{Display, Formatter, Result};

impl Display for TensorSpec {
	fn fmt(&self, f: &mut Formatter<'_>) -> Result {
		write!(f, "{} [{}, {}]", name(self.dtype), self.rows, self.cols)
	}
}

const fn name(dtype: DType) -> &'static str {
	match dtype {
		DType::F32 => "f32",
		DType::I32 => "i32",
		DType::I8 => "i8",
	}
}

impl Display for ShapeError {
	fn fmt(&self, f: &mut Formatter<'_>) -> Result {
		match self {
			ShapeError::InputCount { takes, given } => write!(f, "the kind takes {takes} inputs, {given} are given"),
			ShapeError::ScalarNotAllowed { input } => write!(f, "input {input} must be a tensor, not a scalar"),
			ShapeError::NoTensorInput => {
				f.write_str("all inputs are scalars; put the constant result into its consumer as a scalar")
			}
			ShapeError::ScalarNotFinite { input } => write!(f, "the scalar of input {input} is NaN or infinite"),
			ShapeError::InputType { input, takes } => write!(f, "input {input} must be {}", name(*takes)),
			ShapeError::InputNotData => {
				f.write_str("a batch is gathered from a data tensor; declare the input as data")
			}
			ShapeError::InnerDimension { left, right } => write!(
				f,
				"inner dimensions differ: the first operand has {left} columns, the second {right} rows (transposition applied)"
			),
			ShapeError::NotBroadcastable { input } => {
				write!(f, "input {input} neither has the output's extent nor extent 1 in each dimension")
			}
			ShapeError::LabelsNotColumn => f.write_str("labels and ids must be one column"),
			ShapeError::NotDivisible { input, by } => {
				write!(
					f,
					"rows and columns of input {input} must be a multiple of the op's blocks, here {by}, which must not be 0"
				)
			}
			ShapeError::HeadTooNarrow { cols } => write!(f, "a head has {cols} columns, it needs {MIN_HEAD}"),
			ShapeError::ColumnsOutside { first, count, of } => {
				write!(f, "columns {first} to {first} + {count} lie outside of the {of} there are")
			}
			ShapeError::RowsDiffer { left, right } => write!(f, "there are {left} ids and {right} rows"),
			ShapeError::Output { expected } => write!(f, "the output must be declared as {expected}"),
			ShapeError::InnerTooLong { inner } => write!(
				f,
				"the inner dimension is {inner}, an int8 product takes at most {MAX_INNER_I8}; split the product and add"
			),
			ShapeError::Window => f.write_str(
				"the window does not fit: its sides and stride must be at least 1, its padding less than each side, and it must lie within the padded image"
			),
			ShapeError::Elements { given, output } => {
				write!(f, "the input has {given} elements, the output {output}; a reshape keeps their number")
			}
			ShapeError::EmptyDimension => f.write_str("rows and columns must be at least 1"),
		}
	}
}

impl Display for GeometryError {
	fn fmt(&self, f: &mut Formatter<'_>) -> Result {
		match self {
			GeometryError::Shape(error) => error.fmt(f),
			GeometryError::Layout(error) => error.fmt(f),
			GeometryError::UnknownTensor => f.write_str("the op does not exist or names a tensor that does not"),
		}
	}
}

impl Display for Quantity {
	fn fmt(&self, f: &mut Formatter<'_>) -> Result {
		f.write_str(match self {
			Quantity::ProgramBytes => "bytes of the encoded program",
			Quantity::Tensors => "tensors",
			Quantity::Ops => "ops",
			Quantity::Metrics => "metrics",
			Quantity::TotalBytes => "bytes of all tensors",
			Quantity::StepFlops => "operations of a step",
			Quantity::Steps => "steps",
			Quantity::Batch => "rows of a batch",
		})
	}
}

impl Display for TensorProblem {
	fn fmt(&self, f: &mut Formatter<'_>) -> Result {
		match self {
			TensorProblem::Name => write!(f, "the name must be 1 to {MAX_NAME} bytes of UTF-8"),
			TensorProblem::NameTaken => f.write_str("another tensor has this name; rename one"),
			TensorProblem::Layout(error) => error.fmt(f),
			TensorProblem::TooLarge { bytes, limit } => {
				write!(f, "{bytes} bytes with padding, at most {limit} are allowed; split the tensor")
			}
			TensorProblem::InitNotFinite => f.write_str("the initial value is NaN or infinite"),
			TensorProblem::InitRange => {
				f.write_str("the initial value of an i8 tensor must be in -128..=127, sign-extended")
			}
			TensorProblem::Lane => f.write_str("i8 tensors need the lane I8; set it in the header"),
			TensorProblem::Bound => f.write_str("the bound of the initial values must be finite and above zero"),
			TensorProblem::UniformType => f.write_str("uniform initial values are f32; declare the tensor as f32"),
			TensorProblem::UniformTooLarge => {
				f.write_str("uniform initial values number at most 2^32 elements; split the tensor")
			}
			TensorProblem::Undefined => f.write_str("no op defines this temp; remove it"),
		}
	}
}

impl Display for OpProblem {
	fn fmt(&self, f: &mut Formatter<'_>) -> Result {
		match self {
			OpProblem::UnknownTensor(id) => write!(f, "tensor {} does not exist", id.0),
			OpProblem::OutputNotTemp => f.write_str("the output is not a temp; assign it to state with an update"),
			OpProblem::OutputDefinedTwice => {
				f.write_str("an earlier op defines this output; give each op its own temp")
			}
			OpProblem::UsedBeforeDefined(id) => {
				write!(f, "reads temp {} before the op that defines it; reorder the ops", id.0)
			}
			OpProblem::Shape(error) => error.fmt(f),
			OpProblem::TooExpensive { flops, limit } => {
				write!(f, "{flops} operations, at most {limit} are allowed; split the op")
			}
		}
	}
}

impl Display for UpdateProblem {
	fn fmt(&self, f: &mut Formatter<'_>) -> Result {
		match self {
			UpdateProblem::UnknownTensor(id) => write!(f, "tensor {} does not exist", id.0),
			UpdateProblem::NotState => f.write_str("only parameters and state can be updated"),
			UpdateProblem::ValueNotTemp => f.write_str("the value must be the output of an op"),
			UpdateProblem::Mismatch { state, value } => write!(f, "the state is {state}, the value {value}"),
			UpdateProblem::NotAscending => {
				f.write_str("updates must ascend by state tensor id, with one for each tensor at most")
			}
		}
	}
}

impl Display for ProgramError {
	fn fmt(&self, f: &mut Formatter<'_>) -> Result {
		match self {
			ProgramError::Version(version) => {
				write!(f, "program version {version} is not known; write version {VERSION}")
			}
			ProgramError::Empty(what) => write!(f, "the program has no {what}; it needs at least 1"),
			ProgramError::TooLarge { what, value, limit } => write!(f, "{value} {what}, at most {limit} are allowed"),
			ProgramError::Tensor { id, name, problem } => write!(f, "tensor {} \"{name}\": {problem}", id.0),
			ProgramError::Op { index, output, problem } => write!(f, "op {index}, output \"{output}\": {problem}"),
			ProgramError::Update { index, state, problem } => write!(f, "update {index} of \"{state}\": {problem}"),
			ProgramError::Metric { index } => write!(f, "metric {index} is not a 1 x 1 f32 output of an op"),
		}
	}
}

impl Display for DecodeError {
	fn fmt(&self, f: &mut Formatter<'_>) -> Result {
		match self {
			DecodeError::TooLong { bytes, limit } => {
				write!(f, "the program has {bytes} bytes, at most {limit} are allowed")
			}
			DecodeError::Malformed => f.write_str("the bytes are not an encoded program"),
			DecodeError::Invalid(error) => error.fmt(f),
		}
	}
}

impl Display for ProgramOpeningError {
	fn fmt(&self, f: &mut Formatter<'_>) -> Result {
		match self {
			ProgramOpeningError::Op => f.write_str("the op does not lead to the program's ops root"),
			ProgramOpeningError::OutputDecl => {
				f.write_str("the output's declaration is not the op's or not the program's")
			}
			ProgramOpeningError::InputCount => f.write_str("open one declaration for each tensor operand"),
			ProgramOpeningError::InputDecl { input } => {
				write!(f, "the declaration of tensor operand {input} is not the op's or not the program's")
			}
			ProgramOpeningError::Geometry => {
				f.write_str("the op breaks the program rules; the program was never valid")
			}
		}
	}
}

impl core::error::Error for ShapeError {}
impl core::error::Error for GeometryError {}
impl core::error::Error for ProgramError {}
impl core::error::Error for DecodeError {}
impl core::error::Error for ProgramOpeningError {}
