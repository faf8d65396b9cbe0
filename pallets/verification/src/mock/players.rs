//! What a side of a dispute computes, for the protocol's players.

use super::program::Run;
use assay_commitment::{Hash, TensorTree};
use assay_program::{OpOpening, TensorId};
use assay_protocol::dispute::player::{TraceOracle, TraceProof};
use assay_referee::{build_evidence, run_chain, Evidence, MicroClaim, StepData};
use std::{borrow::Cow, convert::Infallible};

/// A step of a run.
struct Step<'a> {
	run: &'a Run,
	step: u64,
	proof: Option<TraceProof<'a>>,
}

impl StepData for Step<'_> {
	fn program(&self) -> &assay_program::Program {
		&self.run.program
	}

	fn step(&self) -> u64 {
		self.step
	}

	fn tensor(&self, id: TensorId) -> Option<Cow<'_, [u8]>> {
		let bits = self.run.data.get(&id).or_else(|| self.run.states[self.step as usize].get(&id)).or_else(|| {
			let op = self.run.program.ops.iter().position(|op| op.output == id)?;
			self.run.steps[self.step as usize].outputs.get(op)
		})?;
		self.run.program.decl(id)?.spec().layout().ok()?.to_canonical(bits).ok().map(Cow::Owned)
	}

	fn state_roots(&self) -> Option<Vec<Hash>> {
		assay_referee::whole::state_roots(&self.run.program, &self.run.states[self.step as usize]).ok()
	}

	fn trace_leaf(&self, op: u32) -> Option<Hash> {
		self.run.trace(self.step).get(op as usize).copied()
	}

	fn trace_proof(&self, op: u32) -> Option<Vec<Hash>> {
		self.proof.and_then(|proof| proof(op))
	}
}

/// A side that computes by this run.
pub(crate) struct By<'a>(pub(crate) &'a Run);

impl<'a> By<'a> {
	fn step(&self, step: u64) -> Step<'a> {
		Step { run: self.0, step, proof: None }
	}
}

impl TraceOracle for By<'_> {
	type Error = Infallible;

	fn state_root(&mut self, steps: u64) -> Result<Option<Hash>, Infallible> {
		Ok(self.0.roots.get(steps as usize).copied())
	}

	fn trace_leaves(&mut self, step: u64) -> Result<Vec<Option<Hash>>, Infallible> {
		Ok(self.0.trace(step).into_iter().map(Some).collect())
	}

	fn state_leaves(&mut self, step: u64) -> Result<Option<Vec<Hash>>, Infallible> {
		let state = &self.0.states[step as usize + 1];
		let roots = assay_referee::whole::state_roots(&self.0.program, state).expect("a whole state");
		let tree = assay_referee::build::state_tree(&self.0.program, step + 1, &roots).expect("a whole state");
		Ok(Some(tree.leaves().to_vec()))
	}

	fn chunk_values(&mut self, step: u64, op: u32) -> Result<Vec<Option<Hash>>, Infallible> {
		let output = self.0.program.ops[op as usize].output;
		let bytes = self.step(step).tensor(output).expect("an output").into_owned();
		let tree = TensorTree::build(&bytes).expect("whole chunks");
		Ok(tree.tree().leaves().iter().copied().map(Some).collect())
	}

	fn accumulators(&mut self, step: u64, op: u32, chunk: u32) -> Result<Vec<Hash>, Infallible> {
		Ok(run_chain(&self.step(step), op, chunk).expect("a chain").hashes(op, chunk))
	}

	fn op_opening(&mut self, op: u32) -> Result<OpOpening, Infallible> {
		Ok(self.0.trees.open_op_with_decls(&self.0.program, op).expect("an op"))
	}

	fn evidence(&mut self, claim: &MicroClaim, proof: TraceProof<'_>) -> Result<Evidence, Infallible> {
		let data = Step { run: self.0, step: claim.step, proof: Some(proof) };
		Ok(build_evidence(&data, &claim.target).expect("this side has executed the step"))
	}
}
