//! From an op to kernel launches.
//!
//! Pure: which kernels, with which grids and arguments, follows from the op, its shapes and the device's size. Neither
//! memory nor a device is needed, so the same launches run on a GPU and in the emulation.

mod elementwise;
mod mask;
mod matmul;
mod rearrange;
mod reduce;
mod root;
mod rows;

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
	if let Some((kernel, arity)) = elementwise::kernel(kind) {
		return Ok(elementwise::lower(kernel, arity, inputs, output, profile));
	}
	let tensors: Vec<TensorSpec> = inputs.iter().filter_map(OperandSpec::spec).collect();
	if tensors.len() != inputs.len() {
		return Err(OpError::Shape("the op takes a tensor where a scalar was given"));
	}
	let op = Checked { inputs: &tensors, output, seed, profile };
	match kind {
		OpKind::MatMul { trans_a, trans_b } => matmul::lower(&op, trans_a, trans_b, 1, 1),
		OpKind::BlockMatMul { trans_a, trans_b, blocks, share } => matmul::lower(&op, trans_a, trans_b, blocks, share),
		OpKind::Reduce { reduction, axis } => reduce::lower(&op, reduction, axis),
		OpKind::GatherBatch { stream } => rows::gather_batch(&op, stream),
		OpKind::OneHot => Ok(rows::one_hot(&op)),
		OpKind::Lookup => rows::lookup(&op),
		OpKind::ScatterRows => rows::scatter(&op),
		OpKind::Columns { first } => rearrange::columns(&op, first),
		OpKind::PadColumns { first } => rearrange::pad_columns(&op, first),
		OpKind::Flatten => Ok(rearrange::flatten(&op)),
		OpKind::SplitHeads { rows, heads } => Ok(rearrange::heads(&op, "split_heads", rows, heads)),
		OpKind::MergeHeads { rows, heads } => Ok(rearrange::heads(&op, "merge_heads", rows, heads)),
		OpKind::Causal { rows, offset, fill } => Ok(mask::causal(&op, rows, offset, fill)),
		OpKind::Dropout { stream, keep, scale } => Ok(mask::dropout(&op, stream, keep, scale)),
		// Kinds without a kernel: the elementwise ones were lowered above, and a kind that is new goes here until it has one.
		#[allow(unreachable_patterns)]
		_ => Err(OpError::Unsupported(kind)),
	}
}

/// The input at `index`.
fn input(op: &Checked<'_>, index: usize) -> Result<TensorSpec, OpError> {
	op.inputs.get(index).copied().ok_or(OpError::Shape("wrong number of inputs"))
}
