//! Outputs that are computed again where they are read.
//!
//! An elementwise function costs a few cycles where writing its output to memory and reading it later costs many times that. So
//! a set that reads an output of another gets a copy of the op instead, if the op is cheap and what it reads is at hand. The bits
//! are the same: the op is.

use assay_cpu::{row_reads, Reads, MAX_GIVEN};
use assay_program::{Op, OpKind, Operand, Program, TensorId, UnaryKind};

use super::{given, group::may_go_by_rows, Readers};

/// Most ops of a set with copies.
const MAX_OPS: usize = 128;

/// A set of ops.
#[derive(Clone, Debug)]
pub(super) struct Set {
	/// Its ops, ascending, with copies.
	pub(super) ops: Vec<usize>,
	/// Those that are its own, ascending: each op is one set's.
	pub(super) own: Vec<usize>,
}

impl Set {
	pub(super) fn has(&self, op: usize) -> bool {
		self.ops.binary_search(&op).is_ok()
	}
}

/// Adds copies to the sets.
pub(super) fn copy(
	program: &Program,
	producers: &[Option<usize>],
	readers: &Readers,
	sets: Vec<Vec<usize>>,
) -> Vec<Set> {
	let mut sets: Vec<Set> = sets.into_iter().map(|ops| Set { own: ops.clone(), ops }).collect();
	let mut home = vec![0; program.ops.len()];
	for (at, set) in sets.iter().enumerate() {
		set.ops.iter().for_each(|op| home[*op] = at);
	}
	// By op, the sets that have a copy.
	let mut copies: Vec<Vec<usize>> = vec![Vec::new(); program.ops.len()];
	// Later ops first: a copy may need what an earlier one gives, which is then looked at.
	for (index, op) in program.ops.iter().enumerate().rev() {
		if !is_cheap(op) || readers.end[op.output.0 as usize] {
			continue;
		}
		let mut outside: Vec<usize> = Vec::new();
		for reader in &readers.ops[op.output.0 as usize] {
			for set in core::iter::once(&home[*reader]).chain(&copies[*reader]) {
				if *set != home[index] && !outside.contains(set) {
					outside.push(*set);
				}
			}
		}
		if outside.is_empty() {
			continue;
		}
		let at_hand: Vec<Option<usize>> =
			outside.iter().map(|set| missing(program, producers, &sets[*set], index)).collect();
		// Where nobody needs it from memory any more, one large input may take its place there.
		let allowed = if at_hand.iter().all(|missing| missing.is_some_and(|missing| missing <= 1)) { 1 } else { 0 };
		for (set, missing) in outside.into_iter().zip(at_hand) {
			if missing.is_some_and(|missing| missing <= allowed) {
				let place = sets[set].ops.partition_point(|op| *op < index);
				sets[set].ops.insert(place, index);
				copies[index].push(set);
			}
		}
	}
	sets
}

fn is_cheap(op: &Op) -> bool {
	matches!(
		op.kind,
		OpKind::Unary(UnaryKind::Neg | UnaryKind::Abs | UnaryKind::Relu | UnaryKind::Sqrt)
			| OpKind::Binary(_)
			| OpKind::Fma
			| OpKind::OneHot
	)
}

/// How many large inputs of op `index` a set would have to read to have a copy; `None` if it cannot have one.
fn missing(program: &Program, producers: &[Option<usize>], set: &Set, index: usize) -> Option<usize> {
	let (op, spec) = (&program.ops[index], |id: TensorId| program.tensors[id.0 as usize].spec());
	let output = spec(op.output);
	let own = &program.ops[*set.ops.first()?];
	let fits = spec(own.output).rows == output.rows
		&& set.ops.len() < MAX_OPS
		&& set.ops.iter().all(|op| may_go_by_rows(program, *op))
		&& may_go_by_rows(program, index);
	// What reads the output must read it row by row.
	let by_rows = set.ops.iter().all(|reader| {
		let reader = &program.ops[*reader];
		reader.inputs.iter().enumerate().all(|(input, operand)| {
			*operand != Operand::Tensor(op.output)
				|| row_reads(reader.kind, input, output, spec(reader.output).rows) == Some(Reads::SameRow)
		})
	});
	let reads = given(program, producers, &set.ops);
	if !fits || !by_rows || reads.len() + 2 > MAX_GIVEN {
		return None;
	}
	let needed = op.tensor_operands().filter(|id| {
		let inside = producers[id.0 as usize].is_some_and(|producer| set.has(producer));
		let small = spec(*id).elements() * 8 <= output.elements();
		!inside && !small && !reads.contains(id)
	});
	Some(needed.count())
}
