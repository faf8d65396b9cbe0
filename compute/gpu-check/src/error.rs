//! Why a check ends early, and with which exit status.

use assay_cuda::CudaError;

/// What can go wrong.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Error {
	/// There is no usable device.
	#[error("no usable device: {0}")]
	Device(#[from] CudaError),
	/// The CPU to compare with cannot be used.
	#[error("no CPU backend to compare with: {0}")]
	Cpu(String),
	/// The device computes other bits.
	#[error("{0} checks differ: this device must not earn; nothing was measured")]
	Differs(usize),
	/// A measurement could not be made.
	#[error("{what} could not be measured: {reason}")]
	Measure {
		/// What.
		what: &'static str,
		/// Why.
		reason: String,
	},
	/// A file cannot be written.
	#[error("{path} cannot be written: {reason}")]
	Write {
		/// The file.
		path: String,
		/// Why.
		reason: String,
	},
}

impl Error {
	/// The process's exit status.
	pub(crate) fn exit(&self) -> u8 {
		match self {
			Self::Differs(_) => 1,
			Self::Device(_) => 3,
			Self::Cpu(_) | Self::Measure { .. } | Self::Write { .. } => 4,
		}
	}

	/// What it is called in the report.
	pub(crate) fn code(&self) -> &'static str {
		match self {
			Self::Device(_) => "no_device",
			Self::Cpu(_) => "no_cpu",
			Self::Differs(_) => "differs",
			Self::Measure { .. } => "not_measured",
			Self::Write { .. } => "not_written",
		}
	}
}
