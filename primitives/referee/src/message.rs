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
				f.write_str("the op has no such chunk or link, or the claim lacks the hash before it")
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
			EvidenceError::ProgramLists => f.write_str("give all tensors, ops and updates of the program"),
			EvidenceError::InvalidProgram => f.write_str("the program breaks its own rules; it was never valid"),
			EvidenceError::WrongTrace => f.write_str("the trace leaves do not lead to the defender's trace root"),
			EvidenceError::WrongState => f.write_str("the tensor roots do not lead to the state root before the step"),
			EvidenceError::StepOverflow => f.write_str("the step is beyond what 64 bits can count"),
		}
	}
}

impl Display for BuildError {
	fn fmt(&self, f: &mut Formatter<'_>) -> Result {
		match self {
			BuildError::Program => f.write_str("the program has no such op or was never valid"),
			BuildError::OutOfRange => f.write_str("the op has no such chunk or link"),
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
