//! Ops that go together in one launch, so that what only they read is never in memory.
//!
//! Two kinds of group: elementwise ops with outputs of one shape (kernel `chain`; an optimiser's update of a parameter is one),
//! and ops that go row by row, with sums and maxima over the columns among them (kernel `chain_rows`; a softmax, a layer norm, a
//! cross-entropy and their gradients are some). A group may hold elementwise ops, also `Quantise` and `Dequantise`, `Causal`,
//! `Dropout`, `OneHot`, and `Reduce` over the columns; all have the same rows, and as many columns or one.
//!
//! The bits are those of the ops one by one: the same functions on the same operands, reductions in the contract's lanes, tree
//! and segments, and each op looks for infinities and NaNs of its own. That something is computed again from the same operands,
//! by a later pass over a row or by another group, does not change it.

mod again;
mod group;
mod instruction;
mod readers;
mod shape;
mod slots;
mod steps;
#[cfg(test)]
mod tests;
mod traffic;

use std::collections::BTreeSet;

use assay_program::{philox::Key, OpKind, Operand, Program, TensorId};

use crate::{
	grid,
	launch::{Arg, Launch, Profile},
};
pub(crate) use group::pieces;
pub(crate) use instruction::Place;
use instruction::{Instruction, INSTRUCTION_WORDS};
pub(crate) use readers::Readers;
use slots::Action;
use steps::{Plan, Value};
pub(crate) use traffic::Moved;

/// Threads of a block, and elements that each takes: part of the kernels.
const THREADS: u32 = 128;
const EACH: u64 = 4;
/// Threads of a warp, and elements of a reduction's segment, of which one warp takes one.
const LANES: u32 = 32;
const SEGMENT: u64 = 4096;

/// What becomes of a program's ops.
#[derive(Debug)]
pub(crate) enum Piece {
	/// One op by itself.
	Op(usize),
	/// Two ops or more in one launch.
	Chain(Box<Chain>),
}

/// Ops in one launch.
#[derive(Debug)]
pub(crate) struct Chain {
	/// Ascending.
	ops: Vec<usize>,
	/// Ops of other pieces that are computed again, ascending.
	copies: Vec<usize>,
	actions: Vec<Action>,
	/// Outputs that are written to memory.
	stored: BTreeSet<TensorId>,
	rows: u64,
	cols: u64,
	/// Whether it is elementwise, and whether its elements are one row.
	elementwise: bool,
	flat: bool,
}

impl Piece {
	/// The ops, ascending.
	pub(crate) fn ops(&self) -> &[usize] {
		match self {
			Piece::Op(op) => core::slice::from_ref(op),
			Piece::Chain(chain) => &chain.ops,
		}
	}

	/// Whether an op's output is written to memory.
	pub(crate) fn stores(&self, output: TensorId) -> bool {
		match self {
			Piece::Op(_) => true,
			Piece::Chain(chain) => chain.stored.contains(&output),
		}
	}

	/// Tensors that it reads from memory.
	pub(crate) fn reads(&self, program: &Program) -> BTreeSet<TensorId> {
		match self {
			Piece::Op(op) => program.ops.get(*op).map(|op| op.tensor_operands().collect()).unwrap_or_default(),
			Piece::Chain(chain) => chain.reads(program),
		}
	}

	/// Tensors that its ops make.
	pub(crate) fn outputs<'a>(&'a self, program: &'a Program) -> impl Iterator<Item = TensorId> + 'a {
		self.ops().iter().filter_map(|op| program.ops.get(*op)).map(|op| op.output)
	}
}

impl Chain {
	fn new(program: &Program, ops: Vec<usize>, copies: Vec<usize>, plan: &Plan, actions: Vec<Action>) -> Self {
		let (rows, cols) = (u64::from(plan.extent.rows), u64::from(plan.extent.cols.unwrap_or(1)));
		let whole = |input: &Operand| match *input {
			Operand::Scalar(_) => true,
			Operand::Tensor(id) => {
				program.decl(id).is_some_and(|decl| [1, rows * cols].contains(&decl.spec().elements()))
			}
		};
		let by_place = |kind| matches!(kind, OpKind::Causal { .. } | OpKind::OneHot);
		let mut each = ops.iter().chain(&copies).filter_map(|op| program.ops.get(*op));
		// Where every input is whole or a constant, the matrix is one long row.
		let flat = plan.elementwise && each.all(|op| !by_place(op.kind) && op.inputs.iter().all(whole));
		Self { ops, copies, actions, stored: plan.stored.clone(), rows, cols, elementwise: plan.elementwise, flat }
	}

	/// Tensors that it reads and does not make.
	fn reads(&self, program: &Program) -> BTreeSet<TensorId> {
		let ops = || self.ops.iter().chain(&self.copies).filter_map(|op| program.ops.get(*op));
		let made: BTreeSet<TensorId> = ops().map(|op| op.output).collect();
		ops().flat_map(|op| op.tensor_operands()).filter(|id| !made.contains(id)).collect()
	}

	/// The instructions as the kernels read them. `place` says where a tensor is and its shape, `flags` is where the step's
	/// word per op begins.
	pub(crate) fn words(&self, program: &Program, place: impl Fn(TensorId) -> Place, flags: u64) -> Vec<u32> {
		let instruction = |action: &Action| match *action {
			Action::Section { length, across } => Instruction::section(length, across),
			Action::Fetch { to, value: Value::Constant(bits) } => Instruction::constant(to, bits),
			Action::Fetch { to, value: Value::Tensor(id) } => Instruction::fetch(to, place(id), self.flat),
			Action::Store { from, tensor, once } => Instruction::store(from, place(tensor), once),
			Action::Apply { op, to, from, constant, first } => {
				let flag = if first { flags + 4 * op as u64 } else { 0 };
				let apply = |op: &assay_program::Op| Instruction::apply(op.kind, to, from, constant, flag);
				program.ops.get(op).map_or_else(Instruction::default, apply)
			}
		};
		self.actions.iter().flat_map(|action| instruction(action).words()).collect()
	}

	/// How many words the instructions are.
	pub(crate) fn word_count(&self) -> u64 {
		self.actions.len() as u64 * INSTRUCTION_WORDS as u64
	}

	/// The launch; input 0 is the memory that holds the instructions.
	pub(crate) fn launch(&self, program: &Program, profile: &Profile) -> Launch {
		let (rows, cols) = if self.flat { (1, self.rows * self.cols) } else { (self.rows, self.cols) };
		let mut args = vec![Arg::Input(0), Arg::U32(self.actions.len() as u32), Arg::U64(rows), Arg::U64(cols)];
		let (kernel, (grid, block)) = if self.elementwise {
			("chain", grid::line((rows * cols).div_ceil(EACH), THREADS, profile))
		} else {
			// A long row is a block's, a short one a warp's.
			let warps = THREADS / LANES;
			let team = if cols > SEGMENT { warps } else { 1 };
			args.push(Arg::U32(team));
			("chain_rows", grid::blocks(rows.div_ceil(u64::from(warps / team)), [THREADS, 1, 1], profile))
		};
		let Key([key0, key1]) = Key::dropout(&program.header.seed);
		args.extend([Arg::U32(key0), Arg::U32(key1), Arg::Step]);
		Launch { kernel, grid, block, args }
	}
}
