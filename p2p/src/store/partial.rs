//! A download in progress.
//!
//! No record is kept of what has arrived: the tree file holds only proved nodes, so checking the data against it from
//! the root down finds exactly the valid ranges, whatever was or was not flushed before a crash.

use std::{fs::File, io, path::PathBuf};

use bao_tree::{
	io::{outboard::PreOrderOutboard, sync::valid_ranges},
	ChunkRanges,
};

use super::{remove_if_present, AtPath, BlobStore, StoreError};
use crate::{
	ranges::{decode_range, Geometry, GroupRange, RangeError},
	BlobHash,
};

/// Why received bytes were not stored.
#[derive(Debug)]
pub(crate) enum WriteError {
	/// They do not belong to the blob.
	Unverifiable,
	/// They do, but the disk failed.
	Store(StoreError),
}

/// A blob of known, proved length of which some ranges are still missing.
pub(crate) struct PartialBlob {
	store: BlobStore,
	hash: BlobHash,
	geometry: Geometry,
	data: File,
	tree: File,
}

impl PartialBlob {
	/// Starts a download with the first proved range, which must be the last group: it proves the length.
	pub(crate) fn begin(
		store: &BlobStore,
		hash: BlobHash,
		geometry: Geometry,
		last_group: &[u8],
	) -> Result<Self, WriteError> {
		let begin = || {
			discard(store, &hash)?;
			let (data_path, tree_path) = paths(store, &hash);
			let open = |path: &PathBuf| File::options().create(true).truncate(true).read(true).write(true).open(path);
			let (tree, data) = (open(&tree_path).at(&tree_path)?, open(&data_path).at(&data_path)?);
			Ok(Self { store: store.clone(), hash, geometry, data, tree })
		};
		let partial = begin().map_err(WriteError::Store)?;
		// Writing the proved last group gives the file the proved length; a lie about it leaves nothing behind.
		match partial.write_range(geometry.last_group(), last_group) {
			Ok(()) => Ok(partial),
			Err(error) => {
				discard(store, &hash).map_err(WriteError::Store)?;
				Err(error)
			}
		}
	}

	/// Picks up a download that was interrupted, with the pieces still missing. Discards one without a proved length.
	pub(crate) fn resume(store: &BlobStore, hash: BlobHash) -> Result<Option<(Self, Vec<u64>)>, StoreError> {
		let (data_path, tree_path) = paths(store, &hash);
		let open = |path: &PathBuf| File::options().read(true).write(true).open(path);
		let (data, tree) = match (open(&data_path), open(&tree_path)) {
			(Ok(data), Ok(tree)) => (data, tree),
			(Err(error), _) | (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => {
				discard(store, &hash)?;
				return Ok(None);
			}
			(data, tree) => {
				data.at(&data_path)?;
				tree.at(&tree_path)?;
				return Ok(None);
			}
		};
		let len = data.metadata().at(&data_path)?.len();
		let Some(geometry) = Geometry::new(len) else {
			discard(store, &hash)?;
			return Ok(None);
		};
		let partial = Self { store: store.clone(), hash, geometry, data, tree };
		let valid = partial.valid().at(&data_path)?;
		if !partial.geometry.chunks_of(geometry.last_group()).is_subset(&valid) || geometry.is_empty() {
			discard(store, &hash)?;
			return Ok(None);
		}
		let missing = geometry.missing_pieces(&valid);
		Ok(Some((partial, missing)))
	}

	pub(crate) fn geometry(&self) -> Geometry {
		self.geometry
	}

	/// Checks an encoded range and keeps what is proved. May be called from several threads at once.
	pub(crate) fn write_range(&self, range: GroupRange, encoded: &[u8]) -> Result<(), WriteError> {
		let write = || {
			let (data, tree) = (self.data.try_clone()?, self.tree.try_clone()?);
			Ok(decode_range(self.hash, self.geometry, data, tree, range, encoded))
		};
		let store_error = |source| {
			let (path, _) = paths(&self.store, &self.hash);
			WriteError::Store(StoreError::Io { path, source })
		};
		match write().map_err(store_error)? {
			Ok(()) => Ok(()),
			Err(RangeError::Unverifiable) => Err(WriteError::Unverifiable),
			Err(RangeError::Io(source)) => Err(store_error(source)),
		}
	}

	/// Turns the download, which must be complete, into a blob of the store.
	pub(crate) fn finish(&self) -> Result<(), StoreError> {
		let (data_path, tree_path) = paths(&self.store, &self.hash);
		self.tree.sync_all().at(&tree_path)?;
		self.data.sync_all().at(&data_path)?;
		self.store.install(self.hash, &tree_path, &data_path)
	}

	/// Drops the download and what it has on disk.
	pub(crate) fn discard(&self) -> Result<(), StoreError> {
		discard(&self.store, &self.hash)
	}

	fn valid(&self) -> io::Result<ChunkRanges> {
		let outboard = PreOrderOutboard { root: self.hash.to_blake3(), tree: self.geometry.tree(), data: &self.tree };
		let all = ChunkRanges::all();
		let mut valid = ChunkRanges::empty();
		for range in valid_ranges(outboard, &self.data, &all) {
			valid |= ChunkRanges::from(range?);
		}
		Ok(valid)
	}
}

/// Drops the partial download of `hash`, if any.
pub(super) fn discard(store: &BlobStore, hash: &BlobHash) -> Result<(), StoreError> {
	let (data, tree) = paths(store, hash);
	remove_if_present(&data)?;
	remove_if_present(&tree)
}

pub(super) fn paths(store: &BlobStore, hash: &BlobHash) -> (PathBuf, PathBuf) {
	let folder = store.0.root.join("partial");
	(folder.join(format!("{hash}.data")), folder.join(format!("{hash}.tree")))
}
