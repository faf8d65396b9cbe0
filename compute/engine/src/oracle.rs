//! What a side of a dispute must know about a segment: its own roots, traces, trees, accumulators and evidence.

use std::{borrow::Cow, sync::Arc};

use assay_commitment::{Hash, Node, Tree};
use assay_program::{Program, TensorId};
use assay_referee::{build_evidence, run_chain, BuildError, Chain, ClaimedTree, Evidence, StepData, Target};

use crate::{trace::FAILED, Engine, RunError, State, StepTrace};

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

/// Answers questions about one segment, given the state before it. State roots of all steps are computed in one pass on
/// the first question; a trace is computed when its step is asked for, and the last one is kept.
///
/// If the run fails with an infinity or NaN, the state roots after that are [`FAILED`], and so are the trace's leaves from
/// that op on: compared with the other side's, they are the first difference.
#[derive(Debug)]
pub struct TraceOracle {
	engine: Arc<Engine>,
	start: State,
	end: u64,
	/// Roots after 0, 1, ... steps of the segment, and the step that failed.
	roots: Option<(Vec<Hash>, Option<u64>)>,
	trace: Option<StepTrace>,
	chain: Option<((u64, u32, u32), Chain)>,
}

impl TraceOracle {
	/// An oracle of the steps from the one after `start` up to `end`.
	pub fn new(engine: Arc<Engine>, start: State, end: u64) -> Result<Self, OracleError> {
		engine.check_state(&start)?;
		let last = engine.program().header.steps;
		if end <= start.step || end > last {
			return Err(OracleError::OutOfRange { step: end, start: start.step, end: last });
		}
		Ok(Self { engine, start, end, roots: None, trace: None, chain: None })
	}

	/// The engine.
	pub fn engine(&self) -> &Arc<Engine> {
		&self.engine
	}

	/// The state root after `step` steps of the job; `step` from the segment's start to its end.
	pub fn state_root_at(&mut self, step: u64) -> Result<Hash, OracleError> {
		let start = self.start.step;
		let outside = OracleError::OutOfRange { step, start, end: self.end };
		let index = step.checked_sub(start).filter(|_| step <= self.end).ok_or(outside.clone())?;
		let (roots, _) = self.roots()?;
		Ok(roots.get(index as usize).copied().unwrap_or(FAILED))
	}

	/// The step, if any, at which the run fails with an infinity or NaN.
	pub fn failure(&mut self) -> Result<Option<u64>, OracleError> {
		Ok(self.roots()?.1)
	}

	fn roots(&mut self) -> Result<&(Vec<Hash>, Option<u64>), OracleError> {
		if self.roots.is_none() {
			let mut state = self.start.clone();
			let mut roots = vec![self.engine.state_root(&state)?];
			let mut failure = None;
			let engine = self.engine.clone();
			let outcome = engine.run_with(&mut state, self.end, &mut |state| {
				roots.push(engine.state_root(state)?);
				Ok(())
			});
			match outcome {
				Ok(()) => {},
				Err(RunError::NonFinite { step, .. }) => failure = Some(step),
				Err(error) => return Err(error.into()),
			}
			self.roots = Some((roots, failure));
		}
		self.roots.as_ref().ok_or(OracleError::Run(RunError::Commitment))
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
				Ok(()) => {},
				Err(RunError::NonFinite { step: failed, .. }) => return Err(OracleError::Failed { step, failed }),
				Err(error) => return Err(error.into()),
			}
			self.trace = Some(self.engine.trace(&pre)?);
		}
		self.trace.as_ref().ok_or(OracleError::Run(RunError::Commitment))
	}

	/// The trace tree of a step.
	pub fn trace_tree(&mut self, step: u64) -> Result<&Tree, OracleError> {
		Ok(self.trace(step)?.tree())
	}

	/// The BLAKE3 tree of an op's output.
	pub fn tensor_tree(&mut self, step: u64, op: u32) -> Result<Tree, OracleError> {
		let engine = self.engine.clone();
		engine.traced_tree(self.trace(step)?, op).ok_or(OracleError::NoSuchPart { op })
	}

	/// Hash of the accumulator that link `link` of an output chunk hands on. The last link hands on none: its result is the
	/// chunk.
	pub fn accumulator_hash(&mut self, step: u64, op: u32, chunk: u32, link: u32) -> Result<Hash, OracleError> {
		let hashes = self.chain(step, op, chunk)?.hashes(op, chunk);
		hashes.get(link as usize).copied().ok_or(OracleError::NoSuchPart { op })
	}

	fn chain(&mut self, step: u64, op: u32, chunk: u32) -> Result<&Chain, OracleError> {
		let key = (step, op, chunk);
		if self.chain.as_ref().map(|(kept, _)| *kept) != Some(key) {
			let engine = self.engine.clone();
			let trace = self.trace(step)?;
			let chain = run_chain(&Traced { engine: &engine, trace, claimed: None }, op, chunk);
			self.chain = Some((key, chain.map_err(OracleError::Evidence)?));
		}
		self.chain.as_ref().map(|(_, chain)| chain).ok_or(OracleError::NoSuchPart { op })
	}

	/// Evidence about `target` in a step. `claimed` is the other side's trace tree as far as it was revealed; without it
	/// the proofs lead to this side's own trace root.
	pub fn evidence(
		&mut self,
		step: u64,
		target: &Target,
		claimed: Option<&ClaimedTree>,
	) -> Result<Evidence, OracleError> {
		let engine = self.engine.clone();
		let trace = self.trace(step)?;
		build_evidence(&Traced { engine: &engine, trace, claimed }, target).map_err(OracleError::Evidence)
	}
}

/// A traced step as the referee's evidence builder reads it.
struct Traced<'a> {
	engine: &'a Engine,
	trace: &'a StepTrace,
	claimed: Option<&'a ClaimedTree>,
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
		match self.claimed {
			Some(claimed) => claimed.leaf(op),
			None => self.trace.tree().node(Node::leaf(op)),
		}
	}

	fn trace_proof(&self, op: u32) -> Option<Vec<Hash>> {
		match self.claimed {
			Some(claimed) => claimed.prove(op),
			None => self.trace.tree().prove(Node::leaf(op)),
		}
	}
}
