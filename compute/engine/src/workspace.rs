//! Room for the temps of a step.

use std::sync::Arc;

use assay_cpu::Packed;
use assay_program::{TensorId, TensorSpec};

use crate::{
	plan::{words, Place, Plan},
	RunError,
};

/// The temps of a step.
#[derive(Debug)]
pub(crate) struct Workspace {
	pub(crate) plan: Plan,
	pub(crate) buffers: Vec<Vec<u32>>,
	/// Packed weights, for a step by its schedule.
	pub(crate) packs: Vec<Arc<Packed>>,
}

impl Workspace {
	pub(crate) fn new(plan: Plan) -> Result<Self, RunError> {
		let mut buffers = Vec::with_capacity(plan.buffers.len());
		for words in &plan.buffers {
			let mut buffer = Vec::new();
			let bytes = *words as u64 * 4;
			buffer.try_reserve_exact(*words).map_err(|_| RunError::Memory { bytes })?;
			buffer.resize(*words, 0u32);
			buffers.push(buffer);
		}
		Ok(Self { plan, buffers, packs: Vec::new() })
	}

	/// Words of a temp of shape `spec`, if the tensor is one.
	pub(crate) fn temp(&self, id: TensorId, spec: &TensorSpec) -> Option<&[u32]> {
		match self.plan.places.get(id.0 as usize)? {
			Place::Buffer(buffer) => self.buffers.get(*buffer)?.get(..words(*spec)),
			_ => None,
		}
	}
}
