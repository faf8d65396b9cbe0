//! Where the tensors of a step live.

use assay_cpu::words_of;
use assay_program::{Program, Role, TensorSpec};

/// Where a tensor's elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
	/// Position among the parameter and state tensors.
	State(usize),
	/// Position among the data tensors.
	Data(usize),
	/// Buffer of the workspace.
	Buffer(usize),
	/// Only in scratch, while its group runs.
	Nowhere,
}

/// Places of all tensors, and the size of each buffer.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
	/// By tensor id.
	pub(crate) places: Vec<Place>,
	/// Words of each buffer.
	pub(crate) buffers: Vec<usize>,
}

/// Words of memory of a tensor.
pub(crate) fn words(spec: TensorSpec) -> usize {
	words_of(spec.dtype, spec.elements() as usize)
}

impl Plan {
	/// A buffer serves one temp after another: it is free again once the last op that reads its temp has run. An op's output
	/// never shares a buffer with its inputs.
	pub(crate) fn shared(program: &Program) -> Self {
		Self::new(program, true)
	}

	/// Every temp has its own buffer, and all outputs of a step can be looked at afterwards.
	pub(crate) fn separate(program: &Program) -> Self {
		Self::new(program, false)
	}

	fn new(program: &Program, share: bool) -> Self {
		let (mut states, mut data) = (0, 0);
		let mut places: Vec<Place> = program
			.tensors
			.iter()
			.map(|decl| {
				let count = match decl.role {
					Role::Param(_) | Role::State(_) => &mut states,
					Role::Data { .. } => &mut data,
					// Replaced below: every temp of a valid program is the output of an op.
					Role::Temp => return Place::Buffer(0),
				};
				let place = *count;
				*count += 1;
				if decl.role.is_state() {
					Place::State(place)
				} else {
					Place::Data(place)
				}
			})
			.collect();
		let last_uses = program.last_uses();
		let mut buffers: Vec<usize> = Vec::new();
		let mut free: Vec<usize> = Vec::new();
		for (index, op) in program.ops.iter().enumerate() {
			let id = op.output.0 as usize;
			let words = words(program.tensors[id].spec());
			let best = free.iter().position(|buffer| buffers[*buffer] >= words).or(free.len().checked_sub(1));
			let buffer = match best {
				Some(position) => free.remove(position),
				None => {
					buffers.push(0);
					buffers.len() - 1
				}
			};
			buffers[buffer] = buffers[buffer].max(words);
			places[id] = Place::Buffer(buffer);
			if share {
				let mut release = |id: usize| {
					if let Place::Buffer(buffer) = places[id] {
						if !free.contains(&buffer) {
							free.push(buffer);
						}
					}
				};
				if last_uses[id].is_none() {
					release(id);
				}
				for input in op.tensor_operands() {
					if last_uses[input.0 as usize] == Some(index) {
						release(input.0 as usize);
					}
				}
				// Smallest first, so that a small temp does not take a large buffer.
				free.sort_by_key(|buffer| buffers[*buffer]);
			}
		}
		Self { places, buffers }
	}
}
