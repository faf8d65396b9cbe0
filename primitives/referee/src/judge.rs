//! Checks evidence against a claim and rules.

use crate::{
	evidence::{Change, Evidence, MicroClaim, MicroEvidence, Source, StateEvidence, Target, TensorEvidence},
	execute::{execute, Fault, MicroOutput},
};
use alloc::vec::Vec;
use assay_commitment::{
	accumulator_hash, chunk_cv, verify_node, verify_tensor, Combiner, Domain, Hash, Node, OpeningError, StateLeaf,
	StateMeta,
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
	/// There is no such chunk, link or leaf of a state, or the claim lacks the accumulator hash of the link before.
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
	/// Leaf 0 of a state takes no tensor; every other one takes one.
	StateKind,
	/// The tensor before the step does not lead, at the claim's position, to the state root before the step.
	StateBefore,
	/// The declaration is not one of the program, or not that of the tensor before the step.
	StateDecl,
	/// The update is not one of the program, or assigns another tensor.
	Update,
	/// The op is not one of the program, or defines another value than the update assigns.
	Producer,
	/// The output's root does not lead, at the op's position, to the claim's trace root.
	Output,
	/// The updates do not show that none assigns the tensor: give the two next to each other around it.
	Neighbours,
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
		(Target::StateLeaf { index, claimed }, Evidence::State(evidence)) => {
			judge_state(claim, index, &claimed, evidence)
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
			(root, defines && is_output(claim, program, producer.index, root, proof))
		}
		_ => return Err(EvidenceError::SourceKind { operand }),
	};
	proven.then_some(*root).ok_or(EvidenceError::Source { operand })
}

fn judge_state(
	claim: &MicroClaim,
	index: u32,
	claimed: &Hash,
	evidence: &StateEvidence,
) -> Result<Verdict, EvidenceError> {
	let StateEvidence { program, tensor } = evidence;
	check_program(claim, program)?;
	if index > program.n_state {
		return Err(EvidenceError::BadClaim);
	}
	let leaf = match (index.checked_sub(1), tensor) {
		(None, None) => {
			let steps = claim.step.checked_add(1);
			let meta = steps.and_then(|steps| StateMeta::after(steps, program.header.batch));
			meta.ok_or(EvidenceError::StepOverflow)?.leaf()
		}
		(Some(position), Some(tensor)) => tensor_after(claim, program, position, tensor)?.leaf(),
		_ => return Err(EvidenceError::StateKind),
	};
	Ok(compare(&leaf, claimed))
}

/// Tensor `position` of the state after the step, proven.
///
/// For a program that was never valid, with two tensors of one name or updates out of order, several results may be
/// provable. Nobody honest executes one, so none of them is worse than another.
fn tensor_after(
	claim: &MicroClaim,
	program: &ProgramCommitment,
	position: u32,
	evidence: &TensorEvidence,
) -> Result<StateLeaf, EvidenceError> {
	let TensorEvidence { before, proof, decl, change } = evidence;
	if !verify_tensor(&claim.pre_state_root, program.n_state, position, before, proof) {
		return Err(EvidenceError::StateBefore);
	}
	let declared = decl.item.role.is_state() && state_leaf(&decl.item, &before.root) == *before;
	if !declared || !program.has_tensor(decl) {
		return Err(EvidenceError::StateDecl);
	}
	let id = TensorId(decl.index);
	let root = match change {
		Change::Assigned { update, producer, root, proof } => {
			if update.item.state != id || !program.has_update(update) {
				return Err(EvidenceError::Update);
			}
			if producer.item.output != update.item.value || !program.has_op(producer) {
				return Err(EvidenceError::Producer);
			}
			if !is_output(claim, program, producer.index, root, proof) {
				return Err(EvidenceError::Output);
			}
			root
		}
		Change::Kept { left, right } => {
			if !program.has_no_update(id, left.as_ref(), right.as_ref()) {
				return Err(EvidenceError::Neighbours);
			}
			&before.root
		}
	};
	Ok(StateLeaf { root: *root, ..before.clone() })
}

/// Whether `root` is the defender's root of the output of an op.
fn is_output(claim: &MicroClaim, program: &ProgramCommitment, op: u32, root: &Hash, proof: &[Hash]) -> bool {
	let leaves = program.n_ops.saturating_add(1);
	verify_node(Combiner::Merkle(Domain::Trace), &claim.trace_root, leaves, Node::leaf(op), root, proof)
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
