//! What ops cost: for prices, deadlines and the limits of a program.

use crate::{refine::OpGeometry, Axis, BinaryKind, OpKind, Program, Role, UnaryKind};
use alloc::{vec, vec::Vec};

/// Cost of one op, or of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
	/// Scalar f32 operations; a fused multiply-add counts as two.
	pub flops: u64,
	/// Bytes read and written, every operand once.
	pub bytes: u64,
	/// Scalar operations of the referee; a fused multiply-add counts as one.
	pub referee_ops: u64,
}

impl Cost {
	fn add(self, other: Cost) -> Cost {
		Cost {
			flops: self.flops.saturating_add(other.flops),
			bytes: self.bytes.saturating_add(other.bytes),
			referee_ops: self.referee_ops.saturating_add(other.referee_ops),
		}
	}
}

/// Bytes that executing a program needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
	/// All data tensors and given initial values.
	pub data: u64,
	/// All parameter and state tensors.
	pub state: u64,
	/// Most bytes of temps alive at the same time, each from its op to its last use; values of updates and metrics live
	/// to the end of the step.
	pub temps: u64,
}

impl Memory {
	/// All of it.
	pub fn total(&self) -> u64 {
		self.data.saturating_add(self.state).saturating_add(self.temps)
	}
}

/// Scalar operations of the referee for one output element of an op without an inner dimension.
pub(crate) const fn element_ops(kind: OpKind) -> u64 {
	match kind {
		OpKind::Unary(UnaryKind::Neg | UnaryKind::Abs | UnaryKind::Relu) => 1,
		OpKind::Unary(UnaryKind::Sqrt) | OpKind::Binary(BinaryKind::Div) => 8,
		OpKind::Unary(UnaryKind::Exp | UnaryKind::Log) => 24,
		OpKind::Unary(UnaryKind::Tanh) => 56,
		OpKind::Unary(UnaryKind::Erf) => 48,
		OpKind::Unary(UnaryKind::Sin | UnaryKind::Cos) => 32,
		OpKind::Unary(UnaryKind::Rsqrt) => 16,
		OpKind::Unary(UnaryKind::Sigmoid) => 40,
		OpKind::Dropout { .. } => 16,
		OpKind::Gumbel { .. } => 72,
		// A chunk has a quarter of the rows of the largest block.
		OpKind::Hadamard { log2, .. } => 4 * log2 as u64,
		OpKind::Quantise => 12,
		OpKind::Dequantise => 4,
		OpKind::Binary(_) | OpKind::Fma => 1,
		OpKind::GatherBatch { .. }
		| OpKind::NextBatch
		| OpKind::OneHot
		| OpKind::Columns { .. }
		| OpKind::PadColumns { .. }
		| OpKind::Flatten
		| OpKind::SplitHeads { .. }
		| OpKind::MergeHeads { .. }
		| OpKind::Causal { .. }
		| OpKind::Reshape => 1,
		OpKind::MatMul { .. }
		| OpKind::MatMulI8 { .. }
		| OpKind::ArgMax
		| OpKind::Im2col(_)
		| OpKind::Col2im(_)
		| OpKind::BlockMatMul { .. }
		| OpKind::Reduce { .. }
		| OpKind::Lookup
		| OpKind::ScatterRows => 0,
	}
}

