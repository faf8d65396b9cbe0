//! Checks evidence against a claim and rules.

use crate::{
	evidence::{AssemblyEvidence, Evidence, MicroClaim, MicroEvidence, Source, Target},
	execute::{execute, Fault, MicroOutput},
};
use alloc::{collections::BTreeMap, vec, vec::Vec};
use assay_commitment::{
	accumulator_hash, chunk_cv, state_root, tree, verify_node, verify_tensor, Combiner, Domain, Hash, Node,
	OpeningError, StateLeaf, StateMeta,
};
use assay_program::{
	Opened, OperandSpec, ProgramCommitment, ProgramOpeningError, Role, StepContext, TensorDecl, TensorId,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The ruling on a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Verdict {
	/// The claim is what the referee computes: the challenger loses.
	Upheld,
	/// It is not: the defender loses.
	Refuted(Refutation),
}

/// Why a claim is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Refutation {
	/// The referee computes something else.
	WrongResult,
	/// The true result holds NaN or an infinity: the run should have ended with a typed failure.
	NonFinite,
}

/// Why evidence is not accepted. It changes nothing; better evidence may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum EvidenceError {
	/// The program commitment does not hash to the claim's program root.
	WrongProgram,
	/// The evidence is for the other kind of target.
	WrongTarget,
	/// The opened op is not the claim's.
	WrongOp,
	/// A part of the program does not open.
	Program(ProgramOpeningError),
	/// The op has no such chunk or link, or the claim lacks the accumulator hash of the link before.
	BadClaim,
	/// The number of sources is not the number of the op's tensor operands.
	SourceCount,
	/// This source is of another kind than the operand's role asks for.
	SourceKind {
		/// Position among the tensor operands.
		operand: u8,
	},
	/// This source does not lead to the state root, the trace root or the op that defines the operand.
	Source {
		/// Position among the tensor operands.
		operand: u8,
	},
	/// Not exactly the openings that the micro-op reads, in their order.
	OpeningList,
	/// This opening does not verify.
	Opening {
		/// Position in the list of openings.
		index: u32,
		/// What is wrong.
		error: OpeningError,
	},
	/// The accumulator does not hash to the one of the link before, or link 0 carries one.
	Accumulator,
	/// The lists are not the whole program.
	ProgramLists,
	/// The program breaks its own rules: an update without a fitting op. It was never valid.
	InvalidProgram,
	/// The trace leaves and the claimed state root do not hash to the claim's trace root.
	WrongTrace,
	/// The tensor roots do not hash to the state root before the step.
	WrongState,
	/// The step is the last that 64 bits can number.
	StepOverflow,
}

/// Rules on `claim` by `evidence`.
pub fn judge(claim: &MicroClaim, evidence: &Evidence) -> Result<Verdict, EvidenceError> {
	match (claim.target, evidence) {
		(Target::Micro { op, chunk, link, previous, claimed }, Evidence::Micro(evidence)) => {
			let at = MicroTarget { op, chunk, link, previous, claimed };
			judge_micro(claim, &at, evidence)
		}
		(Target::StateAssembly { claimed }, Evidence::StateAssembly(evidence)) => {
			judge_assembly(claim, &claimed, evidence)
		}
		_ => Err(EvidenceError::WrongTarget),
	}
}

struct MicroTarget {
	op: u32,
	chunk: u32,
	link: u32,
	previous: Option<Hash>,
	claimed: Hash,
}

fn judge_micro(claim: &MicroClaim, at: &MicroTarget, evidence: &MicroEvidence) -> Result<Verdict, EvidenceError> {
	let MicroEvidence { program, op, sources, openings, accumulator } = evidence;
	check_program(claim, program)?;
	if op.op.index != at.op {
		return Err(EvidenceError::WrongOp);
	}
	let geometry = program.verify_op(op).map_err(EvidenceError::Program)?;
	let context = StepContext { seed: program.header.seed, step: claim.step };
	let needed = geometry.micro_inputs(&context, at.chunk, at.link).ok_or(EvidenceError::BadClaim)?;

	if sources.len() != op.inputs.len() {
		return Err(EvidenceError::SourceCount);
	}
	let mut roots = sources
		.iter()
		.zip(&op.inputs)
		.zip(0u8..)
		.map(|((source, decl), operand)| source_root(claim, program, at.op, decl, source, operand));
	// Roots by input position: scalars have none.
	let mut by_input = Vec::new();
	for input in geometry.inputs() {
		by_input.push(match input {
			OperandSpec::Scalar(_) => None,
			OperandSpec::Tensor { .. } => Some(roots.next().ok_or(EvidenceError::SourceCount)??),
		});
	}

	if openings.len() != needed.len() {
		return Err(EvidenceError::OpeningList);
	}
	for ((opening, needed), index) in openings.iter().zip(&needed).zip(0u32..) {
		if (opening.start, opening.log2) != (needed.start, needed.log2) {
			return Err(EvidenceError::OpeningList);
		}
		let root = by_input.get(usize::from(needed.operand)).copied().flatten().ok_or(EvidenceError::OpeningList)?;
		let layout = geometry.input_layout(needed.operand).ok_or(EvidenceError::OpeningList)?;
		opening.verify(&root, layout.chunks()).map_err(|error| EvidenceError::Opening { index, error })?;
	}

	if let Some(before) = at.link.checked_sub(1) {
		let previous = at.previous.ok_or(EvidenceError::BadClaim)?;
		if accumulator_hash(at.op, at.chunk, before, accumulator) != previous {
			return Err(EvidenceError::Accumulator);
		}
	}
	let chunks: Vec<&[u8]> = openings.iter().map(|opening| opening.bytes.as_slice()).collect();
	let result = match execute(&geometry, &context, at.chunk, at.link, accumulator, &chunks) {
		Ok(MicroOutput::Chunk(bytes)) => chunk_cv(at.chunk, &bytes).ok_or(EvidenceError::BadClaim)?,
		Ok(MicroOutput::Accumulator(bytes)) => accumulator_hash(at.op, at.chunk, at.link, &bytes),
		Err(Fault::NonFinite) => return Ok(Verdict::Refuted(Refutation::NonFinite)),
		Err(Fault::OutOfRange) => return Err(EvidenceError::BadClaim),
		Err(Fault::Inputs) => return Err(EvidenceError::OpeningList),
		Err(Fault::Accumulator) => return Err(EvidenceError::Accumulator),
	};
	Ok(compare(&result, &at.claimed))
}

