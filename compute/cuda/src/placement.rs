//! Which temps of a step share memory.

use assay_program::{Program, Role};

use crate::chain::Piece;

/// Slots of memory and who lies in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
	/// By tensor id, the slot of a temp; `None` for other tensors, and for temps that stay inside of a chain.
	pub(crate) slots: Vec<Option<usize>>,
	/// Words of each slot.
	pub(crate) words: Vec<u64>,
}

impl Placement {
	/// A slot is free again once the last piece that reads its temp is done, so nothing that a piece writes lies where one of
	/// its inputs does. What is needed to the end of the step keeps its slot.
	pub(crate) fn of(program: &Program, pieces: &[Piece]) -> Self {
		let last_uses = program.last_uses();
		let is_temp = |id: usize| program.tensors.get(id).is_some_and(|decl| matches!(decl.role, Role::Temp));
		let mut placement = Self { slots: vec![None; program.tensors.len()], words: Vec::new() };
		let mut free: Vec<usize> = Vec::new();
		for piece in pieces {
			let (end, ops) = (piece.ops().end, program.ops.get(piece.ops()).unwrap_or_default());
			for op in ops.iter().filter(|op| piece.stores(op.output, &last_uses)) {
				let Some(decl) = program.tensors.get(op.output.0 as usize) else { continue };
				let slot = placement.take(&mut free, decl.spec().elements());
				placement.slots[op.output.0 as usize] = Some(slot);
			}
			let ids = ops.iter().flat_map(|op| op.tensor_operands().chain([op.output])).map(|id| id.0 as usize);
			let ended = |id: &usize| last_uses.get(*id).copied().flatten().is_none_or(|last| last < end);
			for id in ids.filter(ended).filter(|id| is_temp(*id)) {
				free.extend(placement.slots[id].filter(|slot| !free.contains(slot)));
			}
		}
		placement
	}

	/// The smallest free slot that is large enough, or the largest one, made larger, or a new one.
	fn take(&mut self, free: &mut Vec<usize>, words: u64) -> usize {
		free.sort_by_key(|slot| self.words[*slot]);
		let fitting = free.iter().position(|slot| self.words[*slot] >= words);
		let slot = match fitting.or(free.len().checked_sub(1)) {
			Some(position) => free.remove(position),
			None => {
				self.words.push(0);
				self.words.len() - 1
			}
		};
		self.words[slot] = self.words[slot].max(words);
		slot
	}
}
