//! Makes evidence from whole tensors. The challenger, who has executed the step, runs this; it never runs on chain.

use crate::{
	evidence::{Change, Evidence, MicroEvidence, Source, StateEvidence, Target, TensorEvidence},
	execute::{execute, Fault, MicroOutput},
};
use alloc::{borrow::Cow, boxed::Box, collections::BTreeMap, vec::Vec};
use assay_commitment::{accumulator_hash, ChunkOpening, Hash, StateMeta, StateTree, TensorTree};
use assay_program::{OpGeometry, Operand, Program, ProgramTrees, Role, StepContext, TensorId};

/// What the challenger knows about the disputed step.
pub trait StepData {
	/// The program, valid.
	fn program(&self) -> &Program;

	/// The step, counted from 0.
	fn step(&self) -> u64;

	/// Canonical bytes of a tensor: data as given, parameters and state before the step, temps as the step defines them.
	/// Asked only for what the target reads.
	fn tensor(&self, id: TensorId) -> Option<Cow<'_, [u8]>>;

	/// Roots of all parameter and state tensors before the step, in tensor-id order.
	fn state_roots(&self) -> Option<Vec<Hash>>;

	/// The defender's trace leaf of an op before the disputed leaf, which is also the challenger's.
	fn trace_leaf(&self, op: u32) -> Option<Hash>;

	/// Proof of that leaf against the defender's trace root; [`crate::ClaimedTree::prove`] gives it.
	fn trace_proof(&self, op: u32) -> Option<Vec<Hash>>;
}

/// Why evidence cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildError {
	/// The program has no such op, or was never valid.
	Program,
	/// The op has no such chunk or link, or the state no such leaf.
	OutOfRange,
	/// The step data does not have this tensor, or not with the bytes of its shape.
	MissingTensor(TensorId),
	/// The step data does not have the roots of the state, or not one for each tensor.
	MissingState,
	/// The step data does not have the trace leaf or the proof of this op.
	MissingTrace(u32),
	/// A micro-op did not run.
	Fault(Fault),
}

/// All links of one output chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
	/// Accumulator that each link but the last hands on.
	pub accumulators: Vec<Vec<u8>>,
	/// What the last link gives; [`Fault::NonFinite`] if the output holds NaN or an infinity.
	pub output: Result<[u8; assay_commitment::CHUNK_BYTES], Fault>,
}

impl Chain {
	/// The hashes of the accumulators, as the links phase of a dispute reveals them.
	pub fn hashes(&self, op: u32, chunk: u32) -> Vec<Hash> {
		self.accumulators.iter().zip(0u32..).map(|(bytes, link)| accumulator_hash(op, chunk, link, bytes)).collect()
	}
}

/// Runs all links of a chunk of an op's output.
pub fn run_chain(data: &impl StepData, op: u32, chunk: u32) -> Result<Chain, BuildError> {
	let setting = Setting::new(data, op)?;
	let links = setting.geometry.chain_len();
	let accumulators = setting.accumulators(chunk, links - 1)?;
	let before = accumulators.last().map_or(&[][..], |bytes| bytes);
	let output = match setting.run(chunk, links - 1, before) {
		Ok(MicroOutput::Chunk(bytes)) => Ok(bytes),
		Ok(MicroOutput::Accumulator(_)) => return Err(BuildError::OutOfRange),
		Err(BuildError::Fault(Fault::NonFinite)) => Err(Fault::NonFinite),
		Err(error) => return Err(error),
	};
	Ok(Chain { accumulators, output })
}

/// Evidence about a target.
pub fn build_evidence(data: &impl StepData, target: &Target) -> Result<Evidence, BuildError> {
	match *target {
		Target::Micro { op, chunk, link, .. } => {
			micro_evidence(data, op, chunk, link).map(|evidence| Evidence::Micro(Box::new(evidence)))
		}
		Target::StateLeaf { index, .. } => {
			state_evidence(data, index).map(|evidence| Evidence::State(Box::new(evidence)))
		}
	}
}

/// An op, and the canonical bytes of what it reads.
struct Setting<'a> {
	geometry: OpGeometry,
	context: StepContext,
	/// Tensor and bytes by input position; `None` for scalars.
	inputs: Vec<Option<(TensorId, Cow<'a, [u8]>)>>,
}

