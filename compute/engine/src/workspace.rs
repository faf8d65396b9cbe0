//! Room for the temps of a step.

use std::sync::Arc;

use assay_cpu::Packed;
use assay_program::{TensorId, TensorSpec};

use crate::{
	plan::{Place, Plan},
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
		for elements in &plan.buffers {
			let mut buffer = Vec::new();
			let bytes = *elements as u64 * 4;
			buffer.try_reserve_exact(*elements).map_err(|_| RunError::Memory { bytes })?;
			buffer.resize(*elements, 0u32);
			buffers.push(buffer);
		}
		Ok(Self { plan, buffers, packs: Vec::new() })
	}

	/// Elements of a temp of shape `spec`, if the tensor is one.
	pub(crate) fn temp(&self, id: TensorId, spec: &TensorSpec) -> Option<&[u32]> {
		match self.plan.places.get(id.0 as usize)? {
			Place::Buffer(buffer) => self.buffers.get(*buffer)?.get(..spec.elements() as usize),
			_ => None,
		}
	}
}
