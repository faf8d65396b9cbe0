//! What a chain is made of.

use assay_cpu::{ChainInput, ChainStage};
use assay_program::TensorId;

/// A chain in the making.
#[derive(Default)]
pub(super) struct Parts {
	pub(super) stages: Vec<ChainStage>,
	/// Tensors from outside.
	pub(super) given: Vec<TensorId>,
	pub(super) packs: Vec<usize>,
	/// Tensors that stages make.
	pub(super) slots: Vec<TensorId>,
}

impl Parts {
	pub(super) fn input(&mut self, id: TensorId) -> ChainInput {
		if let Some(slot) = self.slots.iter().position(|slot| *slot == id) {
			return ChainInput::Slot(slot);
		}
		ChainInput::Given(self.given.iter().position(|given| *given == id).unwrap_or_else(|| {
			self.given.push(id);
			self.given.len() - 1
		}))
	}

	pub(super) fn output(&mut self, id: TensorId) -> usize {
		self.slots.push(id);
		self.slots.len() - 1
	}
}
