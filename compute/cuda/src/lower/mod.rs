//! From an op to kernel launches.
//!
//! Pure: which kernels, with which grids and arguments, follows from the op, its shapes and the device's size. Neither
//! memory nor a device is needed, so the same launches run on a GPU and in the emulation.

mod elementwise;
mod hadamard;
mod mask;
mod matmul;
mod matmul_i8;
mod rearrange;
mod reduce;
mod root;
mod rows;
mod sample;
mod window;

use assay_program::{shape::check_op, DType, OpKind, OperandSpec, TensorSpec};

use crate::{
	grid::Shape,
	launch::{Arg, Launch, Lowered, Profile},
	OpError,
};

pub(crate) use root::lower_root;

/// An op whose shapes were checked.
struct Checked<'a> {
	inputs: &'a [TensorSpec],
	output: TensorSpec,
	seed: &'a [u8; 32],
	profile: &'a Profile,
}

impl Checked<'_> {
	/// Rows of the output.
	fn rows(&self) -> u64 {
		u64::from(self.output.rows)
	}

	/// Columns of the output.
	fn cols(&self) -> u64 {
		u64::from(self.output.cols)
	}

	/// Where a kernel reports infinities and NaNs, if the output can hold any.
	fn flag(&self) -> Arg {
		match self.output.dtype {
			DType::F32 => Arg::Flag,
			DType::I32 | DType::I8 => Arg::Null,
		}
	}
}

/// The kernel for elements of the output's type: of those that move elements as they are.
fn by_type(op: &Checked<'_>, words: &'static str, bytes: &'static str) -> &'static str {
	match op.output.dtype {
		DType::F32 | DType::I32 => words,
		DType::I8 => bytes,
	}
}

/// One launch without scratch memory.
fn single(kernel: &'static str, (grid, block): Shape, args: Vec<Arg>) -> Lowered {
	Lowered { launches: vec![Launch { kernel, grid, block, args }], scratch: Vec::new() }
}

/// The launches of an op with these inputs and this output. `seed` is the program's. A data tensor need not be marked as
/// such.
pub fn lower(
	kind: OpKind,
	inputs: &[OperandSpec],
	output: TensorSpec,
	seed: &[u8; 32],
	profile: &Profile,
) -> Result<Lowered, OpError> {
	let marked: Vec<OperandSpec> = inputs
		.iter()
		.map(|input| match *input {
			OperandSpec::Tensor { spec, .. } => OperandSpec::Tensor { spec, data: true },
			scalar => scalar,
		})
		.collect();
	check_op(kind, &marked, output, output.rows).map_err(|_| OpError::Shape("operands or output do not fit the op"))?;
	// Only elementwise ops take scalars, and those read `inputs`: elsewhere, every input is a tensor and keeps its number.
	let tensors: Vec<TensorSpec> = inputs.iter().filter_map(OperandSpec::spec).collect();
	let op = Checked { inputs: &tensors, output, seed, profile };
	// Every kind by name: a new one gets a kernel, or `OpError::Unsupported` until it has one.
	match kind {
		OpKind::Unary(unary) => Ok(elementwise::lower(elementwise::unary(unary), inputs, &op)),
		OpKind::Binary(binary) => Ok(elementwise::lower(elementwise::binary(binary), inputs, &op)),
		OpKind::Fma => Ok(elementwise::lower("multiply_add", inputs, &op)),
		OpKind::Quantise => Ok(elementwise::lower("quantise", inputs, &op)),
		OpKind::Dequantise => Ok(elementwise::lower("dequantise", inputs, &op)),
		OpKind::MatMul { trans_a, trans_b } => matmul::lower(&op, trans_a, trans_b, 1, 1),
		OpKind::BlockMatMul { trans_a, trans_b, blocks, share } => matmul::lower(&op, trans_a, trans_b, blocks, share),
		OpKind::Reduce { reduction, axis } => reduce::lower(&op, reduction, axis),
		OpKind::GatherBatch { stream } => rows::gather_batch(&op, stream),
		OpKind::NextBatch => rows::next_batch(&op),
		OpKind::OneHot => Ok(rows::one_hot(&op)),
		OpKind::Lookup => rows::lookup(&op),
		OpKind::ScatterRows => rows::scatter(&op),
		OpKind::Columns { first } => rearrange::columns(&op, first),
		OpKind::PadColumns { first } => rearrange::pad_columns(&op, first),
		OpKind::Flatten | OpKind::Reshape => Ok(rearrange::reshape(&op)),
		OpKind::SplitHeads { rows, heads } => Ok(rearrange::heads(&op, "split_heads", rows, heads)),
		OpKind::MergeHeads { rows, heads } => Ok(rearrange::heads(&op, "merge_heads", rows, heads)),
		OpKind::Causal { rows, offset, fill } => Ok(mask::causal(&op, rows, offset, fill)),
		OpKind::Dropout { stream, keep, scale } => Ok(mask::dropout(&op, stream, keep, scale)),
		OpKind::MatMulI8 { trans_a, trans_b } => matmul_i8::lower(&op, trans_a, trans_b),
		OpKind::ArgMax => sample::arg_max(&op),
		OpKind::Gumbel { stream } => Ok(sample::gumbel(&op, stream)),
		OpKind::Im2col(window) => window::lower(&op, "im2col", &window),
		OpKind::Col2im(window) => window::lower(&op, "col2im", &window),
		OpKind::Hadamard { log2, axis } => hadamard::lower(&op, log2, axis),
	}
}

/// The input at `index`.
fn input(op: &Checked<'_>, index: usize) -> Result<TensorSpec, OpError> {
	op.inputs.get(index).copied().ok_or(OpError::Shape("wrong number of inputs"))
}
