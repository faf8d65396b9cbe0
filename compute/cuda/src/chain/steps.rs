//! A group of ops as steps over a row, before its values have slots.
//!
//! A sum or a maximum over the columns is known only when the whole row was seen. So a row is gone through several times: each
//! pass ends with the reductions whose inputs it has, and later passes use their results. An element that a later pass needs
//! again is read again, if it is in memory, or computed again by the same ops; an op looks for infinities and NaNs the first
//! time. What would take many ops or reads to have again is written to memory although only the group reads it.

use std::collections::{BTreeMap, BTreeSet};

use assay_program::{OpKind, Operand, Program, TensorId};

use super::{
	readers::Readers,
	shape::{part_of, spec_of, Extent, Part},
};

/// Most passes over a row.
const MOST_PASSES: usize = 8;
/// Most ops and reads of memory that a later pass does to have a value again.
const MOST_AGAIN: (usize, usize) = (6, 2);

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
	/// A tensor's element, or what it has for a row.
	Tensor(TensorId),
	/// A constant.
	Constant(u32),
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
	/// A value comes from memory, or is a constant.
	Fetch(Value),
	/// An op of the program. `first`: it looks for infinities and NaNs.
	Apply { op: usize, first: bool },
	/// A value goes to memory; `once` for a row.
	Store { tensor: TensorId, once: bool },
}

/// Steps that are done once for a row, or for each of its elements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
	pub(super) across: bool,
	pub(super) steps: Vec<Step>,
	/// Outputs of the reductions that it makes.
	pub(super) reductions: Vec<TensorId>,
	/// What there is once for a row and is used in it.
	pub(super) holds: BTreeSet<Value>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
	pub(super) sections: Vec<Section>,
	/// Outputs that are written to memory.
	pub(super) stored: BTreeSet<TensorId>,
	/// Whether it is elementwise with outputs of one shape, so that rows do not matter.
	pub(super) elementwise: bool,
	pub(super) extent: Extent,
}

/// The group of these ops, with `copies` of others that it computes again, both ascending, which stores what is needed. `None`
/// if it would take more than a group has.
pub(super) fn plan(
	program: &Program,
	readers: &Readers,
	ops: &[usize],
	copies: &[usize],
	needed: &dyn Fn(TensorId) -> bool,
) -> Option<Plan> {
	let all: BTreeSet<usize> = ops.iter().chain(copies).copied().collect();
	let mut extent: Option<Extent> = None;
	let mut parts = BTreeMap::new();
	for index in &all {
		let (part, of) = part_of(program, program.ops.get(*index)?)?;
		extent = Some(extent.map_or(Some(of), |extent| extent.with(of))?);
		parts.insert(*index, part);
	}
	let extent = extent?;
	let kinds = |part| parts.values().all(|other| *other == part);
	let elementwise = kinds(Part::Wide) || kinds(Part::Narrow);
	let mut planner = Planner {
		program,
		ops,
		all,
		parts,
		elementwise,
		producers: BTreeMap::new(),
		known: BTreeMap::new(),
		stored: BTreeSet::new(),
	};
	planner.levels()?;
	let kept = ops.iter().filter_map(|index| program.ops.get(*index)).map(|op| op.output);
	planner.stored = kept.filter(|id| needed(*id)).collect();
	planner.store_what_is_dear(readers)?;
	let passes = planner.known.values().max().copied().unwrap_or(0) + 1;
	let mut sections = Vec::new();
	for pass in 0..passes {
		let (once, across) = planner.pass(pass)?;
		sections.extend([once, across].into_iter().filter(|section| !section.steps.is_empty()));
	}
	let count = sections.iter().filter(|section| section.across).count();
	(count <= MOST_PASSES).then_some(Plan { sections, stored: planner.stored, elementwise, extent })
}

struct Planner<'a> {
	program: &'a Program,
	/// Those that look for infinities and NaNs, and with them those that are done only where their output is read.
	ops: &'a [usize],
	all: BTreeSet<usize>,
	parts: BTreeMap<usize, Part>,
	elementwise: bool,
	/// By output, the op.
	producers: BTreeMap<TensorId, usize>,
	/// By output, the first pass in which it is known.
	known: BTreeMap<TensorId, usize>,
	stored: BTreeSet<TensorId>,
}