impl OpGeometry {
	/// Cost of the whole op.
	pub fn cost(&self) -> Cost {
		let inputs = self.inputs().iter().filter_map(|input| input.spec());
		let output = self.output().elements();
		let written = self.output().bytes();
		let read = match self.kind() {
			OpKind::GatherBatch { .. } | OpKind::NextBatch | OpKind::Lookup => written,
			_ => inputs.clone().fold(0, |sum: u64, spec| sum.saturating_add(spec.bytes())),
		};
		let bytes = read.saturating_add(written);
		let first = inputs.clone().next();
		let (flops, referee_ops) = match (self.kind(), first) {
			(OpKind::MatMul { trans_a, .. } | OpKind::MatMulI8 { trans_a, .. }, Some(a)) => {
				let fmas = output.saturating_mul(u64::from(if trans_a { a.rows } else { a.cols }));
				(fmas.saturating_mul(2), fmas)
			}
			(OpKind::Reduce { axis, .. }, Some(x)) => {
				let inner = match axis {
					Axis::Rows => x.rows,
					Axis::Cols => x.cols,
				};
				let tree = u64::from(inner.div_ceil(crate::refine::REDUCE_SEGMENT)) * 32;
				let ops = output.saturating_mul(u64::from(inner) + tree);
				(ops, ops)
			}
			(OpKind::BlockMatMul { trans_a, blocks, .. }, Some(a)) => {
				let inner = if trans_a { a.rows.checked_div(blocks).unwrap_or(0) } else { a.cols };
				let fmas = output.saturating_mul(u64::from(inner));
				(fmas.saturating_mul(2), fmas)
			}
			(OpKind::ArgMax, Some(x)) => {
				let ops = output.saturating_mul(x.cols.into());
				(ops, ops)
			}
			(OpKind::Im2col(window), _) => (0, output.saturating_mul(window.kernel_height.into())),
			(OpKind::Col2im(window), _) => {
				let ops = output.saturating_mul(window.places().unwrap_or(0).into());
				(ops, ops)
			}
			// A backend finds the rows; the referee walks the table.
			(OpKind::Lookup, Some(table)) => (0, output.saturating_mul(table.rows.into())),
			(OpKind::ScatterRows, Some(ids)) => {
				let cols = u64::from(self.output().cols);
				(cols.saturating_mul(ids.rows.into()), output.saturating_mul(ids.rows.into()))
			}
			(
				OpKind::GatherBatch { .. }
				| OpKind::NextBatch
				| OpKind::OneHot
				| OpKind::Columns { .. }
				| OpKind::PadColumns { .. }
				| OpKind::Flatten
				| OpKind::SplitHeads { .. }
				| OpKind::MergeHeads { .. }
				| OpKind::Causal { .. }
				| OpKind::Reshape,
				_,
			) => (0, output),
			(OpKind::Fma, _) => (output.saturating_mul(2), output),
			(kind, _) => {
				let ops = output.saturating_mul(element_ops(kind));
				(ops, ops)
			}
		};
		Cost { flops, bytes, referee_ops }
	}
}

impl Program {
	/// Cost of one step. Ops that are not well formed count nothing: validate first.
	pub fn step_cost(&self) -> Cost {
		(0..self.ops.len())
			.filter_map(|index| self.geometry(index).ok())
			.fold(Cost::default(), |sum, op| sum.add(op.cost()))
	}

	/// Bytes that executing the program needs, unpadded. Meaningful for a valid program.
	pub fn memory(&self) -> Memory {
		let bytes = |id: u32| self.tensors.get(id as usize).map_or(0, |decl| decl.spec().bytes());
		let mut memory = Memory::default();
		for (decl, id) in self.tensors.iter().zip(0u32..) {
			if decl.role.given_root().is_some() {
				memory.data = memory.data.saturating_add(bytes(id));
			}
			match decl.role {
				Role::Param(_) | Role::State(_) => memory.state = memory.state.saturating_add(bytes(id)),
				Role::Data { .. } | Role::Temp => {}
			}
		}
		let last_use = self.last_uses();
		let mut dying: Vec<u64> = vec![0; self.ops.len().saturating_add(1)];
		let mut alive = 0u64;
		for (index, op) in self.ops.iter().enumerate() {
			let size = bytes(op.output.0);
			alive = alive.saturating_add(size);
			memory.temps = memory.temps.max(alive);
			let last = last_use.get(op.output.0 as usize).copied().flatten().unwrap_or(index);
			if let Some(dying) = dying.get_mut(last.max(index)) {
				*dying = dying.saturating_add(size);
			}
			alive = alive.saturating_sub(dying.get(index).copied().unwrap_or(0));
		}
		memory
	}

	/// For every tensor the index of the last op that reads it; the number of ops if it is needed to the end of the
	/// step; `None` if nothing reads it.
	pub fn last_uses(&self) -> Vec<Option<usize>> {
		let mut last = vec![None; self.tensors.len()];
		let mut mark = |id: u32, at: usize| {
			if let Some(last) = last.get_mut(id as usize) {
				*last = Some(at);
			}
		};
		for (index, op) in self.ops.iter().enumerate() {
			op.tensor_operands().for_each(|id| mark(id.0, index));
		}
		self.updates.iter().for_each(|update| mark(update.value.0, self.ops.len()));
		self.metrics.iter().for_each(|id| mark(id.0, self.ops.len()));
		last
	}
}
