//! Weights that no step changes, packed once for the products that read them.
//!
//! Data that only such products read have no other form: see [`Data`](crate::data::Data).
//!
//! An entry belongs to the elements it was made from, by the number that a [`State`] gives them: another state, or one that
//! another program changed, has other numbers, and the entry is made again.

use std::{
	iter,
	sync::{Arc, Mutex, PoisonError},
};

use assay_cpu::{Cpu, OpError, Packed};
use assay_program::{Op, OpKind, Operand, Program, Role, TensorId};

use crate::{data::Data, plan::Place, Engine, RunError, State};

/// Bytes that an engine takes more for packed weights unless told otherwise.
pub(crate) const PACKED_BYTES: u64 = 2 << 30;

/// A weight to be packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
	pub(crate) id: TensorId,
	pub(crate) transposed: bool,
	pub(crate) bytes: u64,
	/// Whether nothing but packed forms of the tensor, which are side by side here, is read, so that they replace it.
	pub(crate) replaces: bool,
}

/// What there is to pack for a program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wants {
	pub(crate) weights: Vec<Wanted>,
	/// By op, the position of the weight it reads.
	pub(crate) of_op: Vec<Option<usize>>,
}

impl Wants {
	/// The second operands of products that are data, or state without an update, as far as `bytes` more than without them go, in
	/// the program's order.
	pub(crate) fn new(program: &Program, cpu: &Cpu, bytes: u64) -> Self {
		let uses = Uses::of(program);
		let (mut wants, mut left) = (Self::default(), bytes);
		for op in &program.ops {
			let position = weight(op).filter(|(id, _)| !uses.changes[id.0 as usize]).and_then(|(id, transposed)| {
				wants.position(id, transposed).or_else(|| {
					let (spec, replaces) = (program.tensors[id.0 as usize].spec(), uses.replaced(program, id));
					// Of a tensor that is replaced, all forms at once.
					let read = if replaces { uses.forms[id.0 as usize] } else { [!transposed, transposed] };
					let forms = [false, true].into_iter().zip(read).filter(|(_, read)| *read).map(|(transposed, _)| {
						let bytes = cpu.packed_bytes(spec, transposed);
						Wanted { id, transposed, bytes, replaces }
					});
					let taken: u64 = forms.clone().map(|form| form.bytes).sum();
					left = left.checked_sub(taken.saturating_sub(if replaces { spec.bytes() } else { 0 }))?;
					wants.weights.extend(forms);
					wants.position(id, transposed)
				})
			});
			wants.of_op.push(position);
		}
		wants
	}

	fn position(&self, id: TensorId, transposed: bool) -> Option<usize> {
		self.weights.iter().position(|want| (want.id, want.transposed) == (id, transposed))
	}
}

/// The second operand of a product that may be packed, and whether it is stored transposed.
fn weight(op: &Op) -> Option<(TensorId, bool)> {
	match (op.kind, op.inputs.get(1)?) {
		(
			OpKind::MatMul { trans_a: false, trans_b } | OpKind::MatMulI8 { trans_a: false, trans_b },
			Operand::Tensor(id),
		) => Some((*id, trans_b)),
		_ => None,
	}
}

/// What a program does with each tensor, by id.
struct Uses {
	/// Whether a step changes it.
	changes: Vec<bool>,
	/// Whether products that may have it packed read it stored as it is, and transposed.
	forms: Vec<[bool; 2]>,
	/// Whether anything else reads it.
	otherwise: Vec<bool>,
}

impl Uses {
	fn of(program: &Program) -> Self {
		let count = program.tensors.len();
		let mut uses =
			Self { changes: vec![false; count], forms: vec![[false; 2]; count], otherwise: vec![false; count] };
		program.updates.iter().for_each(|update| uses.changes[update.state.0 as usize] = true);
		for op in &program.ops {
			uses.changes[op.output.0 as usize] = true;
			let weight = weight(op);
			for (input, operand) in op.inputs.iter().enumerate() {
				match (operand, weight) {
					(Operand::Tensor(_), Some((id, transposed))) if input == 1 => {
						uses.forms[id.0 as usize][usize::from(transposed)] = true;
					}
					(Operand::Tensor(id), _) => uses.otherwise[id.0 as usize] = true,
					(Operand::Scalar(_), _) => {}
				}
			}
		}
		uses
	}

	/// Whether packed forms of a tensor replace it.
	fn replaced(&self, program: &Program, id: TensorId) -> bool {
		matches!(program.tensors[id.0 as usize].role, Role::Data { .. }) && !self.otherwise[id.0 as usize]
	}
}

/// A packed weight and the number of the elements it was made from.
type Entry = Option<(u64, Arc<Packed>)>;

/// Packed weights of an engine, in the order of [`Wants::weights`].
#[derive(Debug, Default)]
pub(crate) struct Packs(Mutex<Vec<Entry>>);

/// What stands for the elements of data, which never change.
const OF_DATA: u64 = 0;

impl Packs {
	/// Adds `count` entries of data or state, of which those in `packed` are there.
	pub(crate) fn add(&mut self, count: usize, packed: Vec<Arc<Packed>>) {
		let entries = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
		let there = packed.into_iter().map(|packed| Some((OF_DATA, packed)));
		entries.extend(there.chain(iter::repeat(None)).take(count));
	}
}

impl Engine {
	/// The packed form that op `op` reads, if the tensor has no other.
	pub(crate) fn replaced(&self, op: usize) -> Option<Arc<Packed>> {
		let schedule = self.schedule.as_ref()?;
		let position = schedule.wants.of_op.get(op).copied().flatten()?;
		let Place::Data(data) = schedule.places[schedule.wants.weights.get(position)?.id.0 as usize] else {
			return None;
		};
		matches!(self.data.get(data)?, Data::Packed(..)).then_some(())?;
		let entries = self.packs.0.lock().unwrap_or_else(PoisonError::into_inner);
		entries.get(position)?.as_ref().map(|(_, packed)| packed.clone())
	}

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
					_ => OF_DATA,
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
