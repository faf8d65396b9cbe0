//! The name of a blob.

use std::{fmt, str::FromStr};

use codec::{Decode, Encode};

/// Name of a blob: the plain BLAKE3 hash of its bytes, the value that `b3sum` prints.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct BlobHash([u8; 32]);

impl BlobHash {
	/// Hash of `bytes`.
	pub fn of(bytes: &[u8]) -> Self {
		Self(*blake3::hash(bytes).as_bytes())
	}

	/// The 32 bytes of the hash.
	pub fn as_bytes(&self) -> &[u8; 32] {
		&self.0
	}

	pub(crate) fn to_blake3(self) -> blake3::Hash {
		blake3::Hash::from_bytes(self.0)
	}
}

impl From<[u8; 32]> for BlobHash {
	fn from(bytes: [u8; 32]) -> Self {
		Self(bytes)
	}
}

impl From<BlobHash> for [u8; 32] {
	fn from(hash: BlobHash) -> Self {
		hash.0
	}
}

impl From<blake3::Hash> for BlobHash {
	fn from(hash: blake3::Hash) -> Self {
		Self(*hash.as_bytes())
	}
}

impl fmt::Display for BlobHash {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.to_blake3().to_hex())
	}
}

impl fmt::Debug for BlobHash {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		fmt::Display::fmt(self, f)
	}
}

/// The text is not 64 hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("a blob hash is 64 hexadecimal digits: {0}")]
pub struct InvalidHash(#[from] blake3::HexError);

impl FromStr for BlobHash {
	type Err = InvalidHash;

	fn from_str(text: &str) -> Result<Self, Self::Err> {
		Ok(blake3::Hash::from_hex(text)?.into())
	}
}
