//! Which products go together with the row ops around them.
//!
//! The works of a step are gone through in their order. One that reads what an open chain made, row by row, joins it; one that
//! cannot is put behind the chain, and so is what reads that. Each work still comes after those it reads.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use assay_cpu::{
	row_reads, Chain, ChainInput, ChainProduct, ChainSlot, ChainStage, Factor, Heads, OpError, Reads, MAX_CHAIN_GIVEN,
	MAX_CHAIN_PACKED, MAX_KEPT,
};
use assay_program::{OpKind, Operand, Program, Role, TensorId};

use super::{again::Set, build, given, parts::Parts, ChainWork, Group, Work};
use crate::packs::Wants;

/// Rows below which a chain would leave threads without work.
const FEW_ROWS: u32 = 48;
/// Works that a chain may be moved before.
const MOVED: usize = 16;
/// Most works of a chain.
const MAX_WORKS: usize = 32;

/// Joins works to chains.
pub(super) fn join(
	program: &Program,
	producers: &[Option<usize>],
	needed: &[bool],
	wants: &Wants,
	works: Vec<Work>,
) -> Result<Vec<Work>, OpError> {
	let joiner = Joiner { program, producers, needed, wants };
	let mut readers: BTreeMap<TensorId, usize> = BTreeMap::new();
	for id in works.iter().flat_map(|work| joiner.reads(work)) {
		*readers.entry(id).or_default() += 1;
	}
	let ends = program.updates.iter().map(|update| update.value).chain(program.metrics.iter().copied());
	ends.for_each(|id| *readers.entry(id).or_default() += 1);
	let (mut rest, mut done) = (VecDeque::from(works), Vec::new());
	while let Some(first) = rest.pop_front() {
		let members = joiner.members(&first, &rest);
		let chain = match members.as_slice() {
			[] => None,
			members => joiner.chain(&first, members, &rest, &readers),
		};
		let Some(chain) = chain else {
			done.push(first);
			continue;
		};
		done.push(Work::Chain(Box::new(chain)));
		for at in members.into_iter().rev() {
			rest.remove(at);
		}
	}
	Ok(unread_splits_dropped(program, done))
}

/// Without the ops that put heads below each other for products that read them side by side.
fn unread_splits_dropped(program: &Program, works: Vec<Work>) -> Vec<Work> {
	let mut read: BTreeSet<TensorId> = works.iter().flat_map(|work| work.reads(program)).collect();
	read.extend(program.updates.iter().map(|update| update.value).chain(program.metrics.iter().copied()));
	let is_dropped = |work: &Work| match work {
		Work::Op(op) => {
			let op = &program.ops[*op];
			// One that nobody reads at all may still be the op that fails.
			matches!(op.kind, OpKind::SplitHeads { .. })
				&& !read.contains(&op.output)
				&& op.tensor_operands().all(|id| program.tensors[id.0 as usize].role == Role::Temp)
		}
		_ => false,
	};
	works.into_iter().filter(|work| !is_dropped(work)).collect()
}

struct Joiner<'a> {
	program: &'a Program,
	producers: &'a [Option<usize>],
	needed: &'a [bool],
	wants: &'a Wants,
}

