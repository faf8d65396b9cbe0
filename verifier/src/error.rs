//! Why a verifier cannot start or go on.

use assay_agent::{from_daemon_error, DaemonError};
use assay_engine::CheckpointError;

/// Errors of the verifier. Those about one check touch no other.
#[derive(Debug, thiserror::Error)]
pub enum VerifierError {
	/// What every daemon may meet.
	#[error(transparent)]
	Daemon(#[from] DaemonError),
	/// The served state is not the committed one.
	#[error("the worker serves another state than it committed to: {0}")]
	WrongState(#[from] CheckpointError),
	/// The opening does not lead to the commitment.
	#[error("the worker's opening of the state before the segment does not fit its commitment")]
	WrongOpening,
	/// The worker does not answer, or refuses.
	#[error("the worker does not serve the state before the segment: {0}")]
	Unserved(String),
}

from_daemon_error!(VerifierError);

/// What the failure of a check means for its next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
	/// The worker is to blame for not serving: tried again, and worth a challenge on chain.
	Unserved,
	/// Program or data could not be had from anybody. The worker is asked for them too, so this goes on as a fetch does.
	Unfetched,
	/// This machine was at fault: tried again.
	Own,
	/// Another try ends the same: the verifier lets itself be replaced.
	Hopeless,
}

impl VerifierError {
	/// The error of work that is not wanted any more.
	pub(crate) const STOPPED: Self = Self::Daemon(DaemonError::Stopped);

	/// What it means for the next try; `None` if the work was stopped.
	pub const fn failure(&self) -> Option<Failure> {
		Some(match self {
			Self::Unserved(_) | Self::WrongState(_) | Self::WrongOpening => Failure::Unserved,
			Self::Daemon(DaemonError::Stopped) => return None,
			Self::Daemon(DaemonError::Artifacts(error)) if error.is_local() => Failure::Own,
			Self::Daemon(DaemonError::Artifacts(error)) if error.is_unfetched() => Failure::Unfetched,
			Self::Daemon(DaemonError::Artifacts(_)) => Failure::Hopeless,
			Self::Daemon(_) => Failure::Own,
		})
	}
}
