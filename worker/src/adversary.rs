//! Dishonest workers, to test that each is caught. Only built with the `adversary` feature, which release builds lack.

use crate::error::WorkerError;
use assay_agent::artifacts::ArtifactError;
use assay_commitment::{state_root, StateLeaf, StateMeta};
use assay_engine::{Engine, OracleError, SegmentOracle, State, Tensor};
use assay_program::{commitment::OpOpening, Operand, Program, TensorId};
use assay_protocol::{
	dispute::{
		player::{TraceOracle, TraceProof},
		Context,
	},
	Hash, SegmentIndex,
};
use assay_referee::{Evidence, MicroClaim};
use std::{str::FromStr, sync::Arc};

/// A way to cheat. The segment is counted over the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misbehaviour {
	/// Returns the state before the segment as the state after it.
	SkipTraining(SegmentIndex),
	/// Flips one bit of one weight.
	FlipBit(SegmentIndex),
	/// Trains on another batch than the seed draws.
	WrongBatch(SegmentIndex),
	/// Trains with another learning rate.
	WrongRate(SegmentIndex),
	/// Serves no pre-state and answers no challenge.
	RefuseServe,
	/// Opens no boundary.
	NeverOpen,
	/// Not a cheat: one lane of the machine's vector unit is broken.
	FaultyLane,
}

impl FromStr for Misbehaviour {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let (name, segment) = text.split_once('@').unwrap_or((text, "0"));
		let segment: SegmentIndex = segment.parse().map_err(|_| format!("{segment} is not a segment number"))?;
		Ok(match name {
			"skip-training" => Self::SkipTraining(segment),
			"flip-bit" => Self::FlipBit(segment),
			"wrong-batch" => Self::WrongBatch(segment),
			"wrong-rate" => Self::WrongRate(segment),
			"refuse-serve" => Self::RefuseServe,
			"never-open" => Self::NeverOpen,
			"faulty-lane" => Self::FaultyLane,
			_ => {
				return Err(format!(
					"{name}: write skip-training@N, flip-bit@N, wrong-batch@N, wrong-rate@N, refuse-serve, never-open or faulty-lane"
				))
			}
		})
	}
}

impl Misbehaviour {
	/// Whether pre-states are refused.
	pub fn refuses_pre_states(&self) -> bool {
		*self == Self::RefuseServe
	}

	/// Whether boundaries stay closed.
	pub fn never_opens(&self) -> bool {
		*self == Self::NeverOpen
	}

	fn segment(&self) -> Option<SegmentIndex> {
		match self {
			Self::SkipTraining(segment)
			| Self::FlipBit(segment)
			| Self::WrongBatch(segment)
			| Self::WrongRate(segment) => Some(*segment),
			Self::RefuseServe | Self::NeverOpen | Self::FaultyLane => None,
		}
	}

	/// The state to claim after `segment`.
	///
	/// # Errors
	/// [`WorkerError`] of the execution.
	pub fn falsify(
		&self,
		engine: &Engine,
		segment: SegmentIndex,
		before: &State,
		honest: State,
	) -> Result<State, WorkerError> {
		if self.segment() != Some(segment) {
			return Ok(honest);
		}
		let end = honest.step();
		match self {
			Self::SkipTraining(_) => Ok(rebuild(engine, before, end, |_, bits| bits)),
			Self::FlipBit(_) => Ok(flipped(engine, &honest)),
			Self::WrongBatch(_) | Self::WrongRate(_) => {
				let other = self.other_engine(engine)?;
				let mut state = rebuild(&other, before, before.step(), |_, bits| bits);
				other.run(&mut state, end, &mut |_| std::ops::ControlFlow::Continue(()))?;
				Ok(rebuild(engine, &state, end, |_, bits| bits))
			}
			Self::RefuseServe | Self::NeverOpen | Self::FaultyLane => Ok(honest),
		}
	}

	/// The program that the cheat really runs, on the same data.
	fn other_engine(&self, engine: &Engine) -> Result<Engine, WorkerError> {
		let mut program = engine.program().clone();
		match self {
			Self::WrongBatch(_) => program.header.seed[0] ^= 1,
			Self::WrongRate(_) => spoil_rate(&mut program),
			_ => {}
		}
		let mut data = Vec::new();
		for (decl, id) in program.tensors.iter().zip(0u32..) {
			if decl.role.given_root().is_some() {
				if let Some(tensor) = engine.data_tensor(TensorId(id)) {
					data.push((TensorId(id), tensor));
				}
			}
		}
		let cpu = Arc::new(assay_cpu::Cpu::new(engine.cpu().path(), engine.cpu().threads())?);
		Ok(Engine::new(program, data, cpu).map_err(ArtifactError::from)?)
	}

	/// Plays the defender as well as the lie allows.
	pub(crate) fn oracle(
		&self,
		engine: Arc<Engine>,
		pre: State,
		segment: SegmentIndex,
		context: &Context,
	) -> Result<LyingOracle, WorkerError> {
		let lies = self.segment() == Some(segment);
		let runs = match self {
			Self::WrongBatch(_) | Self::WrongRate(_) if lies => Arc::new(self.other_engine(&engine)?),
			_ => engine.clone(),
		};
		let start = rebuild(&runs, &pre, pre.step(), |_, bits| bits);
		let frozen = (lies && matches!(self, Self::SkipTraining(_))).then(|| pre.clone());
		let flips = lies && matches!(self, Self::FlipBit(_));
		Ok(LyingOracle {
			honest: SegmentOracle::new(runs, start, context.end_step)?,
			engine,
			frozen,
			flips,
			end: context.end_step,
			claimed: context.post_root,
		})
	}
}