impl Joiner<'_> {
	fn rows(&self, id: TensorId) -> u32 {
		self.program.tensors[id.0 as usize].rows
	}

	/// Rows of a work that can be a stage.
	fn stage_rows(&self, work: &Work) -> Option<u32> {
		let op = &self.program.ops[*work.ops().first()?];
		let rows = self.rows(op.output);
		let fits = match work {
			Work::Chain(_) => false,
			Work::Rows(_) => true,
			Work::Op(index) => match op.kind {
				OpKind::MatMul { .. } | OpKind::MatMulI8 { .. } => self.wants.of_op[*index].is_some(),
				OpKind::BlockMatMul { trans_a, .. } => !trans_a,
				kind => {
					(0..op.inputs.len()).all(|input| self.row_reads(kind, input, op.output, op.inputs[input]).is_some())
				}
			},
		};
		(fits && rows >= FEW_ROWS).then_some(rows)
	}

	fn row_reads(&self, kind: OpKind, input: usize, output: TensorId, operand: Operand) -> Option<Reads> {
		match operand {
			Operand::Scalar(_) => Some(Reads::SameRow),
			Operand::Tensor(id) => {
				row_reads(kind, input, self.program.tensors[id.0 as usize].spec(), self.rows(output))
			}
		}
	}

	/// The tensor of which a product in blocks may read the heads where they are, if `id` is them below each other. It is an op's
	/// output, which was looked at for infinities and NaN.
	fn heads_of(&self, id: TensorId) -> Option<(TensorId, Heads)> {
		let op = &self.program.ops[self.producers[id.0 as usize]?];
		let (OpKind::SplitHeads { rows, heads }, [Operand::Tensor(of)]) = (op.kind, op.inputs.as_slice()) else {
			return None;
		};
		self.producers[of.0 as usize]?;
		Some((*of, Heads { rows: rows as usize, heads: heads as usize }))
	}

	fn is_blocks(&self, work: &Work) -> bool {
		matches!(work, Work::Op(op) if matches!(self.program.ops[*op].kind, OpKind::BlockMatMul { .. }))
	}

	/// Tensors that a work would read as a stage.
	fn reads(&self, work: &Work) -> Vec<TensorId> {
		let mut reads = given(self.program, self.producers, work.ops());
		if self.is_blocks(work) && self.stage_rows(work).is_some() {
			reads.iter_mut().for_each(|id| *id = self.heads_of(*id).map_or(*id, |(of, _)| of));
		}
		reads
	}

	fn is_product(&self, work: &Work) -> bool {
		let Work::Op(op) = work else { return false };
		matches!(
			self.program.ops[*op].kind,
			OpKind::MatMul { .. } | OpKind::MatMulI8 { .. } | OpKind::BlockMatMul { .. }
		)
	}

	/// Whether every op of a work that reads what a chain made reads it row by row.
	fn passes(&self, work: &Work, made: &BTreeSet<TensorId>, rows: u32) -> bool {
		work.ops().iter().all(|op| {
			let op = &self.program.ops[*op];
			op.inputs.iter().enumerate().all(|(input, operand)| match operand {
				Operand::Tensor(id) if self.is_blocks(work) && self.heads_of(*id).is_some() => {
					self.heads_of(*id).is_some_and(|(of, _)| !made.contains(&of))
				}
				Operand::Tensor(id) if made.contains(id) && self.is_product(work) => input == 0,
				Operand::Tensor(id) if made.contains(id) => {
					self.rows(*id) == rows
						&& self.row_reads(op.kind, input, op.output, *operand) == Some(Reads::SameRow)
				}
				_ => true,
			})
		})
	}

	/// Positions in `rest` of the works that join `first`, ascending.
	fn members(&self, first: &Work, rest: &VecDeque<Work>) -> Vec<usize> {
		let Some(rows) = self.stage_rows(first) else { return Vec::new() };
		let mut made: BTreeSet<TensorId> = first.kept(self.program).into_iter().collect();
		let (mut behind, mut moved, mut members) = (BTreeSet::new(), 0, Vec::new());
		for (at, work) in rest.iter().enumerate() {
			if moved > MOVED || members.len() + 1 >= MAX_WORKS {
				break;
			}
			let reads = self.reads(work);
			let joins = self.stage_rows(work) == Some(rows)
				&& reads.iter().any(|id| made.contains(id))
				&& !reads.iter().any(|id| behind.contains(id))
				&& self.passes(work, &made, rows);
			let outputs = work.kept(self.program);
			if joins {
				made.extend(outputs);
				members.push(at);
			} else {
				behind.extend(outputs);
				moved += 1;
			}
		}
		members
	}

	/// The chain of works; `None` if it would have no product, or has too many tensors.
	fn chain(
		&self,
		first: &Work,
		members: &[usize],
		rest: &VecDeque<Work>,
		readers: &BTreeMap<TensorId, usize>,
	) -> Option<ChainWork> {
		let works: Vec<&Work> = core::iter::once(first).chain(members.iter().map(|at| &rest[*at])).collect();
		if !works.iter().any(|work| self.is_product(work)) {
			return None;
		}
		let mut inside: BTreeMap<TensorId, usize> = BTreeMap::new();
		for id in works.iter().flat_map(|work| self.reads(work)) {
			*inside.entry(id).or_default() += 1;
		}
		let mut parts = Parts::default();
		for work in &works {
			self.stage(work, &mut parts)?;
		}
		let slots: Vec<ChainSlot> = parts
			.slots
			.iter()
			.map(|id| {
				let kept = readers.get(id) > inside.get(id);
				let decl = &self.program.tensors[id.0 as usize];
				ChainSlot { dtype: decl.dtype, cols: decl.cols as usize, kept }
			})
			.collect();
		let kept: Vec<(TensorId, usize)> =
			parts.slots.iter().zip(&slots).filter(|(_, slot)| slot.kept).map(|(id, _)| (*id, 0)).collect();
		let fits =
			parts.given.len() <= MAX_CHAIN_GIVEN && parts.packs.len() <= MAX_CHAIN_PACKED && kept.len() <= MAX_KEPT;
		let rows = self.stage_rows(first)? as usize;
		let chain = if fits { Chain::new(parts.stages, &slots, rows).ok()? } else { return None };
		let ops = works.iter().flat_map(|work| work.ops()).copied().collect();
		Some(ChainWork { ops, chain, given: parts.given, packs: parts.packs, kept })
	}

	fn stage(&self, work: &Work, parts: &mut Parts) -> Option<()> {
		let alone;
		let group: &Group = match work {
			Work::Rows(group) => group,
			Work::Op(op) if !self.is_product(work) => {
				let set = Set { ops: vec![*op], own: vec![*op] };
				alone = build(self.program, self.producers, self.needed, &set).ok()?;
				&alone
			}
			Work::Op(op) => return self.product(*op, parts),
			Work::Chain(_) => return None,
		};
		let given = group.given.iter().map(|id| parts.input(*id)).collect();
		let kept = group.kept.iter().map(|(id, _)| parts.output(*id)).collect();
		parts.stages.push(ChainStage::Rows { group: group.rows.clone(), given, kept });
		Some(())
	}

	fn product(&self, index: usize, parts: &mut Parts) -> Option<()> {
		let op = &self.program.ops[index];
		let [Operand::Tensor(a), Operand::Tensor(b)] = *op.inputs.as_slice() else { return None };
		let inner = self.program.tensors[a.0 as usize].cols as usize;
		let (mut a, mut b, mut heads) = (a, b, [None; 2]);
		if matches!(op.kind, OpKind::BlockMatMul { .. }) {
			for (id, heads) in [&mut a, &mut b].into_iter().zip(&mut heads) {
				if let Some((of, lie)) = self.heads_of(*id) {
					(*id, *heads) = (of, Some(lie));
				}
			}
		}
		let a = parts.input(a);
		let b = match self.wants.of_op[index] {
			Some(wanted) => {
				let known = parts.packs.iter().position(|pack| *pack == wanted);
				Factor::Packed(known.unwrap_or_else(|| {
					parts.packs.push(wanted);
					parts.packs.len() - 1
				}))
			}
			None => match parts.input(b) {
				ChainInput::Given(at) => Factor::Given(at),
				ChainInput::Slot(_) => return None,
			},
		};
		let out = parts.output(op.output);
		parts.stages.push(ChainStage::Product(ChainProduct { kind: op.kind, a, b, heads, inner, out }));
		Some(())
	}
}