impl Planner<'_> {
	/// Finds the pass in which each output is first known.
	fn levels(&mut self) -> Option<()> {
		for index in &self.all {
			let op = self.program.ops.get(*index)?;
			let inputs = op.tensor_operands().filter_map(|id| self.known.get(&id)).max().copied().unwrap_or(0);
			// The result of a reduction is there when its pass is over.
			let known = if self.parts.get(index) == Some(&Part::Reduction) { inputs + 1 } else { inputs };
			self.known.insert(op.output, known);
			self.producers.insert(op.output, *index);
		}
		Some(())
	}

	/// Whether it has an element for every column of the group.
	fn is_wide(&self, id: TensorId) -> bool {
		match self.producers.get(&id).and_then(|op| self.parts.get(op)) {
			Some(part) => self.elementwise || *part == Part::Wide,
			None => self.elementwise || spec_of(self.program, id).is_some_and(|spec| spec.cols > 1),
		}
	}

	/// Marks outputs that later passes need and that are dear to have again.
	fn store_what_is_dear(&mut self, readers: &Readers) -> Option<()> {
		for index in self.ops {
			let id = self.program.ops.get(*index)?.output;
			let known = *self.known.get(&id)?;
			let later = |reader: &usize| {
				let output = self.program.ops.get(*reader).map(|op| op.output);
				let at = output.and_then(|output| self.known.get(&output)).copied().unwrap_or(0);
				let reduction = self.parts.get(reader) == Some(&Part::Reduction);
				self.parts.contains_key(reader) && at > known + usize::from(reduction)
			};
			if self.is_wide(id) && !self.stored.contains(&id) && readers.of(id).iter().any(later) {
				let (mut ops, mut reads) = (BTreeSet::new(), BTreeSet::new());
				self.again(id, &mut ops, &mut reads)?;
				if ops.len() > MOST_AGAIN.0 || reads.len() > MOST_AGAIN.1 {
					self.stored.insert(id);
				}
			}
		}
		Some(())
	}

	/// Ops and reads of memory that it takes to have a value again.
	fn again(&self, id: TensorId, ops: &mut BTreeSet<usize>, reads: &mut BTreeSet<TensorId>) -> Option<()> {
		let Some(producer) = self.producers.get(&id).filter(|_| !self.stored.contains(&id)) else {
			// One row for all of them stays in the cache.
			if spec_of(self.program, id)?.rows > 1 {
				reads.insert(id);
			}
			return Some(());
		};
		if self.is_wide(id) && ops.insert(*producer) {
			for input in self.program.ops.get(*producer)?.tensor_operands().filter(|id| self.is_wide(*id)) {
				self.again(input, ops, reads)?;
			}
		}
		Some(())
	}

	/// What a pass does once for each row before it, and what for each element.
	fn pass(&self, pass: usize) -> Option<(Section, Section)> {
		let mut sections = (Section::default(), Section { across: true, ..Section::default() });
		let mut present = BTreeSet::new();
		for index in self.ops {
			let op = self.program.ops.get(*index)?;
			let part = *self.parts.get(index)?;
			let known = *self.known.get(&op.output)?;
			let stored = self.stored.contains(&op.output);
			if part == Part::Reduction && known == pass && stored {
				sections.0.steps.push(Step::Store { tensor: op.output, once: true });
			}
			match part {
				Part::Narrow if known == pass && !self.elementwise => {
					for value in fetched_inputs(op) {
						let made_here = matches!(value, Value::Tensor(id) if self.producers.contains_key(&id));
						if !made_here && present.insert(value) {
							sections.0.steps.push(Step::Fetch(value));
						}
					}
					sections.0.steps.push(Step::Apply { op: *index, first: true });
					if stored {
						sections.0.steps.push(Step::Store { tensor: op.output, once: true });
					}
				}
				Part::Reduction if known == pass + 1 => {
					self.inputs(*index, &mut sections, &mut present)?;
					sections.1.steps.push(Step::Apply { op: *index, first: true });
					sections.1.reductions.push(op.output);
				}
				Part::Wide | Part::Narrow if known == pass && (self.elementwise || part == Part::Wide) => {
					self.inputs(*index, &mut sections, &mut present)?;
					sections.1.steps.push(Step::Apply { op: *index, first: true });
					present.insert(Value::Tensor(op.output));
					if stored {
						sections.1.steps.push(Step::Store { tensor: op.output, once: false });
					}
				}
				_ => {}
			}
		}
		Some(sections)
	}

	/// Makes the inputs of an op that goes over elements present.
	fn inputs(&self, index: usize, sections: &mut (Section, Section), present: &mut BTreeSet<Value>) -> Option<()> {
		for value in fetched_inputs(self.program.ops.get(index)?) {
			let wide = match value {
				Value::Tensor(id) => self.is_wide(id),
				Value::Constant(_) => self.elementwise,
			};
			let producer = match value {
				Value::Tensor(id) => self.producers.get(&id).copied(),
				Value::Constant(_) => None,
			};
			if !wide {
				sections.1.holds.insert(value);
				if producer.is_none() && present.insert(value) {
					sections.0.steps.push(Step::Fetch(value));
				}
				continue;
			}
			if present.contains(&value) {
				continue;
			}
			let stored = matches!(value, Value::Tensor(id) if self.stored.contains(&id));
			match producer.filter(|_| !stored) {
				None => sections.1.steps.push(Step::Fetch(value)),
				Some(producer) => {
					self.inputs(producer, sections, present)?;
					sections.1.steps.push(Step::Apply { op: producer, first: false });
				}
			}
			present.insert(value);
		}
		Some(())
	}
}

/// What an op needs in slots: its tensors, and constants beyond the one that an instruction has of its own.
pub(super) fn fetched_inputs(op: &assay_program::Op) -> Vec<Value> {
	let own = own_constant(op);
	let mut values = Vec::new();
	for input in &op.inputs {
		match *input {
			Operand::Tensor(id) => values.push(Value::Tensor(id)),
			Operand::Scalar(bits) if Some(bits) != own => values.push(Value::Constant(bits)),
			Operand::Scalar(_) => {}
		}
	}
	values
}

/// The constant that an op's instruction has of its own: the first.
pub(super) fn own_constant(op: &assay_program::Op) -> Option<u32> {
	let placed = matches!(op.kind, OpKind::Causal { .. } | OpKind::Dropout { .. });
	op.inputs.iter().find_map(|input| match input {
		Operand::Scalar(bits) if !placed => Some(*bits),
		_ => None,
	})
}
