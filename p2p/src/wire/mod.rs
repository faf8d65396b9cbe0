//! Bytes on the wire: frames, blob messages, control messages.

pub(crate) mod blob;
pub(crate) mod control;
pub(crate) mod frame;

/// A breach of the protocol that no honest peer commits. It costs the connection and a temporary ban.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
	/// A frame announced more bytes than its kind may have.
	#[error("frame of {len} bytes, where at most {max} are allowed")]
	OversizedFrame {
		/// Announced length.
		len: u64,
		/// Longest allowed length.
		max: u64,
	},
	/// A frame does not decode as the message expected at this point.
	#[error("malformed message: {0}")]
	Malformed(&'static str),
	/// A range was asked for that does not exist in the blob.
	#[error("range outside of the blob")]
	RangeOutOfBounds,
	/// Bytes were sent whose proof does not lead to the hash of the blob.
	#[error("bytes that do not belong to blob {0}")]
	Unverifiable(crate::BlobHash),
}
