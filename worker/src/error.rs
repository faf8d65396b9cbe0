//! Why a worker cannot start or go on.

use assay_agent::{artifacts::ArtifactError, store::StoreError, ChainError, PeerError};
use assay_engine::{CheckpointError, RunError};

/// Errors of the worker. Those about one job end that job's lease, not the daemon.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
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
	/// A checkpoint of our own is damaged.
	#[error("a checkpoint is damaged: {0}")]
	Checkpoint(#[from] CheckpointError),
	/// The own side of a dispute cannot be computed.
	#[error("cannot compute a move of a dispute: {0}")]
	Oracle(#[from] assay_engine::OracleError),
	/// Re-execution from the start did not reach the verified state.
	#[error("re-execution reaches another state than the chain verified; this machine or that verification is wrong: run `assay provider check`")]
	Diverged,
	/// The lease is no longer ours, or the daemon stops.
	#[error("stopped")]
	Stopped,
}
