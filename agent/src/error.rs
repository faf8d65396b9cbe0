//! What can go wrong in every daemon.

use crate::{artifacts::ArtifactError, store::StoreError, ChainError, PeerError};
use assay_engine::{OracleError, RunError};

/// Errors that every daemon may meet. A daemon adds its own and takes these by [`from_daemon_error`](crate::from_daemon_error).
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
	/// A part cannot be started.
	#[error(transparent)]
	Peer(#[from] PeerError),
	/// The backend cannot be made.
	#[error("the compute backend cannot start: {0}")]
	Cpu(#[from] assay_cpu::CpuError),
	/// There is nothing to compute on as asked for.
	#[error(transparent)]
	Device(#[from] assay_device::DeviceError),
	/// The chain.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// The state file.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The blob store.
	#[error("the blob store failed: {0}")]
	Blobs(#[from] assay_p2p::StoreError),
	/// The job's program or data.
	#[error(transparent)]
	Artifacts(#[from] ArtifactError),
	/// Execution.
	#[error(transparent)]
	Run(#[from] RunError),
	/// The own side of a dispute cannot be computed.
	#[error("cannot compute a move of a dispute: {0}")]
	Oracle(#[from] OracleError),
	/// A computation ended without a result.
	#[error("a computation was interrupted: {0}")]
	Interrupted(#[from] tokio::task::JoinError),
	/// The work is not wanted any more, or the daemon stops.
	#[error("stopped")]
	Stopped,
}

/// Lets an error type with a variant `Daemon(#[from] DaemonError)` take everything that [`DaemonError`] takes.
#[macro_export]
macro_rules! from_daemon_error {
	($error:ident) => {
		$crate::from_daemon_error! {
			$error: PeerError, CpuError, DeviceError, ChainError, StoreError, BlobError, ArtifactError,
			RunError, OracleError, JoinError
		}
	};
	($error:ident: $($source:ident),*) => {
		$(
			impl From<$crate::error::sources::$source> for $error {
				fn from(error: $crate::error::sources::$source) -> Self {
					Self::Daemon(error.into())
				}
			}
		)*
	};
}

/// What [`DaemonError`] takes, for [`from_daemon_error`](crate::from_daemon_error).
#[doc(hidden)]
pub mod sources {
	pub use crate::{artifacts::ArtifactError, store::StoreError, ChainError, PeerError};
	pub use assay_cpu::CpuError;
	pub use assay_device::DeviceError;
	pub use assay_engine::{OracleError, RunError};
	pub use assay_p2p::StoreError as BlobError;
	pub use tokio::task::JoinError;
}
