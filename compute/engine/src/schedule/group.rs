//! Which ops go together.
//!
//! Ops are joined along the tensors that pass from one to the next row by row. Two sets may be joined if nothing outside
//! lies between them: an op that reads the one and is read by the other would have to run in their middle. To tell, the
//! sets are kept in an order in which each comes after those it reads; what lies between two is then between them there.

use assay_cpu::{row_reads, Reads, MAX_GIVEN, MAX_KEPT};
use assay_program::{OpKind, Program};

use super::{given, outside_reads, Readers};

/// Sets between two that are looked at; of sets further apart it is not found out whether they may be joined.
const WINDOW: usize = 1024;
/// Most ops of a set.
const MAX_OPS: usize = 96;
/// Rows below which large tensors are not gone through row by row: there would be little for several threads.
const FEW_ROWS: u32 = 64;
/// Elements of a tensor that few rows may have.
const SMALL: u64 = 1 << 16;

/// The ops of a program in disjoint sets, each ascending, in an order in which each comes after those it reads.
pub(super) fn groups(program: &Program, producers: &[Option<usize>], readers: &Readers) -> Vec<Vec<usize>> {
	let mut sets = Sets::new(program, producers, readers);
	for consumer in 0..program.ops.len() {
		let op = &program.ops[consumer];
		for (input, id) in op.inputs.iter().enumerate() {
			let assay_program::Operand::Tensor(id) = *id else { continue };
			let Some(producer) = sets.producers[id.0 as usize] else { continue };
			if sets.passes_rows(producer, consumer, input) {
				sets.try_join(sets.of[producer], sets.of[consumer]);
			}
		}
	}
	sets.order.iter().map(|set| core::mem::take(&mut sets.ops[*set])).filter(|ops| !ops.is_empty()).collect()
}

/// Whether there are enough rows for several threads, or little to do, and the op can be in a group at all.
pub(super) fn may_go_by_rows(program: &Program, op: usize) -> bool {
	let op = &program.ops[op];
	let output = program.tensors[op.output.0 as usize].spec();
	let large = output.elements() > SMALL;
	(output.rows >= FEW_ROWS || !large) && row_reads(op.kind, 0, output, output.rows).is_some()
}

fn is_flat(kind: OpKind) -> bool {
	matches!(kind, OpKind::Unary(_) | OpKind::Binary(_) | OpKind::Fma)
}

struct Sets<'a> {
	program: &'a Program,
	producers: &'a [Option<usize>],
	readers: &'a Readers,
	/// By op, its set.
	of: Vec<usize>,
	/// By set, its ops, ascending.
	ops: Vec<Vec<usize>>,
	/// Sets, each after those it reads; some are empty.
	order: Vec<usize>,
	/// By set, its position in the order.
	position: Vec<usize>,
}

impl<'a> Sets<'a> {
	fn new(program: &'a Program, producers: &'a [Option<usize>], readers: &'a Readers) -> Self {
		let count = program.ops.len();
		Self {
			program,
			producers,
			readers,
			of: (0..count).collect(),
			ops: (0..count).map(|op| vec![op]).collect(),
			order: (0..count).collect(),
			position: (0..count).collect(),
		}
	}

	/// Whether both ops can be in a group and the consumer's rows need only the same rows of the producer's output.
	fn passes_rows(&self, producer: usize, consumer: usize, input: usize) -> bool {
		let (from, to) = (&self.program.ops[producer], &self.program.ops[consumer]);
		let spec = |id: assay_program::TensorId| self.program.tensors[id.0 as usize].spec();
		let (passed, output) = (spec(from.output), spec(to.output));
		let flat = passed == output && is_flat(from.kind) && is_flat(to.kind);
		passed.rows == output.rows
			&& (flat || may_go_by_rows(self.program, producer) && may_go_by_rows(self.program, consumer))
			&& row_reads(from.kind, 0, passed, passed.rows).is_some()
			&& row_reads(to.kind, input, passed, output.rows) == Some(Reads::SameRow)
	}

	/// Joins `first`, which `second` reads, with it, if that is allowed.
	fn try_join(&mut self, first: usize, second: usize) {
		let (start, end) = (self.position[first], self.position[second]);
		if first == second || end <= start || end - start > WINDOW {
			return;
		}
		if self.ops[first].len() + self.ops[second].len() > MAX_OPS || !self.all_pass_rows(first, second) {
			return;
		}
		// What follows from `first`, up to `second`.
		let mut follows = vec![false; end - start + 1];
		follows[0] = true;
		for at in start + 1..=end {
			let reads = |producer: usize| {
				let position = self.position[self.of[producer]];
				// That `second` reads `first` is what is to be joined.
				(start..at).contains(&position) && follows[position - start] && !(at == end && position == start)
			};
			follows[at - start] = self.inputs(self.order[at]).any(reads);
		}
		if follows[end - start] {
			return;
		}
		let mut ops = [self.ops[first].as_slice(), self.ops[second].as_slice()].concat();
		ops.sort_unstable();
		let (reads, keeps) =
			(given(self.program, self.producers, &ops), outside_reads(self.program, self.readers, &ops));
		if reads.len() > MAX_GIVEN || keeps.len() > MAX_KEPT {
			return;
		}
		let between = (start + 1..end).map(|at| (self.order[at], follows[at - start]));
		let (after, before): (Vec<_>, Vec<_>) = between.partition(|(_, follows)| *follows);
		// The emptied set keeps a place, so that positions outside stay.
		let joined = [first].into_iter().chain(before.into_iter().map(|(set, _)| set));
		let joined: Vec<usize> = joined.chain([second]).chain(after.into_iter().map(|(set, _)| set)).collect();
		for op in &ops {
			self.of[*op] = second;
		}
		self.ops[second] = ops;
		self.ops[first].clear();
		self.order.splice(start..=end, joined);
		for at in start..=end {
			self.position[self.order[at]] = at;
		}
	}

	/// Producers that the ops of a set read.
	fn inputs(&self, set: usize) -> impl Iterator<Item = usize> + '_ {
		let ids = self.ops[set].iter().flat_map(|op| self.program.ops[*op].tensor_operands());
		ids.filter_map(|id| self.producers[id.0 as usize])
	}

	/// Whether everything that `second` reads of `first` is read row by row.
	fn all_pass_rows(&self, first: usize, second: usize) -> bool {
		self.ops[second].iter().all(|consumer| {
			self.program.ops[*consumer].inputs.iter().enumerate().all(|(input, operand)| {
				let assay_program::Operand::Tensor(id) = *operand else { return true };
				match self.producers[id.0 as usize] {
					Some(producer) if self.of[producer] == first => self.passes_rows(producer, *consumer, input),
					_ => true,
				}
			})
		})
	}
}
