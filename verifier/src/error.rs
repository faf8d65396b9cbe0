//! Why a verifier cannot start or go on.

use assay_agent::{artifacts::ArtifactError, store::StoreError, ChainError, PeerError};
use assay_engine::{CheckpointError, OracleError, RunError};

/// Errors of the verifier. Those about one check are tried again while its window lasts.
#[derive(Debug, thiserror::Error)]
pub enum VerifierError {
	/// A part cannot be started.
	#[error(transparent)]
	Peer(#[from] PeerError),
	/// The backend cannot be made.
	#[error("the compute backend cannot start: {0}")]
	Cpu(#[from] assay_cpu::CpuError),
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
	/// The served state is not the committed one.
	#[error("the worker serves another state than it committed to: {0}")]
	WrongState(#[from] CheckpointError),
	/// The opening does not lead to the commitment.
	#[error("the worker's opening of the state before the segment does not fit its commitment")]
	WrongOpening,
	/// The worker does not answer, or refuses.
	#[error("the worker does not serve the state before the segment: {0}")]
	Unserved(String),
	/// The own side of a dispute cannot be computed.
	#[error("cannot compute a move of a dispute: {0}")]
	Oracle(#[from] OracleError),
	/// The check is over, or the daemon stops.
	#[error("stopped")]
	Stopped,
}

impl VerifierError {
	/// Whether the worker is to blame for not serving: worth a challenge on chain.
	pub const fn is_unserved(&self) -> bool {
		matches!(self, Self::Unserved(_) | Self::WrongState(_) | Self::WrongOpening)
	}
}
