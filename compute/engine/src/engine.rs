//! The engine: program, data and backend; runs steps.

use std::{ops::ControlFlow, ops::Range, sync::Arc};

use assay_commitment::{Hash, StateLeaf, StateMeta, StateTree};
use assay_cpu::{Context, Cpu, Input, Matrix, OpError, Output};
use assay_program::{
	philox::Key, Init, Limits, Op, Operand, Program, ProgramCommitment, ProgramTrees, Role, TensorId, TensorSpec,
};
use rayon::prelude::*;

use crate::{
	plan::{Place, Plan},
	tensor, EngineError, RunError, State, Tensor,
};

/// A validated program with its data, ready to run on a backend.
#[derive(Debug)]
pub struct Engine {
	program: Program,
	trees: ProgramTrees,
	/// Row-major bits of the data tensors, ascending by tensor id.
	data: Vec<Tensor>,
	/// Initial values that the program names by root, ascending by tensor id.
	given: Vec<(TensorId, Tensor)>,
	/// The parameter and state tensors, ascending.
	states: Vec<TensorId>,
	plan: Plan,
	cpu: Arc<Cpu>,
}

/// What an observer learns after each step.
#[derive(Clone, Copy, Debug)]
pub struct StepReport<'a> {
	/// The step that was done, from 0.
	pub step: u64,
	/// Values of the program's metrics, in the program's order.
	pub metrics: &'a [f32],
}

/// Looks at the state and the temps after a step.
type AfterStep<'a> = dyn FnMut(&State, &Workspace) -> Result<ControlFlow<()>, RunError> + 'a;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
	/// All steps asked for are done.
	Finished,
	/// The observer stopped it after a step; the state can be resumed.
	Stopped,
}

/// The temps of a step.
#[derive(Debug)]
pub(crate) struct Workspace {
	pub(crate) plan: Plan,
	buffers: Vec<Vec<u32>>,
}

impl Workspace {
	fn new(plan: Plan) -> Result<Self, RunError> {
		let mut buffers = Vec::with_capacity(plan.buffers.len());
		for elements in &plan.buffers {
			let mut buffer = Vec::new();
			let bytes = *elements as u64 * 4;
			buffer.try_reserve_exact(*elements).map_err(|_| RunError::Memory { bytes })?;
			buffer.resize(*elements, 0u32);
			buffers.push(buffer);
		}
		Ok(Self { plan, buffers })
	}

	/// Elements of a temp of shape `spec`, if the tensor is one.
	pub(crate) fn temp(&self, id: TensorId, spec: &TensorSpec) -> Option<&[u32]> {
		match self.plan.places.get(id.0 as usize)? {
			Place::Buffer(buffer) => self.buffers.get(*buffer)?.get(..spec.elements() as usize),
			_ => None,
		}
	}
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
		let plan = Plan::shared(&program);
		Ok(Self { program, trees, data, given, states, plan, cpu })
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

	/// The state before the first step.
	pub fn initial_state(&self) -> State {
		let key = Key::init(&self.program.header.seed);
		let tensors = self
			.program
			.state_tensors()
			.map(|(id, decl)| {
				let elements = decl.spec().elements() as usize;
				match decl.role {
					Role::Param(Init::Constant(bits)) | Role::State(Init::Constant(bits)) => vec![bits; elements],
					Role::Param(Init::Uniform { bound, stream }) | Role::State(Init::Uniform { bound, stream }) => {
						(0..elements).map(|element| key.uniform(stream, element as u32, bound)).collect()
					}
					Role::Param(Init::Given { .. }) | Role::State(Init::Given { .. }) => self.given_bits(id),
					_ => vec![0; elements],
				}
			})
			.collect();
		State { step: 0, tensors }
	}

	/// The given initial value of a tensor: [`Engine::with_limits`] found one for each that needs one.
	fn given_bits(&self, id: TensorId) -> Vec<u32> {
		self.data_tensor(id).map(|tensor| tensor.into_bits()).unwrap_or_default()
	}

	/// A parameter or state tensor of a state of this program.
	pub fn state_tensor(&self, state: &State, id: TensorId) -> Option<Tensor> {
		let position = self.states.iter().position(|state| *state == id)?;
		Some(Tensor::from_parts(self.program.decl(id)?.spec(), state.tensors.get(position)?.clone()))
	}

