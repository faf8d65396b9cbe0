//! Which temps of a step share memory.

use assay_program::{Program, Role};

use crate::{
	bytes::device_words,
	chain::{Piece, Readers},
};

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
		let readers = Readers::new(program);
		let is_temp = |id: usize| program.tensors.get(id).is_some_and(|decl| matches!(decl.role, Role::Temp));
		// By tensor, the last piece that writes or reads it.
		let mut last = vec![0; program.tensors.len()];
		for (at, piece) in pieces.iter().enumerate() {
			for id in piece.reads(program).into_iter().chain(piece.outputs(program)) {
				if let Some(last) = last.get_mut(id.0 as usize) {
					*last = at;
				}
			}
		}
		let mut placement = Self { slots: vec![None; program.tensors.len()], words: Vec::new() };
		let mut free: Vec<usize> = Vec::new();
		for (at, piece) in pieces.iter().enumerate() {
			for id in piece.outputs(program).filter(|id| piece.stores(*id)) {
				let Some(decl) = program.decl(id) else { continue };
				let slot = placement.take(&mut free, device_words(decl.spec()));
				placement.slots[id.0 as usize] = Some(slot);
			}
			for id in piece.reads(program).into_iter().chain(piece.outputs(program)) {
				let ended = last.get(id.0 as usize) == Some(&at) && !readers.at_end(id);
				if ended && is_temp(id.0 as usize) {
					free.extend(placement.slots[id.0 as usize].filter(|slot| !free.contains(slot)));
				}
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