/// Another number in the last op that has one: the learning rate's, or the decay that multiplies it.
fn spoil_rate(program: &mut Program) {
	for op in program.ops.iter_mut().rev() {
		for input in &mut op.inputs {
			if let Operand::Scalar(bits) = input {
				*bits = (f32::from_bits(*bits) * 2.0).to_bits();
				return;
			}
		}
	}
}

/// The state with one bit of its first weight flipped.
fn flipped(engine: &Engine, state: &State) -> State {
	rebuild(engine, state, state.step(), |position, mut bits| {
		if let Some(weight) = bits.first_mut().filter(|_| position == 0) {
			*weight ^= 1;
		}
		bits
	})
}

/// A state of `engine` at `step` with the tensors of `state`, each passed through `change`.
fn rebuild(engine: &Engine, state: &State, step: u64, change: impl Fn(usize, Vec<u32>) -> Vec<u32>) -> State {
	let position = std::cell::Cell::new(0);
	let rebuilt = engine.state_at(step, |name| {
		let tensor = engine.state_tensor_named(state, name)?;
		let spec = tensor.spec();
		let bits = change(position.replace(position.get() + 1), tensor.bits().to_vec());
		Tensor::new(spec.dtype, spec.rows, spec.cols, bits).ok()
	});
	rebuilt.unwrap_or_else(|_| state.clone())
}

/// Answers from what was really run, and the claimed root where the lie has to be.
pub(crate) struct LyingOracle {
	honest: SegmentOracle,
	engine: Arc<Engine>,
	/// The state that is claimed to follow every step, when nothing was trained.
	frozen: Option<State>,
	/// Whether the state after the last step is claimed with one bit flipped.
	flips: bool,
	end: u64,
	claimed: Hash,
}

impl LyingOracle {
	fn frozen_root(&self, step: u64) -> Option<Hash> {
		let (meta, leaves) = self.leaves(self.frozen.as_ref()?, step)?;
		state_root(&meta, &leaves)
	}

	/// What the root of `state` after `step` steps is made of.
	fn leaves(&self, state: &State, step: u64) -> Option<(StateMeta, Vec<StateLeaf>)> {
		let program = self.engine.program();
		let mut leaves = Vec::new();
		for (id, decl) in program.state_tensors() {
			let root = self.engine.state_tensor(state, id)?.root();
			leaves.push(StateLeaf {
				name: decl.name.clone(),
				dtype: decl.dtype,
				rows: decl.rows,
				cols: decl.cols,
				root,
			});
		}
		Some((StateMeta::after(step, program.header.batch)?, leaves))
	}
}

impl TraceOracle for LyingOracle {
	type Error = OracleError;

	fn state_root(&mut self, steps: u64) -> Result<Option<Hash>, OracleError> {
		if steps == self.end {
			return Ok(Some(self.claimed));
		}
		match self.frozen_root(steps) {
			Some(root) => Ok(Some(root)),
			None => self.honest.state_root(steps),
		}
	}

	fn trace_leaves(&mut self, step: u64) -> Result<Vec<Option<Hash>>, OracleError> {
		let post = self.state_root(step + 1)?;
		let mut leaves = self.honest.trace_leaves(step)?;
		if let Some(last) = leaves.last_mut() {
			*last = post;
		}
		Ok(leaves)
	}

	fn state_leaves(&mut self, step: u64) -> Result<Option<Vec<Hash>>, OracleError> {
		let steps = step + 1;
		let lie = if self.flips && steps == self.end {
			self.honest.trace(step)?.post().map(|post| flipped(&self.engine, post))
		} else {
			self.frozen.clone()
		};
		let Some(state) = lie else { return self.honest.state_leaves(step) };
		let leaves = self.leaves(&state, steps);
		Ok(leaves
			.map(|(meta, tensors)| core::iter::once(meta.leaf()).chain(tensors.iter().map(StateLeaf::leaf)).collect()))
	}

	fn chunk_values(&mut self, step: u64, op: u32) -> Result<Vec<Option<Hash>>, OracleError> {
		self.honest.chunk_values(step, op)
	}

	fn accumulators(&mut self, step: u64, op: u32, chunk: u32) -> Result<Vec<Hash>, OracleError> {
		self.honest.accumulators(step, op, chunk)
	}

	fn op_opening(&mut self, op: u32) -> Result<OpOpening, OracleError> {
		self.honest.op_opening(op)
	}

	fn evidence(&mut self, claim: &MicroClaim, proof: TraceProof<'_>) -> Result<Evidence, OracleError> {
		self.honest.evidence(claim, proof)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn names_of_misbehaviours_are_read() {
		assert_eq!("flip-bit@7".parse(), Ok(Misbehaviour::FlipBit(7)));
		assert_eq!("never-open".parse(), Ok(Misbehaviour::NeverOpen));
		assert!("flip-bit@x".parse::<Misbehaviour>().is_err());
		assert!("steal".parse::<Misbehaviour>().is_err());
	}
}
