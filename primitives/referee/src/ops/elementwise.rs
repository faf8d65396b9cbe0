//! Elementwise ops with broadcast.

use super::integer;
use crate::patch::Patch;
use alloc::vec::Vec;
use assay_commitment::Region;
use assay_program::{BinaryKind, OpGeometry, OpKind, OperandSpec, UnaryKind};
use assay_softfloat::{functions, F32};

/// The elements of the region, row-major. `patches` are those of the tensor operands.
pub(crate) fn elements(geometry: &OpGeometry, out: &Region, patches: &[Patch]) -> Vec<u32> {
	let mut elements = Vec::with_capacity(out.rows as usize * out.cols as usize);
	for row in out.row0..out.row0 + out.rows {
		for col in out.col0..out.col0 + out.cols {
			let mut operands = [0; 3];
			for ((operand, input), index) in operands.iter_mut().zip(geometry.inputs()).zip(0u8..) {
				*operand = match input {
					OperandSpec::Scalar(bits) => *bits,
					OperandSpec::Tensor { spec, .. } => {
						let (row, col) = (if spec.rows == 1 { 0 } else { row }, if spec.cols == 1 { 0 } else { col });
						patches.iter().find(|patch| patch.operand == index).map_or(0, |patch| patch.at(row, col))
					}
				};
			}
			elements.push(apply(geometry.kind(), operands));
		}
	}
	elements
}

/// The bits of one element.
fn apply(kind: OpKind, [a, b, c]: [u32; 3]) -> u32 {
	match kind {
		OpKind::Unary(kind) => unary(kind, F32(a)).0,
		OpKind::Binary(kind) => binary(kind, F32(a), F32(b)).0,
		OpKind::Fma => F32(a).fma(F32(b), F32(c)).0,
		OpKind::Quantise => integer::quantise(a, b),
		OpKind::Dequantise => integer::dequantise(a, b, c),
		// Not elementwise: the caller never passes them.
		OpKind::MatMul { .. }
		| OpKind::Reduce { .. }
		| OpKind::GatherBatch { .. }
		| OpKind::NextBatch
		| OpKind::OneHot
		| OpKind::Columns { .. }
		| OpKind::PadColumns { .. }
		| OpKind::Flatten
		| OpKind::Lookup
		| OpKind::ScatterRows
		| OpKind::SplitHeads { .. }
		| OpKind::MergeHeads { .. }
		| OpKind::BlockMatMul { .. }
		| OpKind::Causal { .. }
		| OpKind::Dropout { .. }
		| OpKind::Reshape
		| OpKind::MatMulI8 { .. }
		| OpKind::ArgMax
		| OpKind::Gumbel { .. }
		| OpKind::Im2col(_)
		| OpKind::Col2im(_)
		| OpKind::Hadamard { .. } => a,
	}
}

fn unary(kind: UnaryKind, x: F32) -> F32 {
	match kind {
		UnaryKind::Neg => x.neg(),
		UnaryKind::Abs => x.abs(),
		UnaryKind::Relu if x.gt(F32::ZERO) => x,
		UnaryKind::Relu => F32::ZERO,
		UnaryKind::Exp => functions::exp(x),
		UnaryKind::Log => functions::log(x),
		UnaryKind::Tanh => functions::tanh(x),
		UnaryKind::Sqrt => x.sqrt(),
		UnaryKind::Sigmoid => functions::sigmoid(x),
		UnaryKind::Erf => functions::erf(x),
		UnaryKind::Sin => functions::sin(x),
		UnaryKind::Cos => functions::cos(x),
		UnaryKind::Rsqrt => functions::rsqrt(x),
	}
}

fn binary(kind: BinaryKind, a: F32, b: F32) -> F32 {
	match kind {
		BinaryKind::Add => a.add(b),
		BinaryKind::Sub => a.sub(b),
		BinaryKind::Mul => a.mul(b),
		BinaryKind::Div => a.div(b),
		BinaryKind::Max => a.max(b),
		BinaryKind::Min => a.min(b),
		BinaryKind::Greater if a.gt(b) => F32::ONE,
		BinaryKind::Greater => F32::ZERO,
	}
}
