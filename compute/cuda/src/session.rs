//! A program on a device: its tensors stay there, and a step is two graphs.
//!
//! The first graph is every op of the step, elementwise ones that follow each other in one launch. Between the two the host
//! looks at one word per op: if an output held an infinity or a NaN, the step ends there and the state stays what it was. The
//! second assigns the new state.

use std::sync::Arc;

use assay_commitment::Hash;
use assay_program::{Limits, Program, Role, TensorId, TensorSpec};

use crate::{
	backend::{grow, hash_of, same_length, Backend},
	chain::{pieces, Piece, Place},
	device::{Buffer, Device},
	launch::Work,
	memory::SessionMemory,
	placement::Placement,
	record::{assignments, filled, Recorder},
	CudaError, OpError,
};

/// Words of a hash.
const ROOT_WORDS: u64 = 8;

/// Why a session cannot begin or go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
	/// The program breaks a rule.
	#[error("the program is not valid: {0:?}")]
	Program(assay_program::ProgramError),
	/// A data tensor was not given, or has another number of elements.
	#[error("data tensor {0} is missing or has another shape")]
	Data(u32),
	/// The state does not have the tensors of the program.
	#[error("the state does not have the tensors of the program")]
	State,
	/// An op cannot run.
	#[error("op {op}: {source}")]
	Op {
		/// Index of the op.
		op: u32,
		/// What is wrong with it.
		source: OpError,
	},
	/// An op's output holds an infinity or NaN. The state is the one before the step.
	#[error("step {step}, op {op}: an output element is infinite or NaN; lower the learning rate or rescale the data")]
	NonFinite {
		/// The step, from 0.
		step: u64,
		/// Index of the op.
		op: u32,
	},
	/// The device failed.
	#[error(transparent)]
	Device(#[from] CudaError),
}

/// A program whose state and data are on a device.
pub struct Session<D: Device> {
	// Graphs before the memory that they name, and the device last: fields are dropped in this order.
	compute: D::Graph,
	update: D::Graph,
	hash: D::Graph,
	/// State tensors, ascending by id.
	states: Vec<(D::Buffer, TensorSpec)>,
	flags: D::Buffer,
	step_word: D::Buffer,
	metrics: D::Buffer,
	roots: D::Buffer,
	ops: usize,
	metric_count: usize,
	step: u64,
	/// Data, temps and scratch: used by the graphs only.
	_memory: Vec<D::Buffer>,
	device: Arc<D>,
}

impl<D: Device> core::fmt::Debug for Session<D> {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.debug_struct("Session").field("device", &self.device).field("step", &self.step).finish_non_exhaustive()
	}
}

impl<D: Device> Session<D> {
	/// Puts a program on the device, at `step` steps done. `data` holds every data tensor, `state` every parameter and
	/// state tensor in ascending order of ids, row-major bits each.
	pub fn new(
		backend: &Backend<D>,
		program: &Program,
		data: &[(TensorId, &[u32])],
		state: &[Vec<u32>],
		step: u64,
	) -> Result<Self, SessionError> {
		let mut session = Self::load(backend, program, data)?;
		session.write(state, step)?;
		Ok(session)
	}

	/// Puts a program and its data on the device. Its state has any content until it is [written](Session::write).
	///
	/// If the device has too little memory, [`CudaError::OutOfMemory`] tells of all that the program takes.
	pub fn load(backend: &Backend<D>, program: &Program, data: &[(TensorId, &[u32])]) -> Result<Self, SessionError> {
		program.validate(&Limits::default()).map_err(SessionError::Program)?;
		let memory = SessionMemory::of(program, &backend.device().profile())?;
		let (needed, free) = (memory.bytes, backend.device().free_memory()?);
		if needed > free {
			return Err(CudaError::OutOfMemory { needed, free }.into());
		}
		match Self::place(backend, program, data, &memory.scratch) {
			// Nothing of it is kept. Memory may be too scattered, or another process was faster.
			Err(SessionError::Device(CudaError::OutOfMemory { .. })) => {
				Err(CudaError::OutOfMemory { needed, free: backend.device().free_memory()? }.into())
			}
			placed => placed,
		}
	}

