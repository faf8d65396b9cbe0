//! What the errors say to a person.

use crate::{build::BuildError, execute::Fault, judge::EvidenceError, whole::RunError};
use core::fmt::{Display, Formatter, Result};

impl Display for Fault {
	fn fmt(&self, f: &mut Formatter<'_>) -> Result {
		f.write_str(match self {
			Fault::OutOfRange => "the op has no such chunk or link",
			Fault::Inputs => "the opened chunks are not the ones that the micro-op reads",
			Fault::Accumulator => "the accumulator does not have the link's length",
			Fault::NonFinite => "the output holds NaN or an infinity",
		})
	}
}

impl Display for EvidenceError {
	fn fmt(&self, f: &mut Formatter<'_>) -> Result {
		match self {
			EvidenceError::WrongProgram => f.write_str("the program commitment is not the job's"),
			EvidenceError::WrongTarget => f.write_str("the evidence is for the other kind of claim"),
			EvidenceError::WrongOp => f.write_str("the opened op is not the claim's"),
			EvidenceError::Program(error) => error.fmt(f),
			EvidenceError::BadClaim => {
				f.write_str("there is no such chunk, link or state tensor, or the claim lacks the hash before it")
			}
			EvidenceError::SourceCount => f.write_str("give one source for each tensor operand"),
			EvidenceError::SourceKind { operand } => {
				write!(f, "the source of tensor operand {operand} is of another kind than its role asks for")
			}
			EvidenceError::Source { operand } => {
				write!(f, "the source of tensor operand {operand} does not lead to the defender's roots")
			}
			EvidenceError::OpeningList => {
				f.write_str("open exactly the chunks that the micro-op reads, in their order")
			}
			EvidenceError::Opening { index, error } => write!(f, "opening {index}: {error}"),
			EvidenceError::Accumulator => f.write_str("the accumulator is not the one of the link before"),
			EvidenceError::StateKind => f.write_str("leaf 0 of a state takes no tensor, every other one takes one"),
			EvidenceError::StateBefore => {
				f.write_str("the tensor before the step does not lead to the state root before the step")
			}
			EvidenceError::StateDecl => {
				f.write_str("the declaration is not the program's of the tensor before the step")
			}
			EvidenceError::Update => f.write_str("the update is not the program's or assigns another tensor"),
			EvidenceError::Producer => f.write_str("the op is not the program's or does not define the update's value"),
			EvidenceError::Output => f.write_str("the output's root does not lead to the defender's trace root"),
			EvidenceError::Neighbours => {
				f.write_str("give the two updates next to each other that have the tensor between them")
			}
			EvidenceError::StepOverflow => f.write_str("the step is beyond what 64 bits can count"),
		}
	}
}

impl Display for BuildError {
	fn fmt(&self, f: &mut Formatter<'_>) -> Result {
		match self {
			BuildError::Program => f.write_str("the program has no such op or was never valid"),
			BuildError::OutOfRange => f.write_str("there is no such chunk, link or state tensor"),
			BuildError::MissingTensor(id) => write!(f, "tensor {} is missing or has the wrong length", id.0),
			BuildError::MissingState => f.write_str("the roots of the state before the step are missing"),
			BuildError::MissingTrace(op) => write!(f, "the trace leaf of op {op} or its proof is missing"),
			BuildError::Fault(fault) => fault.fmt(f),
		}
	}
}

impl Display for RunError {
	fn fmt(&self, f: &mut Formatter<'_>) -> Result {
		match self {
			RunError::Operand { input } => write!(f, "operand {input} is missing or does not have its shape"),
			RunError::Invalid { op } => write!(f, "op {op} is not well formed; validate the program first"),
			RunError::MissingTensor(id) => write!(f, "tensor {} is missing or has the wrong length", id.0),
			RunError::NonFinite { step, op } => write!(f, "step {step}, op {op}: the output holds NaN or an infinity"),
		}
	}
}

impl core::error::Error for Fault {}
impl core::error::Error for EvidenceError {}
impl core::error::Error for BuildError {}
impl core::error::Error for RunError {}
