//! Weights that no step changes, packed once for the products that read them.
//!
//! An entry belongs to the elements it was made from, by the number that a [`State`] gives them: another state, or one that
//! another program changed, has other numbers, and the entry is made again.

use std::sync::{Arc, Mutex, PoisonError};

use assay_cpu::{Cpu, OpError, Packed};
use assay_program::{OpKind, Operand, Program, TensorId};

use crate::{plan::Place, Engine, RunError, State};

/// Bytes of packed weights that an engine keeps unless told otherwise.
pub(crate) const PACKED_BYTES: u64 = 2 << 30;

/// A weight to be packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
	pub(crate) id: TensorId,
	pub(crate) transposed: bool,
	pub(crate) bytes: u64,
}

/// What there is to pack for a program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wants {
	pub(crate) weights: Vec<Wanted>,
	/// By op, the position of the weight it reads.
	pub(crate) of_op: Vec<Option<usize>>,
}

impl Wants {
	/// The second operands of products that are data, or state without an update, as far as `bytes` go, in the program's order.
	pub(crate) fn new(program: &Program, cpu: &Cpu, bytes: u64) -> Self {
		let mut changes = vec![false; program.tensors.len()];
		program.updates.iter().for_each(|update| changes[update.state.0 as usize] = true);
		program.ops.iter().for_each(|op| changes[op.output.0 as usize] = true);
		let mut wants = Self::default();
		let mut left = bytes;
		for op in &program.ops {
			let transposed = match op.kind {
				OpKind::MatMul { trans_a: false, trans_b } | OpKind::MatMulI8 { trans_a: false, trans_b } => trans_b,
				_ => {
					wants.of_op.push(None);
					continue;
				}
			};
			let Some(Operand::Tensor(id)) = op.inputs.get(1).copied().filter(|operand| match operand {
				Operand::Tensor(id) => !changes[id.0 as usize],
				Operand::Scalar(_) => false,
			}) else {
				wants.of_op.push(None);
				continue;
			};
			let known = wants.weights.iter().position(|want| (want.id, want.transposed) == (id, transposed));
			let position = known.or_else(|| {
				let bytes = cpu.packed_bytes(program.tensors[id.0 as usize].spec(), transposed);
				left = left.checked_sub(bytes)?;
				wants.weights.push(Wanted { id, transposed, bytes });
				Some(wants.weights.len() - 1)
			});
			wants.of_op.push(position);
		}
		wants
	}
}

/// A packed weight and the number of the elements it was made from.
type Entry = Option<(u64, Arc<Packed>)>;

/// Packed weights of an engine, in the order of [`Wants::weights`].
#[derive(Debug, Default)]
pub(crate) struct Packs(Mutex<Vec<Entry>>);

impl Engine {
	/// The packed weights of a run from `state`, each packed now if it is not there yet.
	pub(crate) fn packed(&self, state: &State) -> Result<Vec<Arc<Packed>>, RunError> {
		let Some(schedule) = &self.schedule else { return Ok(Vec::new()) };
		let mut entries = self.packs.0.lock().unwrap_or_else(PoisonError::into_inner);
		entries.resize(schedule.wants.weights.len(), None);
		let weights = schedule.wants.weights.iter().zip(entries.iter_mut());
		weights
			.map(|(want, entry)| {
				let place = schedule.places[want.id.0 as usize];
				let content = match place {
					Place::State(position) => state.content(position),
					_ => 0,
				};
				if let Some((_, packed)) = entry.as_ref().filter(|(of, _)| *of == content) {
					return Ok(packed.clone());
				}
				// So that old and new are not there at once.
				*entry = None;
				let matrix = self.outside(want.id, place, state);
				let packed = self.cpu.pack(&matrix, want.transposed).map_err(|error| match error {
					OpError::Memory => RunError::Memory { bytes: want.bytes },
					source => RunError::Backend { step: state.step, op: 0, source },
				})?;
				let packed = Arc::new(packed);
				*entry = Some((content, packed.clone()));
				Ok(packed)
			})
			.collect()
	}
}
