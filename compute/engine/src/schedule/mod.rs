//! How a step is executed: ops that go row by row joined into groups, an order that frees memory early, and a buffer for
//! each tensor that has to exist.
//!
//! None of it changes a bit: a group runs the kernels of its ops, the order respects who reads what, and a step that fails
//! is done again op by op to find the op that the contract names.

mod again;
mod buffers;
mod chain;
mod group;
mod order;
mod parts;

use assay_cpu::{Chain, Cpu, OpError, RowGroup, RowInput, RowOp};
use assay_program::{Operand, Program, Role, TensorId};

use crate::{packs::Wants, plan::Place};
use again::Set;

/// A piece of a step.
#[derive(Clone, Debug)]
pub(crate) enum Work {
	/// An op of the program by itself.
	Op(usize),
	/// Ops that go row by row together.
	Rows(Box<Group>),
	/// Products with the row ops around them.
	Chain(Box<ChainWork>),
}

/// A group with the tensors it reads and writes.
#[derive(Clone, Debug)]
pub(crate) struct Group {
	/// Indices of the ops, ascending.
	pub(crate) ops: Vec<usize>,
	pub(crate) rows: RowGroup,
	/// Tensors from outside, in the order of the group.
	pub(crate) given: Vec<TensorId>,
	/// Outputs that are needed outside, in the order of the group, with their buffers.
	pub(crate) kept: Vec<(TensorId, usize)>,
}

impl Work {
	/// Its ops, in the order in which they run.
	pub(crate) fn ops(&self) -> &[usize] {
		match self {
			Work::Op(op) => core::slice::from_ref(op),
			Work::Rows(group) => &group.ops,
			Work::Chain(chain) => &chain.ops,
		}
	}

	/// Tensors that it reads from memory.
	pub(crate) fn reads(&self, program: &Program) -> Vec<TensorId> {
		match self {
			Work::Op(op) => program.ops[*op].tensor_operands().collect(),
			Work::Rows(group) => group.given.clone(),
			Work::Chain(chain) => chain.given.clone(),
		}
	}

	/// Outputs that exist in memory.
	pub(crate) fn kept(&self, program: &Program) -> Vec<TensorId> {
		match self {
			Work::Op(op) => vec![program.ops[*op].output],
			Work::Rows(group) => group.kept.iter().map(|(id, _)| *id).collect(),
			Work::Chain(chain) => chain.kept.iter().map(|(id, _)| *id).collect(),
		}
	}
}

/// A chain with the tensors it reads and writes.
#[derive(Clone, Debug)]
pub(crate) struct ChainWork {
	/// Indices of the ops, in the order in which they run.
	pub(crate) ops: Vec<usize>,
	pub(crate) chain: Chain,
	/// Tensors from outside, in the order of the chain.
	pub(crate) given: Vec<TensorId>,
	/// Packed weights, by their position among those of the program.
	pub(crate) packs: Vec<usize>,
	/// Outputs that are needed outside, in the order of the chain, with their buffers.
	pub(crate) kept: Vec<(TensorId, usize)>,
}

/// What a step does, in order, and where its tensors are.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
	pub(crate) work: Vec<Work>,
	/// By tensor id; [`Place::Nowhere`] for outputs that only their group reads.
	pub(crate) places: Vec<Place>,
	/// Words of each buffer.
	pub(crate) buffers: Vec<usize>,
	/// Words of each scratch tensor that the groups need of a thread.
	pub(crate) scratch: Vec<usize>,
	/// Words of each tensor that the chains need of a thread.
	pub(crate) bands: Vec<usize>,
	/// Updates whose value changes places with the state: position of the state and buffer of the value.
	pub(crate) swaps: Vec<(usize, usize)>,
	/// Updates that are copied.
	pub(crate) copies: Vec<(usize, TensorId)>,
	/// Weights to be packed.
	pub(crate) wants: Wants,
}

impl Schedule {
	/// The schedule of a valid program, with up to `bytes` of packed weights.
	pub(crate) fn new(program: &Program, cpu: &Cpu, bytes: u64) -> Result<Self, OpError> {
		let (producers, readers) = (producers(program), Readers::new(program));
		let sets = group::groups(program, &producers, &readers);
		let sets = again::copy(program, &producers, &readers, sets);
		let needed = needed(program, &producers, &sets);
		let sets = order::order(program, &producers, &needed, sets);
		let mut work = Vec::with_capacity(sets.len());
		for set in sets {
			work.push(match set.ops.as_slice() {
				[op] => Work::Op(*op),
				_ => Work::Rows(Box::new(build(program, &producers, &needed, &set)?)),
			});
		}
		let wants = Wants::new(program, cpu, bytes);
		let work = chain::join(program, &producers, &needed, &wants, work)?;
		buffers::place(program, work, wants)
	}
}

