//! Runs steps.

use std::ops::ControlFlow;

use assay_cpu::{Context, Input, Matrix, OpError, Output};
use assay_program::{Op, Operand, TensorId};

use crate::{
	plan::{words, Place, Plan},
	workspace::Workspace,
	Engine, RunError, State, Tensor,
};

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

impl Engine {
	/// Runs `state` on to `until` steps done. After each step the observer learns the metrics, and may stop the run. On an
	/// error the state stays at the last step that was done; on [`RunError::Accelerator`], where it was before the call.
	pub fn run(
		&self,
		state: &mut State,
		until: u64,
		observer: &mut dyn FnMut(&StepReport<'_>) -> ControlFlow<()>,
	) -> Result<Outcome, RunError> {
		if let Some(done) = self.run_accelerated(state, until, observer) {
			return done;
		}
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

	/// Whether the state is of this program and can be run on to `until`.
	pub(crate) fn check_steps(&self, state: &State, until: u64) -> Result<(), RunError> {
		self.check_state(state)?;
		let end = self.program.header.steps;
		match until < state.step || until > end {
			true => Err(RunError::OutOfRange { until, at: state.step, end }),
			false => Ok(()),
		}
	}

	pub(crate) fn steps(&self, state: &mut State, until: u64, after: &mut AfterStep<'_>) -> Result<Outcome, RunError> {
		self.check_steps(state, until)?;
		if until == state.step {
			return Ok(Outcome::Finished);
		}
		let mut workspace = self.step_workspace(state)?;
		while state.step < until {
			match self.step(state, &mut workspace) {
				// In groups it is not known which op was the first, and the state is still the one before the step.
				Err(RunError::NonFinite { .. }) if self.schedule.is_some() => {
					drop(workspace);
					workspace = Workspace::new(Plan::shared(&self.program))?;
					self.execute(state, &mut workspace)?;
					// Every op is finite after all: what was done in groups was wrong.
					return Err(RunError::Groups { step: state.step });
				}
				done => done?,
			}
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
				Ok(Tensor::from_words(decl.spec(), bits.to_vec()))
			})
			.collect()
	}

	/// Where the tensors of a step are.
	fn plan(&self) -> Plan {
		match &self.schedule {
			Some(schedule) => Plan { places: schedule.places.clone(), buffers: schedule.buffers.clone() },
			None => Plan::shared(&self.program),
		}
	}

	/// Room for a step, also on the threads, so that a step allocates nothing.
	pub(crate) fn step_workspace(&self, state: &State) -> Result<Workspace, RunError> {
		if let Some(schedule) = &self.schedule {
			self.cpu.reserve_rows(&schedule.scratch);
			self.cpu.reserve_chains(&schedule.bands);
		}
		let packs = self.packed(state)?;
		Ok(Workspace { packs, ..Workspace::new(self.plan())? })
	}

	/// Executes the step after `state` and applies its updates.
	fn step(&self, state: &mut State, workspace: &mut Workspace) -> Result<(), RunError> {
		match &self.schedule {
			Some(schedule) => {
				self.cpu.in_pool(|| self.execute_schedule(schedule, state, workspace))?;
				self.assign_schedule(schedule, state, workspace);
			}
			None => {
				self.cpu.in_pool(|| self.execute(state, workspace))?;
				self.assign(state, workspace);
			}
		}
		Ok(())
	}

	pub(crate) fn separate_workspace(&self) -> Result<Workspace, RunError> {
		Workspace::new(Plan::separate(&self.program))
	}

	/// Runs every op of the step after `state`.
	pub(crate) fn execute(&self, state: &State, workspace: &mut Workspace) -> Result<(), RunError> {
		let context = Context { seed: self.program.header.seed, step: state.step };
		for (op, index) in self.program.ops.iter().zip(0u32..) {
			let done = match self.replaced(index as usize) {
				Some(packed) => self.execute_packed(op, &packed, state, workspace),
				None => self.execute_op(op, state, &context, workspace),
			};
			done.map_err(|error| self.failed(index, state.step, error))?;
		}
		Ok(())
	}

	/// What the failure of an op means for the run.
	pub(crate) fn failed(&self, op: u32, step: u64, error: OpError) -> RunError {
		match error {
			OpError::NonFinite => {
				let name = self.program.ops.get(op as usize).map_or_else(String::new, |op| self.name(op.output));
				RunError::NonFinite { step, op, name }
			}
			source => RunError::Backend { step, op, source },
		}
	}

	pub(crate) fn execute_op(
		&self,
		op: &Op,
		state: &State,
		context: &Context,
		workspace: &mut Workspace,
	) -> Result<(), OpError> {
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
		let output = Output { dtype: spec.dtype, rows: spec.rows, cols: spec.cols, bits: &mut out[..words(spec)] };
		let result = self.cpu.run(op.kind, &inputs[..op.inputs.len().min(3)], context, output);
		workspace.buffers[buffer] = out;
		result
	}

	/// The tensor `id` as an op of the step after `state` reads it.
	pub(crate) fn matrix<'a>(&'a self, id: TensorId, state: &'a State, workspace: &'a Workspace) -> Matrix<'a> {
		match workspace.plan.places[id.0 as usize] {
			Place::Buffer(buffer) => {
				let spec = self.spec(id);
				let bits = &workspace.buffers[buffer][..words(spec)];
				Matrix { dtype: spec.dtype, rows: spec.rows, cols: spec.cols, bits }
			}
			place => self.outside(id, place, state),
		}
	}

	/// The tensor `id`, which is at `place` and no temp.
	pub(crate) fn outside<'a>(&'a self, id: TensorId, place: Place, state: &'a State) -> Matrix<'a> {
		let spec = self.spec(id);
		let bits: &[u32] = match place {
			Place::State(position) => state.tensors()[position].words(),
			Place::Data(position) => self.data[position].words(),
			Place::Buffer(_) | Place::Nowhere => &[],
		};
		Matrix { dtype: spec.dtype, rows: spec.rows, cols: spec.cols, bits }
	}

	/// Applies the updates of an executed step.
	pub(crate) fn assign(&self, state: &mut State, workspace: &Workspace) {
		for update in &self.program.updates {
			if let Place::State(position) = workspace.plan.places[update.state.0 as usize] {
				if let Some(value) = workspace.temp(update.value, &self.spec(update.value)) {
					state.assign(position, value);
				}
			}
		}
		state.advance();
	}
}