	/// A data tensor of the program, or a given initial value.
	pub fn data_tensor(&self, id: TensorId) -> Option<Tensor> {
		if let Ok(position) = self.given.binary_search_by_key(&id, |(id, _)| *id) {
			return self.given.get(position).map(|(_, tensor)| tensor.clone());
		}
		match self.plan.places.get(id.0 as usize)? {
			Place::Data(position) => self.data.get(*position).cloned(),
			_ => None,
		}
	}

	/// A parameter or state tensor by name.
	pub fn state_tensor_named(&self, state: &State, name: &str) -> Option<Tensor> {
		let (id, _) = self.program.state_tensors().find(|(_, decl)| decl.name == name.as_bytes())?;
		self.state_tensor(state, id)
	}

	/// The initial state with the tensors that `source` returns by name put in place. Carries trained parameters into
	/// another program. [`RunError::ForeignState`] if one has another type or shape.
	pub fn initial_state_with(&self, source: impl Fn(&str) -> Option<Tensor>) -> Result<State, RunError> {
		let mut state = self.initial_state();
		for ((_, decl), bits) in self.program.state_tensors().zip(&mut state.tensors) {
			let name = core::str::from_utf8(&decl.name).map_err(|_| RunError::ForeignState)?;
			if let Some(tensor) = source(name) {
				if tensor.spec() != decl.spec() {
					return Err(RunError::ForeignState);
				}
				bits.copy_from_slice(tensor.bits());
			}
		}
		Ok(state)
	}

	/// As [`Engine::initial_state_with`], after `step` steps.
	pub fn state_at(&self, step: u64, source: impl Fn(&str) -> Option<Tensor>) -> Result<State, RunError> {
		let state = State { step, ..self.initial_state_with(source)? };
		self.check_state(&state)?;
		Ok(state)
	}

	/// The root of a state.
	pub fn state_root(&self, state: &State) -> Result<Hash, RunError> {
		self.check_state(state)?;
		let roots = self.state_tensor_roots(state);
		self.root_of(state.step, &roots)
	}

	/// Roots of the parameter and state tensors, ascending by tensor id.
	pub(crate) fn state_tensor_roots(&self, state: &State) -> Vec<Hash> {
		let root = |(id, bits): (&TensorId, &Vec<u32>)| tensor::root(&self.spec(*id), bits);
		let elements: usize = state.tensors.iter().map(Vec::len).sum();
		if elements < 1 << 16 {
			return self.states.iter().zip(&state.tensors).map(root).collect();
		}
		self.cpu.pool().install(|| self.states.par_iter().zip(&state.tensors).map(root).collect())
	}

	pub(crate) fn root_of(&self, step: u64, roots: &[Hash]) -> Result<Hash, RunError> {
		self.state_tree(step, roots).map(|tree| tree.root())
	}

	/// The state tree after `step` steps over these tensor roots.
	pub(crate) fn state_tree(&self, step: u64, roots: &[Hash]) -> Result<StateTree, RunError> {
		StateTree::build(&self.meta(step)?, &self.state_leaves(roots)).ok_or(RunError::Commitment)
	}

	pub(crate) fn meta(&self, step: u64) -> Result<StateMeta, RunError> {
		StateMeta::after(step, self.program.header.batch).ok_or(RunError::Commitment)
	}

	/// Leaves of the state tree over these tensor roots.
	pub(crate) fn state_leaves(&self, roots: &[Hash]) -> Vec<StateLeaf> {
		self.program
			.state_tensors()
			.zip(roots)
			.map(|((_, decl), root)| StateLeaf {
				name: decl.name.clone(),
				dtype: decl.dtype,
				rows: decl.rows,
				cols: decl.cols,
				root: *root,
			})
			.collect()
	}