/// By tensor id, whether an update, a metric or a set that does not compute it reads it.
fn needed(program: &Program, producers: &[Option<usize>], sets: &[Set]) -> Vec<bool> {
	let mut needed = vec![false; program.tensors.len()];
	for set in sets {
		given(program, producers, &set.ops).into_iter().for_each(|id| needed[id.0 as usize] = true);
	}
	let ends = program.updates.iter().map(|update| update.value).chain(program.metrics.iter().copied());
	ends.for_each(|id| needed[id.0 as usize] = true);
	needed
}

/// Outputs of a set that are needed outside.
fn kept(program: &Program, needed: &[bool], set: &Set) -> Vec<TensorId> {
	set.own.iter().map(|op| program.ops[*op].output).filter(|id| needed[id.0 as usize]).collect()
}

/// Outputs of ops that an op that is not one of them, an update or a metric reads.
fn outside_reads(program: &Program, readers: &Readers, ops: &[usize]) -> Vec<TensorId> {
	let outputs = ops.iter().map(|op| program.ops[*op].output);
	let outside = |id: &TensorId| {
		let of = &readers.ops[id.0 as usize];
		readers.end[id.0 as usize] || of.iter().any(|reader| ops.binary_search(reader).is_err())
	};
	outputs.filter(outside).collect()
}

/// Tensors that a set of ops reads from outside, each once.
fn given(program: &Program, producers: &[Option<usize>], ops: &[usize]) -> Vec<TensorId> {
	let mut given: Vec<TensorId> = Vec::new();
	for id in ops.iter().flat_map(|op| program.ops[*op].tensor_operands()) {
		let inside = producers[id.0 as usize].is_some_and(|producer| ops.binary_search(&producer).is_ok());
		if !inside && !given.contains(&id) {
			given.push(id);
		}
	}
	given
}

/// By tensor id, who reads it.
struct Readers {
	ops: Vec<Vec<usize>>,
	/// Whether an update or a metric does.
	end: Vec<bool>,
}

impl Readers {
	fn new(program: &Program) -> Self {
		let mut readers =
			Self { ops: vec![Vec::new(); program.tensors.len()], end: vec![false; program.tensors.len()] };
		for (index, op) in program.ops.iter().enumerate() {
			op.tensor_operands().for_each(|id| readers.ops[id.0 as usize].push(index));
		}
		let ends = program.updates.iter().map(|update| update.value).chain(program.metrics.iter().copied());
		ends.for_each(|id| readers.end[id.0 as usize] = true);
		readers
	}
}

/// By tensor id, the op that defines it.
fn producers(program: &Program) -> Vec<Option<usize>> {
	let mut producers = vec![None; program.tensors.len()];
	for (index, op) in program.ops.iter().enumerate() {
		producers[op.output.0 as usize] = Some(index);
	}
	producers
}

/// The group of a set of ops; its buffers are given later.
fn build(program: &Program, producers: &[Option<usize>], needed: &[bool], set: &Set) -> Result<Group, OpError> {
	let ops = set.ops.as_slice();
	let (given, kept) = (given(program, producers, ops), kept(program, needed, set));
	let spec = |id: TensorId| program.tensors[id.0 as usize].spec();
	let input = |operand: &Operand| match *operand {
		Operand::Scalar(bits) => RowInput::Scalar(bits),
		Operand::Tensor(id) => match given.iter().position(|given| *given == id) {
			Some(at) => RowInput::Given(at),
			None => {
				let at = producers[id.0 as usize].and_then(|producer| ops.binary_search(&producer).ok());
				RowInput::Op(at.unwrap_or(usize::MAX))
			}
		},
	};
	let row_ops: Vec<RowOp> = ops
		.iter()
		.map(|op| {
			let op = &program.ops[*op];
			let (kind, output) = (op.kind, spec(op.output));
			RowOp { kind, inputs: op.inputs.iter().map(input).collect(), output, kept: kept.contains(&op.output) }
		})
		.collect();
	let rows = RowGroup::new(&row_ops, &given.iter().map(|id| spec(*id)).collect::<Vec<_>>())?;
	Ok(Group { ops: ops.to_vec(), rows, given, kept: kept.into_iter().map(|id| (id, 0)).collect() })
}

/// Positions of the states and data tensors; temps are nowhere yet.
fn outside_places(program: &Program) -> Vec<Place> {
	let (mut states, mut data) = (0, 0);
	let place = |role: &Role| {
		let count = match role {
			Role::Param(_) | Role::State(_) => &mut states,
			Role::Data { .. } => &mut data,
			Role::Temp => return Place::Nowhere,
		};
		*count += 1;
		if role.is_state() {
			Place::State(*count - 1)
		} else {
			Place::Data(*count - 1)
		}
	};
	program.tensors.iter().map(|decl| &decl.role).map(place).collect()
}
