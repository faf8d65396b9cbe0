//! Elementwise ops with broadcast.

use assay_program::{BinaryKind, OperandSpec, UnaryKind};

use super::{single, Checked};
use crate::{
	grid,
	launch::{Arg, Lowered},
};

pub(super) fn unary(kind: UnaryKind) -> &'static str {
	match kind {
		UnaryKind::Neg => "unary_neg",
		UnaryKind::Abs => "unary_abs",
		UnaryKind::Relu => "unary_relu",
		UnaryKind::Exp => "unary_exp",
		UnaryKind::Log => "unary_log",
		UnaryKind::Tanh => "unary_tanh",
		UnaryKind::Sqrt => "unary_sqrt",
		UnaryKind::Sigmoid => "unary_sigmoid",
		UnaryKind::Erf => "unary_erf",
		UnaryKind::Sin => "unary_sin",
		UnaryKind::Cos => "unary_cos",
		UnaryKind::Rsqrt => "unary_rsqrt",
	}
}

pub(super) fn binary(kind: BinaryKind) -> &'static str {
	match kind {
		BinaryKind::Add => "binary_add",
		BinaryKind::Sub => "binary_sub",
		BinaryKind::Mul => "binary_mul",
		BinaryKind::Div => "binary_div",
		BinaryKind::Max => "binary_max",
		BinaryKind::Min => "binary_min",
		BinaryKind::Greater => "binary_greater",
	}
}

/// `inputs` are scalars and tensors that broadcast to the output.
pub(super) fn lower(kernel: &'static str, inputs: &[OperandSpec], op: &Checked<'_>) -> Lowered {
	let elements = op.output.elements();
	// Where every input is whole or a constant, the matrix is one long row.
	let flat = inputs.iter().filter_map(OperandSpec::spec).all(|spec| [1, elements].contains(&spec.elements()));
	let (rows, cols) = if flat { (1, elements) } else { (op.rows(), op.cols()) };
	let mut args = Vec::with_capacity(4 * inputs.len() + 4);
	for (input, index) in inputs.iter().zip(0u8..) {
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
	args.extend([Arg::Output, op.flag(), Arg::U64(rows), Arg::U64(cols)]);
	single(kernel, grid::plane(rows, cols, op.profile), args)
}
