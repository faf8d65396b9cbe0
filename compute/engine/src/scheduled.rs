//! Executes a step by its schedule.

use assay_cpu::{Context, Matrix, OpError, MAX_GIVEN, MAX_KEPT};
use assay_program::DType;

use crate::{
	schedule::{Group, Schedule, Work},
	workspace::Workspace,
	Engine, RunError, State,
};

impl Engine {
	/// Runs the step after `state`. On [`RunError::NonFinite`] some op's output holds an infinity or NaN, not always the op named.
	pub(crate) fn execute_schedule(
		&self,
		schedule: &Schedule,
		state: &State,
		workspace: &mut Workspace,
	) -> Result<(), RunError> {
		schedule.work.iter().try_for_each(|work| self.execute_work(work, state, workspace))
	}

	/// Runs a piece of the step after `state`.
	pub(crate) fn execute_work(&self, work: &Work, state: &State, workspace: &mut Workspace) -> Result<(), RunError> {
		let context = Context { seed: self.program.header.seed, step: state.step };
		let (op, result) = match work {
			Work::Op(op) => (*op, self.execute_op(&self.program.ops[*op], state, &context, workspace)),
			Work::Rows(group) => (group.ops[0], self.execute_group(group, state, &context, workspace)),
		};
		result.map_err(|error| self.failed(op as u32, state.step, error))
	}

	fn execute_group(
		&self,
		group: &Group,
		state: &State,
		context: &Context,
		workspace: &mut Workspace,
	) -> Result<(), OpError> {
		let mut taken: [Vec<u32>; MAX_KEPT] = Default::default();
		for (taken, (_, buffer)) in taken.iter_mut().zip(&group.kept) {
			*taken = core::mem::take(&mut workspace.buffers[*buffer]);
		}
		let mut kept: [&mut [u32]; MAX_KEPT] = Default::default();
		for ((kept, taken), (id, _)) in kept.iter_mut().zip(&mut taken).zip(&group.kept) {
			*kept = &mut taken[..self.spec(*id).elements() as usize];
		}
		let nothing = Matrix { dtype: DType::F32, rows: 0, cols: 0, bits: &[] };
		let mut given = [nothing; MAX_GIVEN];
		for (given, id) in given.iter_mut().zip(&group.given) {
			*given = self.matrix(*id, state, workspace);
		}
		let (given, kept) = (&given[..group.given.len()], &mut kept[..group.kept.len()]);
		let result = self.cpu.run_rows(&group.rows, given, context, kept);
		for (taken, (_, buffer)) in taken.iter_mut().zip(&group.kept) {
			workspace.buffers[*buffer] = core::mem::take(taken);
		}
		result
	}

	/// Applies the updates of an executed step. Most values change places with the state they replace.
	pub(crate) fn assign_schedule(&self, schedule: &Schedule, state: &mut State, workspace: &mut Workspace) {
		for (position, id) in &schedule.copies {
			if let Some(value) = workspace.temp(*id, &self.spec(*id)) {
				state.tensors[*position].copy_from_slice(value);
			}
		}
		for (position, buffer) in &schedule.swaps {
			core::mem::swap(&mut state.tensors[*position], &mut workspace.buffers[*buffer]);
		}
		state.advance();
	}
}
