//! Which values of a chain lie in which slots, and when they come and go.

use core::ops::Range;
use std::collections::BTreeMap;

use assay_program::{Operand, Program, TensorId};

use super::is_read_after;

/// Slots of a thread: part of the kernel.
const SLOTS: u32 = 16;

/// One step of a chain, before memory has addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
	/// Slot `to` gets an element of a tensor, or a constant.
	Fetch { to: u32, operand: Operand },
	/// Op number `op` of the program on slots.
	Apply { op: usize, to: u32, from: [u32; 3] },
	/// A slot's value is written.
	Store { from: u32, tensor: TensorId },
}

/// The ops of a range as a chain; `None` if they need more slots than there are.
pub(super) fn compile(program: &Program, ops: Range<usize>, last_uses: &[Option<usize>]) -> Option<Vec<Action>> {
	let mut actions = Vec::new();
	let mut free: Vec<u32> = (0..SLOTS).rev().collect();
	let mut held: BTreeMap<TensorId, u32> = BTreeMap::new();
	// The last op of the range that reads a tensor.
	let mut last: BTreeMap<TensorId, usize> = BTreeMap::new();
	for index in ops.clone() {
		last.extend(program.ops.get(index)?.tensor_operands().map(|id| (id, index)));
	}
	for index in ops.clone() {
		let op = program.ops.get(index)?;
		let mut from = [0; 3];
		let mut constants = Vec::new();
		for (slot, operand) in from.iter_mut().zip(&op.inputs) {
			let there = match operand {
				Operand::Tensor(id) => held.get(id).copied(),
				Operand::Scalar(_) => None,
			};
			*slot = match there {
				Some(slot) => slot,
				None => {
					let to = free.pop()?;
					actions.push(Action::Fetch { to, operand: *operand });
					match operand {
						Operand::Tensor(id) => drop(held.insert(*id, to)),
						Operand::Scalar(_) => constants.push(to),
					}
					to
				}
			};
		}
		let to = free.pop()?;
		actions.push(Action::Apply { op: index, to, from });
		if is_read_after(op.output, ops.end, last_uses) {
			actions.push(Action::Store { from: to, tensor: op.output });
		}
		held.insert(op.output, to);
		free.extend(constants);
		held.retain(|id, slot| {
			let needed = last.get(id).is_some_and(|last| *last > index);
			if !needed {
				free.push(*slot);
			}
			needed
		});
	}
	Some(actions)
}
