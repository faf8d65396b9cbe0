//! Elementwise ops that follow each other and have outputs of one shape: they become one launch of the kernel `chain`, and
//! only those outputs are written to memory that something else reads.
//!
//! The bits are those of the ops one by one: the same functions on the same operands, and each op looks for infinities and
//! NaNs of its own. An optimiser's update of a parameter is one such chain.

mod instruction;
mod registers;

use core::ops::Range;

use assay_program::{Op, Operand, Program, TensorId};

use crate::{
	grid,
	launch::{Arg, Launch, Profile},
};
pub(crate) use instruction::Place;
use instruction::{code_of, Instruction, INSTRUCTION_WORDS};
use registers::{compile, Action};

/// Most ops of a chain.
const MOST: usize = 64;
/// Threads of a block, and elements that each takes: part of the kernel.
const LANES: u32 = 128;
const EACH: u64 = 4;

/// What becomes of a program's ops, in their order.
#[derive(Debug)]
pub(crate) enum Piece {
	/// One op by itself.
	Op(usize),
	/// Two ops or more in one launch.
	Chain(Chain),
}

/// Ops in one launch.
#[derive(Debug)]
pub(crate) struct Chain {
	ops: Range<usize>,
	actions: Vec<Action>,
}

impl Piece {
	/// The ops.
	pub(crate) fn ops(&self) -> Range<usize> {
		match self {
			Piece::Op(op) => *op..*op + 1,
			Piece::Chain(chain) => chain.ops.clone(),
		}
	}

	/// Whether an op's output is written to memory, where `last_uses` are the program's.
	pub(crate) fn stores(&self, output: TensorId, last_uses: &[Option<usize>]) -> bool {
		match self {
			Piece::Op(_) => true,
			Piece::Chain(chain) => is_read_after(output, chain.ops.end, last_uses),
		}
	}
}

fn is_read_after(tensor: TensorId, end: usize, last_uses: &[Option<usize>]) -> bool {
	last_uses.get(tensor.0 as usize).copied().flatten().is_some_and(|last| last >= end)
}

/// Joins as many ops as possible to chains.
pub(crate) fn pieces(program: &Program) -> Vec<Piece> {
	let last_uses = program.last_uses();
	let mut pieces = Vec::new();
	let mut start = 0;
	while start < program.ops.len() {
		let longest = alike(program, start);
		let compiled = |end| Some((end, compile(program, start..end, &last_uses)?));
		// Nearly always the longest fits.
		let chain = (start + 2..=longest).rev().find_map(compiled);
		let end = chain.as_ref().map_or(start + 1, |(end, _)| *end);
		pieces.push(match chain {
			Some((_, actions)) => Piece::Chain(Chain { ops: start..end, actions }),
			None => Piece::Op(start),
		});
		start = end;
	}
	pieces
}

/// The end of the ops from `start` on that are elementwise and have outputs of one shape, at most [`MOST`].
fn alike(program: &Program, start: usize) -> usize {
	let shape = |op: &Op| {
		let output = program.tensors.get(op.output.0 as usize)?;
		code_of(op.kind).map(|_| (output.rows, output.cols))
	};
	let ops = program.ops.iter().skip(start).take(MOST);
	let Some(first) = program.ops.get(start).and_then(shape) else { return start };
	start + ops.take_while(|op| shape(op) == Some(first)).count()
}

impl Chain {
	/// The instructions as the kernel reads them. `place` says where a tensor is and its shape, `flags` is where the step's
	/// word per op begins.
	pub(crate) fn words(&self, program: &Program, place: impl Fn(TensorId) -> Place, flags: u64) -> Vec<u32> {
		let instruction = |action: &Action| match *action {
			Action::Fetch { to, operand: Operand::Scalar(bits) } => Instruction::constant(to, bits),
			Action::Fetch { to, operand: Operand::Tensor(id) } => Instruction::fetch(to, place(id)),
			Action::Store { from, tensor } => Instruction::store(from, place(tensor).address),
			Action::Apply { op, to, from } => {
				let flag = flags + 4 * op as u64;
				program.ops.get(op).map_or_else(Instruction::default, |op| Instruction::apply(op.kind, to, from, flag))
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
		let output = program.ops.get(self.ops.start).and_then(|op| program.tensors.get(op.output.0 as usize));
		let (rows, cols) = output.map_or((0, 0), |decl| (u64::from(decl.rows), u64::from(decl.cols)));
		let (grid, block) = grid::line((rows * cols).div_ceil(EACH), LANES, profile);
		let args = vec![Arg::Input(0), Arg::U32(self.actions.len() as u32), Arg::U64(rows), Arg::U64(cols)];
		Launch { kernel: "chain", grid, block, args }
	}
}
