//! What can go wrong, and what to do about it.

use crate::Path;

/// Why a backend cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CpuError {
	/// The processor lacks the instructions of the path asked for.
	#[error("this processor has no {0:?} path; use Path::Auto")]
	Unsupported(Path),
	/// The processor has the path asked for, but its first products were not those of portable code.
	#[error("this processor's {0:?} path gives wrong bits and is not used; use Path::Auto or a path before it")]
	Faulty(Path),
	/// The worker threads could not be started.
	#[error("worker threads could not be started: {0}; ask for fewer threads")]
	Threads(String),
	/// A worker thread does not round to nearest or flushes subnormals, so its results would differ.
	#[error("the floating-point unit is not in its default mode; unload whatever library sets flush-to-zero or another rounding")]
	FloatEnvironment,
}

/// Why an op has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpError {
	/// An output element is infinite or NaN.
	#[error("an output element is infinite or NaN; lower the learning rate or rescale the data")]
	NonFinite,
	/// Number, type or shape of inputs and output do not fit the op.
	#[error("inputs and output do not fit the op: {0}")]
	Shape(&'static str),
	/// There is no memory for a packed operand.
	#[error("there is no memory for a packed operand; run on a machine with more memory")]
	Memory,
	/// The calling thread does not round to nearest or flushes subnormals.
	#[error("the floating-point unit of the calling thread is not in its default mode")]
	FloatEnvironment,
}
