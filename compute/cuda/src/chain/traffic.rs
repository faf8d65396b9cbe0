//! What a launch moves between the device's memory and its processors.

use assay_program::{OpKind, Program, TensorId};

use crate::bytes::device_words;

use super::{shape::spec_of, slots::Action, steps::Value, Chain};

/// Bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved {
	/// Read for the first time.
	pub(crate) read: u64,
	/// Read again by a later pass of the same launch; of a short row, from a cache.
	pub(crate) again: u64,
	/// Written.
	pub(crate) written: u64,
}

fn bytes(program: &Program, id: TensorId) -> u64 {
	spec_of(program, id).map_or(0, |spec| device_words(spec) * 4)
}

impl Moved {
	/// By an op that is launched by itself, with so many words of scratch memory.
	pub(crate) fn by_op(program: &Program, index: usize, scratch: u64) -> Self {
		let Some(op) = program.ops.get(index) else { return Self::default() };
		let mut inputs: Vec<TensorId> = op.tensor_operands().collect();
		inputs.sort_unstable();
		inputs.dedup();
		let out = bytes(program, op.output);
		// Of a table, the rows that are asked for.
		let read = |id: &TensorId| match op.kind {
			OpKind::Lookup | OpKind::GatherBatch { .. } | OpKind::NextBatch => bytes(program, *id).min(out),
			_ => bytes(program, *id),
		};
		let read: u64 = inputs.iter().map(read).sum();
		Self { read: read + 4 * scratch, again: 0, written: out + 4 * scratch }
	}
}

impl Chain {
	/// By the group.
	pub(crate) fn moved(&self, program: &Program) -> Moved {
		let mut moved = Moved::default();
		let mut seen: Vec<TensorId> = Vec::new();
		for action in &self.actions {
			match action {
				Action::Fetch { value: Value::Tensor(id), .. } if seen.contains(id) => {
					// One row for all of them stays in a cache, and so does one number of a row.
					let large = spec_of(program, *id).is_some_and(|spec| spec.rows > 1 && spec.cols > 1);
					moved.again += if large { bytes(program, *id) } else { 0 };
				}
				Action::Fetch { value: Value::Tensor(id), .. } => {
					seen.push(*id);
					moved.read += bytes(program, *id);
				}
				Action::Store { tensor, .. } => {
					seen.push(*tensor);
					moved.written += bytes(program, *tensor);
				}
				_ => {}
			}
		}
		moved
	}
}