impl<'a> Setting<'a> {
	fn new(data: &'a impl StepData, op: u32) -> Result<Setting<'a>, BuildError> {
		let program = data.program();
		let geometry = program.geometry(op as usize).map_err(|_| BuildError::Program)?;
		let op = program.ops.get(op as usize).ok_or(BuildError::Program)?;
		let inputs = op
			.inputs
			.iter()
			.zip(0u8..)
			.map(|(input, operand)| match input {
				Operand::Scalar(_) => Ok(None),
				Operand::Tensor(id) => {
					let len = geometry.input_layout(operand).map(|layout| layout.byte_len());
					let bytes = data.tensor(*id).filter(|bytes| Some(bytes.len() as u64) == len);
					bytes.map(|bytes| Some((*id, bytes))).ok_or(BuildError::MissingTensor(*id))
				}
			})
			.collect::<Result<_, _>>()?;
		let context = StepContext { seed: program.header.seed, step: data.step() };
		Ok(Setting { geometry, context, inputs })
	}

	fn run(&self, chunk: u32, link: u32, accumulator: &[u8]) -> Result<MicroOutput, BuildError> {
		let needed = self.geometry.micro_inputs(&self.context, chunk, link).ok_or(BuildError::OutOfRange)?;
		let chunks = needed
			.iter()
			.map(|run| {
				let (_, bytes) = self.inputs.get(usize::from(run.operand))?.as_ref()?;
				let from = run.start as usize * assay_commitment::CHUNK_BYTES;
				bytes.get(from..from + (assay_commitment::CHUNK_BYTES << run.log2))
			})
			.collect::<Option<Vec<_>>>()
			.ok_or(BuildError::OutOfRange)?;
		execute(&self.geometry, &self.context, chunk, link, accumulator, &chunks).map_err(BuildError::Fault)
	}

	/// The accumulators of links `0..end`, none of which is the last.
	fn accumulators(&self, chunk: u32, end: u32) -> Result<Vec<Vec<u8>>, BuildError> {
		let mut accumulators: Vec<Vec<u8>> = Vec::new();
		for link in 0..end {
			let before = accumulators.last().map_or(&[][..], |bytes| bytes);
			match self.run(chunk, link, before)? {
				MicroOutput::Accumulator(bytes) => accumulators.push(bytes),
				MicroOutput::Chunk(_) => return Err(BuildError::OutOfRange),
			}
		}
		Ok(accumulators)
	}
}

fn micro_evidence(data: &impl StepData, op: u32, chunk: u32, link: u32) -> Result<MicroEvidence, BuildError> {
	let setting = Setting::new(data, op)?;
	let needed = setting.geometry.micro_inputs(&setting.context, chunk, link).ok_or(BuildError::OutOfRange)?;
	let program = data.program();
	let trees = ProgramTrees::build(program).ok_or(BuildError::Program)?;
	let opening = trees.open_op_with_decls(program, op).ok_or(BuildError::Program)?;

	let producers = program.producers();
	let ids = opening.op.item.tensor_operands();
	let sources = ids.map(|id| source(data, &trees, &producers, id)).collect::<Result<Vec<_>, _>>()?;

	let mut hashed: BTreeMap<TensorId, TensorTree> = BTreeMap::new();
	let mut openings: Vec<ChunkOpening> = Vec::with_capacity(needed.len());
	for run in needed {
		let input = setting.inputs.get(usize::from(run.operand)).and_then(Option::as_ref);
		let (id, bytes) = input.ok_or(BuildError::Program)?;
		if !hashed.contains_key(id) {
			hashed.insert(*id, TensorTree::build(bytes).ok_or(BuildError::MissingTensor(*id))?);
		}
		let opening = hashed.get(id).and_then(|tree| tree.open(bytes, run.start, run.log2));
		openings.push(opening.ok_or(BuildError::OutOfRange)?);
	}
	let accumulator = setting.accumulators(chunk, link)?.pop().unwrap_or_default();
	Ok(MicroEvidence { program: trees.commitment().clone(), op: opening, sources, openings, accumulator })
}

fn source(
	data: &impl StepData,
	trees: &ProgramTrees,
	producers: &[Option<u32>],
	id: TensorId,
) -> Result<Source, BuildError> {
	let program = data.program();
	match program.decl(id).ok_or(BuildError::Program)?.role {
		Role::Data { .. } => Ok(Source::Data),
		Role::Param(_) | Role::State(_) => {
			let roots = data.state_roots().ok_or(BuildError::MissingState)?;
			let tree = state_tree(program, data.step(), &roots)?;
			let index = program.state_tensors().position(|(state, _)| state == id).ok_or(BuildError::Program)? as u32;
			let root = *roots.get(index as usize).ok_or(BuildError::MissingState)?;
			let proof = tree.prove_tensor(index).ok_or(BuildError::MissingState)?;
			Ok(Source::State { root, tensors: tree.tensors(), index, proof })
		}
		Role::Temp => {
			let op = producers.get(id.0 as usize).copied().flatten().ok_or(BuildError::Program)?;
			let producer = trees.open_op(program, op).ok_or(BuildError::Program)?;
			let (root, proof) = output(data, op)?;
			Ok(Source::Trace { producer, root, proof })
		}
	}
}

/// The root of an op's output, and its proof against the trace root.
fn output(data: &impl StepData, op: u32) -> Result<(Hash, Vec<Hash>), BuildError> {
	data.trace_leaf(op).zip(data.trace_proof(op)).ok_or(BuildError::MissingTrace(op))
}

fn state_evidence(data: &impl StepData, index: u32) -> Result<StateEvidence, BuildError> {
	let trees = ProgramTrees::build(data.program()).ok_or(BuildError::Program)?;
	let tensor = index.checked_sub(1).map(|position| tensor_evidence(data, &trees, position)).transpose()?;
	Ok(StateEvidence { program: trees.commitment().clone(), tensor })
}

fn tensor_evidence(data: &impl StepData, trees: &ProgramTrees, position: u32) -> Result<TensorEvidence, BuildError> {
	let program = data.program();
	let (id, decl) = program.state_tensors().nth(position as usize).ok_or(BuildError::OutOfRange)?;
	let roots = data.state_roots().ok_or(BuildError::MissingState)?;
	let proof = state_tree(program, data.step(), &roots)?.prove_tensor(position);
	let root = roots.get(position as usize).ok_or(BuildError::MissingState)?;
	Ok(TensorEvidence {
		before: crate::judge::state_leaf(decl, root),
		proof: proof.ok_or(BuildError::MissingState)?,
		decl: trees.open_tensor(program, id).ok_or(BuildError::Program)?,
		change: change(data, trees, id)?,
	})
}

/// What the step does to a tensor of the state.
fn change(data: &impl StepData, trees: &ProgramTrees, id: TensorId) -> Result<Change, BuildError> {
	let program = data.program();
	// Updates ascend: where the tensor's stands, or would stand.
	let at = program.updates.partition_point(|update| update.state < id) as u32;
	let open = |index| trees.open_update(program, index);
	match open(at) {
		Some(update) if update.item.state == id => {
			let producers = program.producers();
			let op = producers.get(update.item.value.0 as usize).copied().flatten().ok_or(BuildError::Program)?;
			let producer = trees.open_op(program, op).ok_or(BuildError::Program)?;
			let (root, proof) = output(data, op)?;
			Ok(Change::Assigned { update, producer, root, proof })
		}
		right => Ok(Change::Kept { left: at.checked_sub(1).and_then(open), right }),
	}
}

/// The state tree after `step` steps from the roots of all parameter and state tensors in tensor-id order.
pub fn state_tree(program: &Program, step: u64, roots: &[Hash]) -> Result<StateTree, BuildError> {
	if program.state_tensors().count() != roots.len() {
		return Err(BuildError::MissingState);
	}
	let leaves: Vec<_> =
		program.state_tensors().zip(roots).map(|((_, decl), root)| crate::judge::state_leaf(decl, root)).collect();
	let meta = StateMeta::after(step, program.header.batch).ok_or(BuildError::OutOfRange)?;
	StateTree::build(&meta, &leaves).ok_or(BuildError::MissingState)
}
