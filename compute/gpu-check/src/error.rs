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
	#[error("{0} checks differ or failed: this device must not earn, and no figure of it counts")]
	Differs(usize),
	/// Stages for which there was no time, and measurements that could not be made.
	#[error("{0} stages are missing: the first of them is `{1}`")]
	Missing(usize, String),
	/// The process that works on the device cannot be started.
	#[error("no process for the device: {0}")]
	Process(String),
	/// What that process says of the device.
	#[error("{message}")]
	Worker {
		/// The exit status.
		exit: u8,
		/// What it is called in the report.
		code: &'static str,
		/// What is wrong.
		message: String,
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
			Self::Worker { exit, .. } => *exit,
			Self::Cpu(_) | Self::Missing(..) | Self::Process(_) | Self::Write { .. } => 4,
		}
	}

	/// What it is called in the report.
	pub(crate) fn code(&self) -> &'static str {
		match self {
			Self::Device(_) => "no_device",
			Self::Cpu(_) => "no_cpu",
			Self::Differs(_) => "differs",
			Self::Missing(..) => "missing",
			Self::Process(_) => "no_process",
			Self::Worker { code, .. } => code,
			Self::Write { .. } => "not_written",
		}
	}
}