/// The root of an operand, proven.
fn source_root(
	claim: &MicroClaim,
	program: &ProgramCommitment,
	op: u32,
	decl: &Opened<TensorDecl>,
	source: &Source,
	operand: u8,
) -> Result<Hash, EvidenceError> {
	let (root, proven) = match (&decl.item.role, source) {
		(Role::Data { root }, Source::Data) => (root, true),
		(Role::Param(_) | Role::State(_), Source::State { root, tensors, index, proof }) => {
			let leaf = state_leaf(&decl.item, root);
			(root, verify_tensor(&claim.pre_state_root, *tensors, *index, &leaf, proof))
		}
		(Role::Temp, Source::Trace { producer, root, proof }) => {
			let defines =
				producer.index < op && producer.item.output == TensorId(decl.index) && program.has_op(producer);
			let leaf = Node::leaf(producer.index);
			let leaves = program.n_ops.saturating_add(1);
			let trace = Combiner::Merkle(Domain::Trace);
			(root, defines && verify_node(trace, &claim.trace_root, leaves, leaf, root, proof))
		}
		_ => return Err(EvidenceError::SourceKind { operand }),
	};
	proven.then_some(*root).ok_or(EvidenceError::Source { operand })
}

fn judge_assembly(claim: &MicroClaim, claimed: &Hash, evidence: &AssemblyEvidence) -> Result<Verdict, EvidenceError> {
	let AssemblyEvidence { program, tensors, ops, updates, outputs, state } = evidence;
	check_program(claim, program)?;
	if !program.covers(tensors, ops, updates) {
		return Err(EvidenceError::ProgramLists);
	}

	if outputs.len() != ops.len() {
		return Err(EvidenceError::WrongTrace);
	}
	let mut leaves = outputs.clone();
	leaves.push(*claimed);
	if tree::root(Combiner::Merkle(Domain::Trace), &leaves) != Some(claim.trace_root) {
		return Err(EvidenceError::WrongTrace);
	}

	let decls = || tensors.iter().zip(0u32..).filter(|(decl, _)| decl.role.is_state());
	if decls().count() != state.len() {
		return Err(EvidenceError::WrongState);
	}
	let batch = program.header.batch;
	let before = StateMeta::after(claim.step, batch).ok_or(EvidenceError::StepOverflow)?;
	let old: Vec<StateLeaf> = decls().zip(state).map(|((decl, _), root)| state_leaf(decl, root)).collect();
	if state_root(&before, &old) != Some(claim.pre_state_root) {
		return Err(EvidenceError::WrongState);
	}

	let mut defined = vec![None; tensors.len()];
	for (op, root) in ops.iter().zip(outputs) {
		*defined.get_mut(op.output.0 as usize).ok_or(EvidenceError::InvalidProgram)? = Some(root);
	}
	let assigned: BTreeMap<TensorId, TensorId> = updates.iter().map(|update| (update.state, update.value)).collect();
	let new = decls()
		.zip(state)
		.map(|((decl, id), old)| match assigned.get(&TensorId(id)) {
			None => Some(state_leaf(decl, old)),
			Some(value) => {
				let fits = tensors.get(value.0 as usize)?.spec() == decl.spec();
				let root = defined.get(value.0 as usize).copied().flatten()?;
				fits.then(|| state_leaf(decl, root))
			}
		})
		.collect::<Option<Vec<_>>>()
		.ok_or(EvidenceError::InvalidProgram)?;
	let after = claim.step.checked_add(1).and_then(|step| StateMeta::after(step, batch));
	let result = state_root(&after.ok_or(EvidenceError::StepOverflow)?, &new).ok_or(EvidenceError::WrongState)?;
	Ok(compare(&result, claimed))
}

fn check_program(claim: &MicroClaim, program: &ProgramCommitment) -> Result<(), EvidenceError> {
	if program.root() == claim.program_root {
		Ok(())
	} else {
		Err(EvidenceError::WrongProgram)
	}
}

fn compare(result: &Hash, claimed: &Hash) -> Verdict {
	if result == claimed {
		Verdict::Upheld
	} else {
		Verdict::Refuted(Refutation::WrongResult)
	}
}

/// The state leaf of a tensor with this root.
pub fn state_leaf(decl: &TensorDecl, root: &Hash) -> StateLeaf {
	StateLeaf { name: decl.name.clone(), dtype: decl.dtype, rows: decl.rows, cols: decl.cols, root: *root }
}
