//! Why a worker cannot start or go on.

use assay_agent::{artifacts::ArtifactError, from_daemon_error, DaemonError};
use assay_engine::CheckpointError;

/// Errors of the worker. Those about one job end that job's lease, not the daemon.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
	/// What every daemon may meet.
	#[error(transparent)]
	Daemon(#[from] DaemonError),
	/// A checkpoint of our own is damaged.
	#[error("a checkpoint is damaged: {0}")]
	Checkpoint(#[from] CheckpointError),
	/// Program or data could not be had in the time that the job leaves for it.
	#[error("program and data could not be fetched in time: {0}")]
	Unavailable(Unavailable),
	/// The machine does not compute what every other machine computes.
	#[error("this machine does not compute the right bits, so it does not bid: the run `{run}` ends in {found}, not in {expected}; stop overclocking, test the memory, then `assay provider check`")]
	NotConforming {
		/// What was trained.
		run: &'static str,
		/// The state root in which it must end.
		expected: &'static str,
		/// The one in which it ended, or why it failed.
		found: String,
	},
	/// Re-execution from the start did not reach the verified state.
	#[error("re-execution reaches another state than the chain verified; this machine or that verification is wrong: run `assay provider check`")]
	Diverged,
}

/// How the fetch of program and data stood when its time was up.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
	/// Every source has failed.
	#[error(transparent)]
	Failed(ArtifactError),
	/// A source still sent something.
	#[error("the sources are too slow")]
	Slow,
}

from_daemon_error!(WorkerError);

impl WorkerError {
	/// The error of work that is not wanted any more.
	pub(crate) const STOPPED: Self = Self::Daemon(DaemonError::Stopped);
}
