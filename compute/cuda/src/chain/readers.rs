//! Who reads what.

use assay_program::{Program, TensorId};

/// By tensor, who reads it.
#[derive(Debug)]
pub(crate) struct Readers {
	ops: Vec<Vec<usize>>,
	/// Whether an update or a metric does.
	end: Vec<bool>,
}

impl Readers {
	pub(crate) fn new(program: &Program) -> Self {
		let mut readers =
			Self { ops: vec![Vec::new(); program.tensors.len()], end: vec![false; program.tensors.len()] };
		for (index, op) in program.ops.iter().enumerate() {
			for id in op.tensor_operands() {
				if let Some(ops) = readers.ops.get_mut(id.0 as usize) {
					ops.push(index);
				}
			}
		}
		for id in program.updates.iter().map(|update| update.value).chain(program.metrics.iter().copied()) {
			if let Some(end) = readers.end.get_mut(id.0 as usize) {
				*end = true;
			}
		}
		readers
	}

	/// Ops that read it, ascending.
	pub(crate) fn of(&self, id: TensorId) -> &[usize] {
		self.ops.get(id.0 as usize).map_or(&[], Vec::as_slice)
	}

	/// Whether an update or a metric reads it, so that it is needed to the end of the step.
	pub(crate) fn at_end(&self, id: TensorId) -> bool {
		self.end.get(id.0 as usize).copied().unwrap_or(true)
	}

	/// Whether anything but these ops, ascending, reads it.
	pub(crate) fn outside(&self, id: TensorId, ops: &[usize]) -> bool {
		self.at_end(id) || self.of(id).iter().any(|reader| ops.binary_search(reader).is_err())
	}
}
