//! Executes a step by its schedule.

use assay_cpu::{Context, Matrix, OpError, Output, Packed, MAX_CHAIN_GIVEN, MAX_CHAIN_PACKED, MAX_GIVEN, MAX_KEPT};
use assay_program::{DType, Op, Operand};

use crate::{
	plan::{words, Place},
	schedule::{ChainWork, Group, Schedule, Work},
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
			Work::Op(op) => (*op, self.execute_alone(*op, state, &context, workspace)),
			Work::Rows(group) => (group.ops[0], self.execute_group(group, state, &context, workspace)),
			Work::Chain(chain) => (chain.ops[0], self.execute_chain(chain, state, &context, workspace)),
		};
		result.map_err(|error| self.failed(op as u32, state.step, error))
	}

	/// An op by itself, with its weight as it was packed, if it was.
	fn execute_alone(
		&self,
		index: usize,
		state: &State,
		context: &Context,
		workspace: &mut Workspace,
	) -> Result<(), OpError> {
		let op = &self.program.ops[index];
		let wanted = self.schedule.as_ref().and_then(|schedule| schedule.wants.of_op.get(index).copied().flatten());
		let packed = wanted.and_then(|wanted| workspace.packs.get(wanted).cloned());
		match packed {
			Some(packed) => self.execute_packed(op, &packed, state, workspace),
			None => self.execute_op(op, state, context, workspace),
		}
	}

	/// A product with its second operand packed.
	pub(crate) fn execute_packed(
		&self,
		op: &Op,
		packed: &Packed,
		state: &State,
		workspace: &mut Workspace,
	) -> Result<(), OpError> {
		let (Some(Operand::Tensor(a)), Some(Place::Buffer(buffer))) =
			(op.inputs.first().copied(), workspace.plan.places.get(op.output.0 as usize).copied())
		else {
			return Err(OpError::Shape("a product's operand is a tensor, its output a temp"));
		};
		let mut out = core::mem::take(&mut workspace.buffers[buffer]);
		let spec = self.spec(op.output);
		let output = Output { dtype: spec.dtype, rows: spec.rows, cols: spec.cols, bits: &mut out[..words(spec)] };
		let result = self.cpu.run_packed(op.kind, &self.matrix(a, state, workspace), packed, output);
		workspace.buffers[buffer] = out;
		result
	}

	fn execute_chain(
		&self,
		chain: &ChainWork,
		state: &State,
		context: &Context,
		workspace: &mut Workspace,
	) -> Result<(), OpError> {
		let mut taken: [Vec<u32>; MAX_KEPT] = Default::default();
		for (taken, (_, buffer)) in taken.iter_mut().zip(&chain.kept) {
			*taken = core::mem::take(&mut workspace.buffers[*buffer]);
		}
		let mut kept: [&mut [u32]; MAX_KEPT] = Default::default();
		for ((kept, taken), (id, _)) in kept.iter_mut().zip(&mut taken).zip(&chain.kept) {
			*kept = &mut taken[..words(self.spec(*id))];
		}
		let nothing = Matrix { dtype: DType::F32, rows: 0, cols: 0, bits: &[] };
		let mut given = [nothing; MAX_CHAIN_GIVEN];
		for (given, id) in given.iter_mut().zip(&chain.given) {
			*given = self.matrix(*id, state, workspace);
		}
		let result = self.with_packs(chain, workspace, |packed| {
			let (given, kept) = (&given[..chain.given.len()], &mut kept[..chain.kept.len()]);
			self.cpu.run_chain(&chain.chain, given, packed, context, kept)
		});
		for (taken, (_, buffer)) in taken.iter_mut().zip(&chain.kept) {
			workspace.buffers[*buffer] = core::mem::take(taken);
		}
		result
	}

	/// Calls `work` with the packed weights of a chain, on the stack: a step is to allocate nothing.
	fn with_packs(
		&self,
		chain: &ChainWork,
		workspace: &Workspace,
		work: impl FnOnce(&[&Packed]) -> Result<(), OpError>,
	) -> Result<(), OpError> {
		let Some(first) = chain.packs.first().and_then(|at| workspace.packs.get(*at)) else { return work(&[]) };
		let mut packed: [&Packed; MAX_CHAIN_PACKED] = [first; MAX_CHAIN_PACKED];
		for (packed, at) in packed.iter_mut().zip(&chain.packs) {
			*packed = workspace.packs.get(*at).ok_or(OpError::Shape("a weight was not packed"))?;
		}
		work(&packed[..chain.packs.len()])
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
			*kept = &mut taken[..words(self.spec(*id))];
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
				state.assign(*position, value);
			}
		}
		for (position, buffer) in &schedule.swaps {
			state.exchange(*position, &mut workspace.buffers[*buffer]);
		}
		state.advance();
	}
}
