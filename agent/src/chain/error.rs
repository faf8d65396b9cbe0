//! What can go wrong between a daemon and its node.

/// Errors of reading from the chain.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
	/// Nobody answers at the address.
	#[error("no node answers at {url} ({reason}); start one or pass --node with the right address")]
	Unreachable {
		/// The address.
		url: String,
		/// What the transport said.
		reason: String,
	},
	/// The node answered with an error, or the connection broke.
	#[error("the node did not answer: {0}")]
	Read(String),
	/// The value is there but is not what this program understands.
	#[error("cannot decode {what}: this program and the chain's runtime differ in version; update this program")]
	Decode {
		/// Which value.
		what: String,
	},
}

impl ChainError {
	pub(crate) fn read(error: impl std::fmt::Display) -> Self {
		Self::Read(error.to_string())
	}
}