	fn place(
		backend: &Backend<D>,
		program: &Program,
		data: &[(TensorId, &[u32])],
		scratch: &[u64],
	) -> Result<Self, SessionError> {
		let shared = backend.shared_device();
		let device = &*shared;
		let mut memory = Vec::new();
		let mut states = Vec::new();
		let pieces = pieces(program);
		let placement = Placement::of(program, &pieces);
		let mut slots = Vec::with_capacity(placement.words.len());
		for words in &placement.words {
			slots.push(device.allocate(*words)?);
		}

		let mut places = Vec::with_capacity(program.tensors.len());
		for (id, decl) in (0u32..).zip(&program.tensors) {
			let spec = decl.spec();
			let address = match decl.role {
				Role::Temp => {
					let slot = placement.slots.get(id as usize).copied().flatten().and_then(|slot| slots.get(slot));
					slot.map_or(0, Buffer::address)
				}
				Role::Data { .. } => {
					let bits = data.iter().find(|(data, _)| data.0 == id).map(|(_, bits)| *bits);
					let bits = bits.filter(|bits| same_length(bits.len(), spec).is_ok());
					let buffer = filled(device, bits.ok_or(SessionError::Data(id))?)?;
					memory.push(buffer);
					memory.last().map_or(0, Buffer::address)
				}
				Role::Param(_) | Role::State(_) => {
					states.push((device.allocate(spec.elements())?, spec));
					states.last().map_or(0, |(buffer, _)| buffer.address())
				}
			};
			places.push(Place { address, spec });
		}

		let flags = device.allocate(program.ops.len() as u64)?;
		let step_word = device.allocate(2)?;
		let metrics = device.allocate(program.metrics.len() as u64)?;
		let roots = device.allocate(states.len() as u64 * ROOT_WORDS)?;
		let mut recorder = Recorder::new(device);
		// All of it first: growing it would need the old and the new at once.
		grow(device, scratch, &mut recorder.scratch)?;
		for piece in &pieces {
			let op = program.ops.get(piece.ops().start);
			match (piece, op) {
				(Piece::Chain(chain), _) => memory.push(recorder.chain(program, chain, &places, flags.address())?),
				(Piece::Op(index), Some(op)) => {
					recorder.op(program, op, *index as u32, &places, flags.address(), step_word.address())?;
				}
				(Piece::Op(_), None) => {}
			}
		}
		for (index, (buffer, spec)) in (0u64..).zip(&states) {
			recorder.root(*spec, buffer.address(), roots.address() + index * ROOT_WORDS * 4)?;
		}
		let (ops, hash) = recorder.bind(pieces.len());
		let mut compute = vec![Work::Clear { to: flags.address(), words: flags.words() }];
		compute.extend(ops);
		let update = assignments(program, &places, metrics.address());

		memory.extend(slots);
		memory.extend(recorder.scratch);
		// SAFETY: all addresses are of buffers that the session keeps as long as its graphs, large enough for the specs
		// that `lower` was given or, for scratch memory, for what it asked.
		let (compute, update, hash) =
			unsafe { (device.record(&compute)?, device.record(&update)?, device.record(&hash)?) };
		Ok(Self {
			compute,
			update,
			hash,
			states,
			flags,
			step_word,
			metrics,
			roots,
			ops: program.ops.len(),
			metric_count: program.metrics.len(),
			step: 0,
			_memory: memory,
			device: shared,
		})
	}

	/// Replaces the state: every parameter and state tensor in ascending order of ids, row-major bits each, after `step`
	/// steps. On [`SessionError::State`] nothing was written.
	pub fn write(&mut self, state: &[impl AsRef<[u32]>], step: u64) -> Result<(), SessionError> {
		let pairs = || self.states.iter().zip(state.iter().map(AsRef::as_ref));
		let fit = pairs().all(|((_, spec), bits): (_, &[u32])| same_length(bits.len(), *spec).is_ok());
		if state.len() != self.states.len() || !fit {
			return Err(SessionError::State);
		}
		for ((buffer, _), bits) in pairs() {
			self.device.upload(bits, buffer)?;
		}
		self.step = step;
		Ok(())
	}

	/// Steps done.
	pub fn steps_done(&self) -> u64 {
		self.step
	}

	/// Does one step. On [`SessionError::NonFinite`] the state is as before.
	pub fn step(&mut self) -> Result<(), SessionError> {
		self.device.upload(&[self.step as u32, (self.step >> 32) as u32], &self.step_word)?;
		// SAFETY: the session keeps every buffer that its graphs name.
		unsafe { self.device.replay(&self.compute)? };
		let mut flags = vec![0; self.ops];
		self.device.download(&self.flags, &mut flags)?;
		if let Some((op, _)) = (0u32..).zip(&flags).find(|(_, flag)| **flag != 0) {
			return Err(SessionError::NonFinite { step: self.step, op });
		}
		// SAFETY: as above.
		unsafe { self.device.replay(&self.update)? };
		self.step = self.step.saturating_add(1);
		Ok(())
	}

	/// Bits of the program's metrics at the last step, in the program's order.
	pub fn metrics(&self) -> Result<Vec<u32>, SessionError> {
		let mut bits = vec![0; self.metric_count];
		self.device.download(&self.metrics, &mut bits)?;
		Ok(bits)
	}

	/// The parameter and state tensors, ascending by id, row-major bits.
	pub fn state(&self) -> Result<Vec<Vec<u32>>, SessionError> {
		let read = |(buffer, spec): &(D::Buffer, TensorSpec)| {
			let len = usize::try_from(spec.elements()).map_err(|_| SessionError::State)?;
			let mut bits = vec![0; len];
			self.device.download(buffer, &mut bits)?;
			Ok(bits)
		};
		self.states.iter().map(read).collect()
	}

	/// Roots of the parameter and state tensors, ascending by id, hashed on the device.
	pub fn state_roots(&self) -> Result<Vec<Hash>, SessionError> {
		// SAFETY: the session keeps every buffer that its graphs name.
		unsafe { self.device.replay(&self.hash)? };
		let mut words = vec![0; self.states.len() * ROOT_WORDS as usize];
		self.device.download(&self.roots, &mut words)?;
		Ok(words.chunks_exact(ROOT_WORDS as usize).map(hash_of).collect())
	}
}
