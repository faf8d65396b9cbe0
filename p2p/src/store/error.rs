//! What can go wrong with blobs on disk.

use std::{
	io,
	path::{Path, PathBuf},
};

use crate::BlobHash;

/// Why a store operation failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
	/// The file system refused. Check free space and permissions of the path.
	#[error("{path}: {source}", path = path.display())]
	Io {
		/// The file or folder concerned.
		path: PathBuf,
		/// What the operating system answered.
		source: io::Error,
	},
	/// Another process has this store open. Stop it, or use another folder.
	#[error("store {path} is in use by another process", path = .0.display())]
	Locked(PathBuf),
	/// The store does not hold this blob. Fetch it from a provider.
	#[error("blob {0} is not in the store")]
	NotFound(BlobHash),
	/// The bytes on disk no longer match the hash. Unpin and remove the blob, then fetch it again; check the disk.
	#[error("blob {0} is corrupt on disk")]
	Corrupt(BlobHash),
	/// The blob is longer than the caller allows. Read it by ranges, or export it to a file.
	#[error("blob {hash} has {len} bytes, more than the {max} allowed")]
	TooLarge {
		/// The blob.
		hash: BlobHash,
		/// Its length in bytes.
		len: u64,
		/// The bound that the caller gave.
		max: u64,
	},
	/// The requested bytes are not inside the blob.
	#[error("bytes {offset}..{offset}+{len} are outside of blob {hash}")]
	OutOfBounds {
		/// The blob.
		hash: BlobHash,
		/// First requested byte.
		offset: u64,
		/// Number of requested bytes.
		len: u64,
	},
	/// A pinned blob is not removed. Unpin it first.
	#[error("blob {0} is pinned")]
	Pinned(BlobHash),
}

/// Attaches the path to an I/O error.
pub(super) trait AtPath<T> {
	fn at(self, path: &Path) -> Result<T, StoreError>;
}

impl<T> AtPath<T> for io::Result<T> {
	fn at(self, path: &Path) -> Result<T, StoreError> {
		self.map_err(|source| StoreError::Io { path: path.to_owned(), source })
	}
}
