//! Which values of a group lie in which slots, and when they come and go.

use std::collections::BTreeMap;

use assay_program::{Operand, Program, TensorId};

use super::{
	instruction::{IMMEDIATE, SLOTS},
	steps::{fetched_inputs, own_constant, Plan, Section, Step, Value},
};

/// One instruction, before memory has addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
	/// So many actions follow that are done once for a row, or for each of its elements.
	Section { length: u32, across: bool },
	/// Slot `to` gets what a tensor has there, or a constant.
	Fetch { to: u32, value: Value },
	/// Op number `op` of the program on slots, or on `constant` in the place of one. `first`: it looks for infinities and NaNs.
	Apply { op: usize, to: u32, from: [u32; 3], constant: u32, first: bool },
	/// A slot's value is written; `once` for a row.
	Store { from: u32, tensor: TensorId, once: bool },
}

/// Gives every value a slot; `None` if there are too few.
pub(super) fn place(program: &Program, plan: &Plan) -> Option<Vec<Action>> {
	let ends = ends(program, plan)?;
	let mut actions = Vec::new();
	let mut free: Vec<u32> = (0..SLOTS).rev().collect();
	let mut held: BTreeMap<Value, (u32, usize)> = BTreeMap::new();
	let mut at = 0;
	for section in &plan.sections {
		if !plan.elementwise {
			actions.push(Action::Section { length: section.steps.len() as u32, across: section.across });
		}
		// A reduction's lanes are kept from element to element: nothing else of the section lies in their slot.
		for id in &section.reductions {
			held.insert(Value::Tensor(*id), (free.pop()?, end(&ends, Value::Tensor(*id), at)?));
		}
		at += 1;
		for step in &section.steps {
			let slot = |held: &BTreeMap<Value, (u32, usize)>, value| held.get(&value).map(|(slot, _)| *slot);
			match step {
				Step::Fetch(value) => {
					let to = free.pop()?;
					actions.push(Action::Fetch { to, value: *value });
					held.insert(*value, (to, end(&ends, *value, at)?));
				}
				Step::Store { tensor, once } => {
					actions.push(Action::Store {
						from: slot(&held, Value::Tensor(*tensor))?,
						tensor: *tensor,
						once: *once,
					});
				}
				Step::Apply { op: index, first } => {
					let op = program.ops.get(*index)?;
					let own = own_constant(op);
					let mut from = [0; 3];
					for (from, input) in from.iter_mut().zip(&op.inputs) {
						*from = match *input {
							Operand::Scalar(bits) if Some(bits) == own => IMMEDIATE,
							Operand::Scalar(bits) => slot(&held, Value::Constant(bits))?,
							Operand::Tensor(id) => slot(&held, Value::Tensor(id))?,
						};
					}
					let output = Value::Tensor(op.output);
					let to = match slot(&held, output) {
						Some(slot) => slot,
						None => {
							// An element's inputs are read before its output is written, so it may take the place of one.
							release(&mut held, &mut free, at);
							let to = free.pop()?;
							held.insert(output, (to, end(&ends, output, at)?));
							to
						}
					};
					actions.push(Action::Apply { op: *index, to, from, constant: own.unwrap_or(0), first: *first });
				}
			}
			release(&mut held, &mut free, at);
			at += 1;
		}
		release(&mut held, &mut free, at);
		at += 1;
	}
	Some(actions)
}

/// Frees the slots of values whose last use is `at` or was before.
fn release(held: &mut BTreeMap<Value, (u32, usize)>, free: &mut Vec<u32>, at: usize) {
	held.retain(|_, (slot, end)| {
		if *end <= at {
			free.push(*slot);
		}
		*end > at
	});
}

/// By value, where it comes to be and is last used, in the order of positions: of each section one before its steps, one for each
/// step, and one after them.
type Ends = BTreeMap<Value, Vec<(usize, usize)>>;

fn end(ends: &Ends, value: Value, from: usize) -> Option<usize> {
	ends.get(&value)?.iter().find(|(start, _)| *start == from).map(|(_, end)| *end)
}

fn ends(program: &Program, plan: &Plan) -> Option<Ends> {
	let mut ends = Ends::new();
	let begin = |ends: &mut Ends, value, at| ends.entry(value).or_default().push((at, at));
	let used = |ends: &mut Ends, value, at| {
		if let Some((_, end)) = ends.get_mut(&value).and_then(|lives| lives.last_mut()) {
			*end = at;
		}
	};
	let mut at = 0;
	for Section { steps, reductions, holds, .. } in &plan.sections {
		reductions.iter().for_each(|id| begin(&mut ends, Value::Tensor(*id), at));
		at += 1;
		for step in steps {
			match step {
				Step::Fetch(value) => begin(&mut ends, *value, at),
				Step::Store { tensor, .. } => used(&mut ends, Value::Tensor(*tensor), at),
				Step::Apply { op, .. } => {
					let op = program.ops.get(*op)?;
					fetched_inputs(op).into_iter().for_each(|value| used(&mut ends, value, at));
					if !reductions.contains(&op.output) {
						begin(&mut ends, Value::Tensor(op.output), at);
					}
				}
			}
			at += 1;
		}
		// Every element needs them, also after the last step that does.
		reductions.iter().for_each(|id| used(&mut ends, Value::Tensor(*id), at));
		holds.iter().for_each(|value| used(&mut ends, *value, at));
		at += 1;
	}
	Some(ends)
}
