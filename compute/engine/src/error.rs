//! What can go wrong while a program is loaded or run.

use assay_program::ProgramError;

use crate::AcceleratorError;

/// Why an engine cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
	/// The program breaks a rule.
	#[error("the program is not valid: {0:?}")]
	Program(ProgramError),
	/// The program names a data tensor that was not given.
	#[error("data tensor `{name}` is missing; fetch the blob with its root")]
	DataMissing {
		/// Name in the program.
		name: String,
	},
	/// A given tensor is not a data tensor of the program, or is given twice.
	#[error("tensor {id} is not a data tensor of the program, or was given twice")]
	DataUnknown {
		/// Id of the tensor.
		id: u32,
	},
	/// A data tensor has another type or shape than the program says.
	#[error("data tensor `{name}` has another type or shape than the program says")]
	DataShape {
		/// Name in the program.
		name: String,
	},
	/// A data tensor has another root than the program says.
	#[error("data tensor `{name}` is not the one of the program: its root differs")]
	DataRoot {
		/// Name in the program.
		name: String,
	},
}

/// Why a run ended early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
	/// An op's output holds an infinity or NaN. The run of this program ends here on every machine.
	#[error("step {step}, op {op} (`{name}`): an output element is infinite or NaN; lower the learning rate or rescale the data")]
	NonFinite {
		/// The step, from 0.
		step: u64,
		/// Index of the op.
		op: u32,
		/// Name of the op's output.
		name: String,
	},
	/// The state does not belong to the program.
	#[error("the state does not have the tensors of the program")]
	ForeignState,
	/// The steps asked for are outside the job, or before the state.
	#[error("step {until} is outside {at}..={end}")]
	OutOfRange {
		/// Step asked for.
		until: u64,
		/// Steps that the state has done.
		at: u64,
		/// Steps of the job.
		end: u64,
	},
	/// The tensor is not one that an op of the program defines.
	#[error("tensor {0} is not the output of an op")]
	NotAnOutput(u32),
	/// The backend refused.
	#[error("step {step}, op {op}: {source}")]
	Backend {
		/// The step, from 0.
		step: u64,
		/// Index of the op.
		op: u32,
		/// What the backend said.
		source: assay_cpu::OpError,
	},
	/// Memory for the tensors of a step cannot be had.
	#[error("{bytes} bytes for a tensor of the step cannot be allocated; run on a machine with more memory")]
	Memory {
		/// Bytes asked for.
		bytes: u64,
	},
	/// Groups of ops failed where the same ops one by one do not: a fault of the machine or of this program.
	#[error(
		"step {step} failed in groups and not op by op; check the machine's memory, and run with Engine::op_by_op"
	)]
	Groups {
		/// The step, from 0.
		step: u64,
	},
	/// The device that runs are done by failed. The state is the one before the run, and the engine's next run is done by the
	/// CPU: run again.
	#[error("step {step}: {source}")]
	Accelerator {
		/// The step, from 0.
		step: u64,
		/// What went wrong.
		source: AcceleratorError,
	},
	/// A commitment cannot be built.
	#[error("the commitment is too large")]
	Commitment,
}
