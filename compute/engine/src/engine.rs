//! The engine: program, data and backend; runs steps.

use std::{ops::Range, sync::Arc};

use assay_cpu::Cpu;
use assay_program::{Limits, Program, ProgramCommitment, ProgramTrees, TensorId, TensorSpec};

use crate::{
	accelerated::Accelerated,
	data::Data,
	packs::{Packs, PACKED_BYTES},
	requirements::check_data,
	schedule::Schedule,
	EngineError, RunError, State, Tensor,
};

/// A validated program with its data, ready to run on a backend.
#[derive(Debug)]
pub struct Engine {
	pub(crate) program: Program,
	trees: ProgramTrees,
	/// The data tensors, ascending by tensor id.
	pub(crate) data: Vec<Data>,
	/// Initial values that the program names by root, ascending by tensor id.
	pub(crate) given: Vec<(TensorId, Tensor)>,
	/// The parameter and state tensors, ascending.
	pub(crate) states: Vec<TensorId>,
	/// `None` where every op runs by itself.
	pub(crate) schedule: Option<Schedule>,
	pub(crate) packs: Packs,
	pub(crate) cpu: Arc<Cpu>,
	/// What does the runs, if the CPU does not.
	pub(crate) accelerated: Option<Accelerated>,
}

impl Engine {
	/// Checks the program against the default limits and the data against the program.
	pub fn new(program: Program, data: Vec<(TensorId, Tensor)>, cpu: Arc<Cpu>) -> Result<Self, EngineError> {
		Self::with_limits(program, data, cpu, &Limits::default())
	}

	/// Checks the program against `limits` and the data against the program. A machine that takes programs from strangers
	/// sets `limits.total_bytes` to the memory it can spare: states and temps are allocated from the program's shapes.
	pub fn with_limits(
		program: Program,
		data: Vec<(TensorId, Tensor)>,
		cpu: Arc<Cpu>,
		limits: &Limits,
	) -> Result<Self, EngineError> {
		program.validate(limits).map_err(EngineError::Program)?;
		let trees =
			ProgramTrees::build(&program).ok_or(EngineError::Program(assay_program::ProgramError::Empty("program")))?;
		let (data, given) = check_data(&program, data)?;
		let states = program.state_tensors().map(|(id, _)| id).collect();
		// What the machine can spare beside the program's own tensors.
		let memory = program.memory();
		let needed = memory.data.saturating_add(memory.state).saturating_add(memory.temps);
		let spare = limits.total_bytes.saturating_sub(needed).min(PACKED_BYTES);
		// A group that the backend will not have is no reason not to run the program.
		let schedule = Schedule::new(&program, &cpu, spare).ok();
		let (data, packs) = Data::keep(data, schedule.as_ref(), &cpu);
		Ok(Self { program, trees, data, given, states, schedule, packs, cpu, accelerated: None })
	}

	/// The engine with at most `bytes` more of memory for weights in the form that its products read: those that no step
	/// changes, packed at the first run and kept, or in place of data that only products read. Results do not depend on it.
	pub fn pack_at_most(self, bytes: u64) -> Self {
		let schedule = self.schedule.as_ref().and_then(|_| Schedule::new(&self.program, &self.cpu, bytes).ok());
		let data = self.data.into_iter().map(Data::into_tensor).collect();
		let (data, packs) = Data::keep(data, schedule.as_ref(), &self.cpu);
		Self { schedule, data, packs, ..self }
	}

	/// The engine with every op run by itself in the program's order, on the CPU, for looking for a fault: slower, same results.
	pub fn op_by_op(self) -> Self {
		let data = self.data.into_iter().map(Data::into_tensor).map(Data::Whole).collect();
		Self { schedule: None, data, packs: Packs::default(), accelerated: None, ..self }
	}

	/// The program.
	pub fn program(&self) -> &Program {
		&self.program
	}

	/// What the chain keeps of the program.
	pub fn commitment(&self) -> &ProgramCommitment {
		self.trees.commitment()
	}

	/// The trees under the commitment, for openings.
	pub fn trees(&self) -> &ProgramTrees {
		&self.trees
	}

	/// The backend.
	pub fn cpu(&self) -> &Cpu {
		&self.cpu
	}

	/// Segments of the job.
	pub fn segments(&self) -> u64 {
		self.program.header.steps.div_ceil(u64::from(self.program.header.segment_steps))
	}

	/// Steps of segment `segment`, from 0; `None` past the last.
	pub fn segment_steps(&self, segment: u64) -> Option<Range<u64>> {
		let (steps, len) = (self.program.header.steps, u64::from(self.program.header.segment_steps));
		let start = segment.checked_mul(len).filter(|start| *start < steps)?;
		Some(start..start.saturating_add(len).min(steps))
	}

	/// Whether the state has the tensors of this program.
	pub(crate) fn check_state(&self, state: &State) -> Result<(), RunError> {
		let fits = state.tensors().len() == self.states.len()
			&& state.step <= self.program.header.steps
			&& self.states.iter().zip(state.tensors()).all(|(id, tensor)| tensor.spec() == self.spec(*id));
		fits.then_some(()).ok_or(RunError::ForeignState)
	}

	/// Ids of the parameter and state tensors, ascending.
	pub(crate) fn states(&self) -> &[TensorId] {
		&self.states
	}

	/// Type and shape of a tensor of the program.
	pub(crate) fn spec(&self, id: TensorId) -> TensorSpec {
		self.program.tensors[id.0 as usize].spec()
	}

	pub(crate) fn name(&self, id: TensorId) -> String {
		self.program.decl(id).map_or_else(String::new, |decl| String::from_utf8_lossy(&decl.name).into_owned())
	}
}