	/// Runs `state` on to `until` steps done. After each step the observer learns the metrics, and may stop the run. On an
	/// error the state stays at the last step that was done.
	pub fn run(
		&self,
		state: &mut State,
		until: u64,
		observer: &mut dyn FnMut(&StepReport<'_>) -> ControlFlow<()>,
	) -> Result<Outcome, RunError> {
		let mut metrics = Vec::with_capacity(self.program.metrics.len());
		self.steps(state, until, &mut |state, workspace| {
			metrics.clear();
			for id in &self.program.metrics {
				let bits = workspace.temp(*id, &self.spec(*id)).and_then(|bits| bits.first());
				metrics.push(bits.map_or(f32::NAN, |bits| f32::from_bits(*bits)));
			}
			// The step just done: the state counts it already.
			Ok(observer(&StepReport { step: state.step - 1, metrics: &metrics }))
		})
	}

	/// As [`Engine::run`], but shows the state after each step.
	pub(crate) fn run_with(
		&self,
		state: &mut State,
		until: u64,
		observer: &mut dyn FnMut(&State) -> Result<(), RunError>,
	) -> Result<(), RunError> {
		self.steps(state, until, &mut |state, _| observer(state).map(ControlFlow::Continue)).map(|_| ())
	}

	fn steps(&self, state: &mut State, until: u64, after: &mut AfterStep<'_>) -> Result<Outcome, RunError> {
		self.check_state(state)?;
		let end = self.program.header.steps;
		if until < state.step || until > end {
			return Err(RunError::OutOfRange { until, at: state.step, end });
		}
		if until == state.step {
			return Ok(Outcome::Finished);
		}
		let mut workspace = Workspace::new(self.plan.clone())?;
		while state.step < until {
			self.execute(state, &mut workspace)?;
			self.assign(state, &workspace);
			if after(state, &workspace)?.is_break() && state.step < until {
				return Ok(Outcome::Stopped);
			}
		}
		Ok(Outcome::Finished)
	}

	/// Runs `state`, at the start of segment `segment` or inside it, to the segment's end.
	pub fn run_segment(
		&self,
		state: &mut State,
		segment: u64,
		observer: &mut dyn FnMut(&StepReport<'_>) -> ControlFlow<()>,
	) -> Result<Outcome, RunError> {
		let end = self.program.header.steps;
		match self.segment_steps(segment) {
			Some(steps) if steps.start <= state.step => self.run(state, steps.end, observer),
			Some(steps) => Err(RunError::OutOfRange { until: steps.end, at: state.step, end }),
			None => Err(RunError::OutOfRange { until: u64::MAX, at: state.step, end }),
		}
	}

	/// Executes one step on `state` without changing it, and returns the outputs asked for. Evaluation is a program whose
	/// one step reads parameters and held-out data.
	pub fn outputs(&self, state: &State, wanted: &[TensorId]) -> Result<Vec<Tensor>, RunError> {
		self.check_state(state)?;
		let mut workspace = self.separate_workspace()?;
		self.execute(state, &mut workspace)?;
		wanted
			.iter()
			.map(|id| {
				let decl = self.program.decl(*id).ok_or(RunError::NotAnOutput(id.0))?;
				let bits = workspace.temp(*id, &decl.spec()).ok_or(RunError::NotAnOutput(id.0))?;
				Ok(Tensor::from_parts(decl.spec(), bits.to_vec()))
			})
			.collect()
	}

	pub(crate) fn separate_workspace(&self) -> Result<Workspace, RunError> {
		Workspace::new(Plan::separate(&self.program))
	}

	/// Runs every op of the step after `state`.
	pub(crate) fn execute(&self, state: &State, workspace: &mut Workspace) -> Result<(), RunError> {
		let context = Context { seed: self.program.header.seed, step: state.step };
		for (op, index) in self.program.ops.iter().zip(0u32..) {
			self.execute_op(op, state, &context, workspace).map_err(|error| match error {
				OpError::NonFinite => RunError::NonFinite { step: state.step, op: index, name: self.name(op.output) },
				source => RunError::Backend { step: state.step, op: index, source },
			})?;
		}
		Ok(())
	}

	fn execute_op(&self, op: &Op, state: &State, context: &Context, workspace: &mut Workspace) -> Result<(), OpError> {
		let Some(Place::Buffer(buffer)) = workspace.plan.places.get(op.output.0 as usize).copied() else {
			return Err(OpError::Shape("the output is not a temp"));
		};
		let mut out = core::mem::take(&mut workspace.buffers[buffer]);
		let spec = self.spec(op.output);
		let mut inputs = [Input::Scalar(0); 3];
		for (slot, operand) in inputs.iter_mut().zip(&op.inputs) {
			*slot = match *operand {
				Operand::Scalar(bits) => Input::Scalar(bits),
				Operand::Tensor(id) => Input::Tensor(self.matrix(id, state, workspace)),
			};
		}
		let output =
			Output { dtype: spec.dtype, rows: spec.rows, cols: spec.cols, bits: &mut out[..spec.elements() as usize] };
		let result = self.cpu.run(op.kind, &inputs[..op.inputs.len().min(3)], context, output);
		workspace.buffers[buffer] = out;
		result
	}

	/// The tensor `id` as an op of the step after `state` reads it.
	pub(crate) fn matrix<'a>(&'a self, id: TensorId, state: &'a State, workspace: &'a Workspace) -> Matrix<'a> {
		let spec = self.spec(id);
		let bits: &[u32] = match workspace.plan.places[id.0 as usize] {
			Place::State(position) => &state.tensors[position],
			Place::Data(position) => self.data[position].bits(),
			Place::Buffer(buffer) => &workspace.buffers[buffer][..spec.elements() as usize],
		};
		Matrix { dtype: spec.dtype, rows: spec.rows, cols: spec.cols, bits }
	}

