//! What a side of a dispute must know about a segment: its own roots, traces, trees, accumulators and evidence.

use std::{borrow::Cow, sync::Arc};

use assay_commitment::Hash;
use assay_program::{OpOpening, Program, TensorId};
use assay_protocol::dispute::player::{TraceOracle, TraceProof};
use assay_referee::{build_evidence, run_chain, BuildError, Evidence, MicroClaim, StepData};

use crate::{Engine, RunError, State, StepTrace};

/// Why the oracle has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OracleError {
	/// The step is not in the segment.
	#[error("step {step} is outside {start}..={end}")]
	OutOfRange {
		/// Step asked for.
		step: u64,
		/// First step.
		start: u64,
		/// One past the last step.
		end: u64,
	},
	/// The program has no such op, chunk or link, or the run failed before it.
	#[error("op {op} has no such output, chunk or link in this step")]
	NoSuchPart {
		/// The op.
		op: u32,
	},
	/// The run failed before this step, which therefore has no trace.
	#[error("the run failed at step {failed}, before step {step}")]
	Failed {
		/// Step asked for.
		step: u64,
		/// Step that failed.
		failed: u64,
	},
	/// The segment cannot be run.
	#[error(transparent)]
	Run(#[from] RunError),
	/// Evidence cannot be made.
	#[error("evidence cannot be made: {0:?}")]
	Evidence(BuildError),
}

/// Answers questions about one segment, given the state before it, for the player of a dispute.
///
/// State roots of all steps are computed in one pass on the first question; a trace when its step is asked for, and the last
/// one is kept. What does not exist because the run fails with an infinity or NaN is `None`.
#[derive(Debug)]
pub struct SegmentOracle {
	engine: Arc<Engine>,
	start: State,
	end: u64,
	roots: Option<Roots>,
	trace: Option<StepTrace>,
}

/// State roots after 0, 1, ... steps of the segment, up to the step that fails.
#[derive(Debug)]
struct Roots {
	roots: Vec<Hash>,
	failure: Option<u64>,
}

impl SegmentOracle {
	/// An oracle of the steps from the one after `start` up to `end`.
	pub fn new(engine: Arc<Engine>, start: State, end: u64) -> Result<Self, OracleError> {
		engine.check_state(&start)?;
		let last = engine.program().header.steps;
		if end <= start.step || end > last {
			return Err(OracleError::OutOfRange { step: end, start: start.step, end: last });
		}
		Ok(Self { engine, start, end, roots: None, trace: None })
	}

	/// The engine.
	pub fn engine(&self) -> &Arc<Engine> {
		&self.engine
	}

	/// The step, if any, at which the run fails with an infinity or NaN.
	pub fn failure(&mut self) -> Result<Option<u64>, OracleError> {
		Ok(self.roots()?.failure)
	}

	/// The trace of a step, from 0 over the job.
	pub fn trace(&mut self, step: u64) -> Result<&StepTrace, OracleError> {
		let (start, end) = (self.start.step, self.end);
		if step < start || step >= end {
			return Err(OracleError::OutOfRange { step, start, end });
		}
		if self.trace.as_ref().map(|trace| trace.pre().step()) != Some(step) {
			let mut pre = self.start.clone();
			match self.engine.run_with(&mut pre, step, &mut |_| Ok(())) {
				Ok(()) => {}
				Err(RunError::NonFinite { step: failed, .. }) => return Err(OracleError::Failed { step, failed }),
				Err(error) => return Err(error.into()),
			}
			self.trace = Some(self.engine.trace(&pre)?);
		}
		self.trace.as_ref().ok_or(OracleError::Run(RunError::Commitment))
	}

	fn roots(&mut self) -> Result<&Roots, OracleError> {
		if self.roots.is_none() {
			let mut state = self.start.clone();
			let mut roots = vec![self.engine.state_root(&state)?];
			let engine = self.engine.clone();
			let outcome = engine.run_with(&mut state, self.end, &mut |state| {
				roots.push(engine.state_root(state)?);
				Ok(())
			});
			let failure = match outcome {
				Ok(()) => None,
				Err(RunError::NonFinite { step, .. }) => Some(step),
				Err(error) => return Err(error.into()),
			};
			self.roots = Some(Roots { roots, failure });
		}
		self.roots.as_ref().ok_or(OracleError::Run(RunError::Commitment))
	}
}

impl TraceOracle for SegmentOracle {
	type Error = OracleError;

	fn state_root(&mut self, steps: u64) -> Result<Option<Hash>, OracleError> {
		let (start, end) = (self.start.step, self.end);
		match steps.checked_sub(start) {
			Some(index) if steps <= end => Ok(self.roots()?.roots.get(index as usize).copied()),
			_ => Err(OracleError::OutOfRange { step: steps, start, end }),
		}
	}

	fn trace_leaves(&mut self, step: u64) -> Result<Vec<Option<Hash>>, OracleError> {
		Ok(self.trace(step)?.leaves().to_vec())
	}

	fn state_leaves(&mut self, step: u64) -> Result<Option<Vec<Hash>>, OracleError> {
		Ok(self.trace(step)?.post_leaves().map(<[Hash]>::to_vec))
	}

	fn chunk_values(&mut self, step: u64, op: u32) -> Result<Vec<Option<Hash>>, OracleError> {
		let engine = self.engine.clone();
		engine.traced_chunks(self.trace(step)?, op).ok_or(OracleError::NoSuchPart { op })
	}

	fn accumulators(&mut self, step: u64, op: u32, chunk: u32) -> Result<Vec<Hash>, OracleError> {
		let engine = self.engine.clone();
		let data = Traced { engine: &engine, trace: self.trace(step)?, proof: &|_| None };
		let chain = run_chain(&data, op, chunk).map_err(OracleError::Evidence)?;
		Ok(chain.hashes(op, chunk))
	}

	fn op_opening(&mut self, op: u32) -> Result<OpOpening, OracleError> {
		let engine = &self.engine;
		engine.trees().open_op_with_decls(engine.program(), op).ok_or(OracleError::NoSuchPart { op })
	}

	fn evidence(&mut self, claim: &MicroClaim, proof: TraceProof<'_>) -> Result<Evidence, OracleError> {
		let engine = self.engine.clone();
		let data = Traced { engine: &engine, trace: self.trace(claim.step)?, proof };
		build_evidence(&data, &claim.target).map_err(OracleError::Evidence)
	}
}

/// A traced step as the referee's evidence builder reads it.
struct Traced<'a> {
	engine: &'a Engine,
	trace: &'a StepTrace,
	proof: TraceProof<'a>,
}

impl StepData for Traced<'_> {
	fn program(&self) -> &Program {
		self.engine.program()
	}

	fn step(&self) -> u64 {
		self.trace.pre().step()
	}

	fn tensor(&self, id: TensorId) -> Option<Cow<'_, [u8]>> {
		self.engine.traced_bytes(self.trace, id).map(Cow::Owned)
	}

	fn state_roots(&self) -> Option<Vec<Hash>> {
		Some(self.trace.pre_tensor_roots().to_vec())
	}

	fn trace_leaf(&self, op: u32) -> Option<Hash> {
		self.trace.leaves().get(op as usize).copied().flatten()
	}

	fn trace_proof(&self, op: u32) -> Option<Vec<Hash>> {
		(self.proof)(op)
	}
}
