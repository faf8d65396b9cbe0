//! Why a fetch failed.

use libp2p::PeerId;

use crate::{BlobHash, BlobRefusal, DialError, StoreError, Violation};

/// Why a blob could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
	/// The list of providers is empty.
	#[error("no provider is known for blob {0}")]
	NoProviders(BlobHash),
	/// The blob is proved to be longer than allowed.
	#[error("blob {hash} has {len} bytes, more than the {max} allowed")]
	TooLarge {
		/// The blob.
		hash: BlobHash,
		/// Its proved length in bytes.
		len: u64,
		/// The bound that the caller gave.
		max: u64,
	},
	/// No provider could deliver. What was verified is kept for the next attempt.
	#[error("no provider could deliver blob {hash}: {}", list(.failures))]
	Exhausted {
		/// The blob.
		hash: BlobHash,
		/// The last failure of each provider.
		failures: Vec<(PeerId, ProviderError)>,
	},
	/// The disk failed. What was verified is kept for the next attempt.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The data plane is shutting down. What was verified is kept for the next attempt.
	#[error("the data plane is shut down")]
	Shutdown,
}

/// What went wrong with one provider.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
	/// No connection.
	#[error(transparent)]
	Dial(#[from] DialError),
	/// The provider does not serve the blob to us.
	#[error(transparent)]
	Refused(#[from] BlobRefusal),
	/// The provider does not speak the blob protocol.
	#[error("the peer does not serve blobs")]
	Unsupported,
	/// The provider broke the protocol, for example by sending bytes of another blob, and was banned.
	#[error(transparent)]
	Violation(#[from] Violation),
	/// The connection failed.
	#[error("connection failed: {0}")]
	Connection(std::io::Error),
	/// The provider was too slow.
	#[error("no data in time")]
	Timeout,
}

impl ProviderError {
	/// Whether another attempt may succeed.
	pub(super) fn is_transient(&self) -> bool {
		match self {
			Self::Dial(DialError::Unreachable(_) | DialError::Timeout) => true,
			Self::Dial(DialError::Banned | DialError::Shutdown) => false,
			Self::Refused(refusal) => *refusal == BlobRefusal::Busy,
			Self::Unsupported | Self::Violation(_) => false,
			Self::Connection(_) | Self::Timeout => true,
		}
	}
}

fn list(failures: &[(PeerId, ProviderError)]) -> String {
	failures.iter().map(|(peer, error)| format!("{peer}: {error}")).collect::<Vec<_>>().join("; ")
}