	/// Applies the updates of an executed step.
	pub(crate) fn assign(&self, state: &mut State, workspace: &Workspace) {
		for update in &self.program.updates {
			if let Place::State(position) = workspace.plan.places[update.state.0 as usize] {
				if let Some(value) = workspace.temp(update.value, &self.spec(update.value)) {
					state.tensors[position].copy_from_slice(value);
				}
			}
		}
		state.step += 1;
	}

	/// Whether the state has the tensors of this program.
	pub(crate) fn check_state(&self, state: &State) -> Result<(), RunError> {
		let fits = state.tensors.len() == self.states.len()
			&& state.step <= self.program.header.steps
			&& self.states.iter().zip(&state.tensors).all(|(id, bits)| bits.len() as u64 == self.spec(*id).elements());
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

	fn name(&self, id: TensorId) -> String {
		self.program.decl(id).map_or_else(String::new, |decl| String::from_utf8_lossy(&decl.name).into_owned())
	}
}

/// A tensor that a program needs and names by its root: data, or a given initial value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
	/// Id in the program.
	pub id: TensorId,
	/// Name in the program.
	pub name: String,
	/// Type and shape.
	pub spec: TensorSpec,
	/// Root of the tensor, which is the address of its blob.
	pub root: Hash,
}

/// The data tensors and given initial values that a program needs, ascending.
pub fn requirements(program: &Program) -> Vec<Requirement> {
	let needed = program.tensors.iter().zip(0u32..).filter_map(|(decl, id)| {
		let name = || String::from_utf8_lossy(&decl.name).into_owned();
		let root = decl.role.given_root()?;
		Some(Requirement { id: TensorId(id), name: name(), spec: decl.spec(), root: *root })
	});
	needed.collect()
}

/// Data tensors in the order of the program, and given initial values by id.
type Needed = (Vec<Tensor>, Vec<(TensorId, Tensor)>);

/// What the program needs out of what was given, checked by shape and root.
fn check_data(program: &Program, given: Vec<(TensorId, Tensor)>) -> Result<Needed, EngineError> {
	let mut given: Vec<(TensorId, Option<Tensor>)> = given.into_iter().map(|(id, tensor)| (id, Some(tensor))).collect();
	let (mut data, mut initial) = (Vec::new(), Vec::new());
	for (decl, id) in program.tensors.iter().zip(0u32..) {
		let Some(root) = decl.role.given_root() else { continue };
		let name = || String::from_utf8_lossy(&decl.name).into_owned();
		let tensor = given
			.iter_mut()
			.find(|(given, tensor)| given.0 == id && tensor.is_some())
			.and_then(|(_, tensor)| tensor.take())
			.ok_or_else(|| EngineError::DataMissing { name: name() })?;
		if tensor.spec() != decl.spec() {
			return Err(EngineError::DataShape { name: name() });
		}
		if tensor.root() != *root {
			return Err(EngineError::DataRoot { name: name() });
		}
		if decl.role.is_state() {
			initial.push((TensorId(id), tensor));
		} else {
			data.push(tensor);
		}
	}
	match given.iter().find(|(_, tensor)| tensor.is_some()) {
		Some((id, _)) => Err(EngineError::DataUnknown { id: id.0 }),
		None => Ok((data, initial)),
	}
}
