//! Elementwise ops with broadcast.

use assay_program::{BinaryKind, OpKind, OperandSpec, TensorSpec, UnaryKind};

use super::single;
use crate::{
	grid,
	launch::{Arg, Lowered, Profile},
};

/// Kernel and number of inputs of an elementwise op.
pub(super) fn kernel(kind: OpKind) -> Option<(&'static str, usize)> {
	Some(match kind {
		OpKind::Unary(unary) => (unary_kernel(unary)?, 1),
		OpKind::Binary(binary) => (binary_kernel(binary)?, 2),
		OpKind::Fma => ("multiply_add", 3),
		_ => return None,
	})
}

fn unary_kernel(kind: UnaryKind) -> Option<&'static str> {
	Some(match kind {
		UnaryKind::Neg => "unary_neg",
		UnaryKind::Abs => "unary_abs",
		UnaryKind::Relu => "unary_relu",
		UnaryKind::Exp => "unary_exp",
		UnaryKind::Log => "unary_log",
		UnaryKind::Tanh => "unary_tanh",
		UnaryKind::Sqrt => "unary_sqrt",
		UnaryKind::Sigmoid => "unary_sigmoid",
		// The kernels `unary_erf`, `unary_sin`, `unary_cos` and `unary_rsqrt` wait for their kinds.
		#[allow(unreachable_patterns)]
		_ => return None,
	})
}

fn binary_kernel(kind: BinaryKind) -> Option<&'static str> {
	Some(match kind {
		BinaryKind::Add => "binary_add",
		BinaryKind::Sub => "binary_sub",
		BinaryKind::Mul => "binary_mul",
		BinaryKind::Div => "binary_div",
		BinaryKind::Max => "binary_max",
		BinaryKind::Min => "binary_min",
		BinaryKind::Greater => "binary_greater",
		#[allow(unreachable_patterns)]
		_ => return None,
	})
}

/// `inputs` are scalars and tensors that broadcast to `output`.
pub(super) fn lower(
	kernel: &'static str,
	arity: usize,
	inputs: &[OperandSpec],
	output: TensorSpec,
	profile: &Profile,
) -> Lowered {
	let elements = output.elements();
	// Where every input is whole or a constant, the matrix is one long row.
	let flat = inputs.iter().filter_map(OperandSpec::spec).all(|spec| [1, elements].contains(&spec.elements()));
	let (rows, cols) = if flat { (1, elements) } else { (u64::from(output.rows), u64::from(output.cols)) };
	let mut args = Vec::with_capacity(4 * arity + 4);
	for (input, index) in inputs.iter().take(arity).zip(0u8..) {
		args.extend(match *input {
			OperandSpec::Scalar(bits) => [Arg::Null, Arg::U64(0), Arg::U64(0), Arg::U32(bits)],
			OperandSpec::Tensor { spec, .. } => {
				let (r, c) = match flat {
					true => (1, spec.elements()),
					false => (u64::from(spec.rows), u64::from(spec.cols)),
				};
				let row_stride = if r == 1 { 0 } else { c };
				[Arg::Input(index), Arg::U64(row_stride), Arg::U64(u64::from(c != 1)), Arg::U32(0)]
			}
		});
	}
	args.extend([Arg::Output, Arg::Flag, Arg::U64(rows), Arg::U64(cols)]);
	single(kernel, grid::plane(rows, cols, profile), args)
}
