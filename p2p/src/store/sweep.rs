//! Blobs in use, and the removal of those that nobody needs.
//!
//! What its owner needs he knows from records of his own, and a record is written after its blob is stored. In between a
//! [`Hold`] keeps the blob. A blob that was held at any moment of a sweep stays, whether or not the records that the sweep
//! went by name it: the record may be newer than they are.

use std::{
	collections::{HashMap, HashSet},
	fmt, fs, io,
	sync::{Mutex, MutexGuard, PoisonError},
};

use super::{error::AtPath, named, BlobStore, StoreError};
use crate::BlobHash;

/// What is in use.
#[derive(Debug, Default)]
pub(super) struct Uses {
	table: Mutex<Table>,
	/// One sweep at a time.
	sweeping: Mutex<()>,
}

#[derive(Debug, Default)]
struct Table {
	/// Holds of each blob, never 0.
	holds: HashMap<BlobHash, usize>,
	/// Every blob that was held since the sweep began, while one runs.
	held_since: Option<HashSet<BlobHash>>,
}

impl Uses {
	fn table(&self) -> MutexGuard<'_, Table> {
		self.table.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Table {
	fn hold(&mut self, hash: BlobHash) {
		let holds = self.holds.entry(hash).or_default();
		*holds = holds.saturating_add(1);
		if let Some(held) = &mut self.held_since {
			held.insert(hash);
		}
	}

	/// What is held now may be recorded and released after the records were read.
	fn begin(&mut self) {
		self.held_since = Some(self.holds.keys().copied().collect());
	}

	fn release(&mut self, hash: &BlobHash) {
		let Some(holds) = self.holds.get_mut(hash) else { return };
		*holds = holds.saturating_sub(1);
		if *holds == 0 {
			self.holds.remove(hash);
		}
	}

	fn is_free(&self, hash: &BlobHash) -> bool {
		let held = self.held_since.as_ref().is_some_and(|held| held.contains(hash));
		!held && !self.holds.contains_key(hash)
	}
}

/// Keeps a blob, stored or still to be stored, from being swept away until it is dropped.
pub struct Hold {
	store: BlobStore,
	hash: BlobHash,
}

impl Hold {
	/// The blob.
	pub fn hash(&self) -> BlobHash {
		self.hash
	}
}

impl Clone for Hold {
	fn clone(&self) -> Self {
		self.store.hold(self.hash)
	}
}

impl Drop for Hold {
	fn drop(&mut self) {
		self.store.0.uses.table().release(&self.hash);
	}
}

impl fmt::Debug for Hold {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "Hold({})", self.hash)
	}
}

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
	/// Blobs, downloads in progress included.
	pub blobs: u64,
	/// Bytes of their files.
	pub bytes: u64,
}

impl BlobStore {
	/// Keeps the blob from being swept away; it need not be in the store yet.
	pub fn hold(&self, hash: BlobHash) -> Hold {
		self.0.uses.table().hold(hash);
		Hold { store: self.clone(), hash }
	}

	/// Removes every blob, and every download in progress, that is not among `needed`, not held and not pinned. `needed` is
	/// called once, after the sweep began, so a blob that is held until its record is written is never lost.
	///
	/// # Errors
	/// What `needed` answers; then nothing is removed. [`StoreError::Io`] of the first file that could not be removed; all
	/// others are.
	pub fn sweep<E: From<StoreError>>(
		&self,
		needed: impl FnOnce() -> Result<HashSet<BlobHash>, E>,
	) -> Result<Swept, E> {
		let uses = &self.0.uses;
		let _one = uses.sweeping.lock().unwrap_or_else(PoisonError::into_inner);
		uses.table().begin();
		let swept = needed().and_then(|needed| Ok(self.sweep_but(&needed)?));
		uses.table().held_since = None;
		swept
	}

	fn sweep_but(&self, needed: &HashSet<BlobHash>) -> Result<Swept, StoreError> {
		let (mut swept, mut failed) = (Swept::default(), None);
		for hash in self.all()? {
			if needed.contains(&hash) || self.is_pinned(&hash) {
				continue;
			}
			match self.take_out(&hash) {
				Ok(None) => {}
				Ok(Some(bytes)) => {
					swept.blobs = swept.blobs.saturating_add(1);
					swept.bytes = swept.bytes.saturating_add(bytes);
				}
				Err(error) => failed = failed.or(Some(error)),
			}
		}
		failed.map_or(Ok(swept), Err)
	}

	/// Removes the files of a blob that nobody holds and says how large they were; nothing where somebody does. They are moved
	/// away first: to remove a large file takes long, and who takes a hold waits only for the moves.
	fn take_out(&self, hash: &BlobHash) -> Result<Option<u64>, StoreError> {
		let mut moved = Vec::new();
		{
			let table = self.0.uses.table();
			if !table.is_free(hash) {
				return Ok(None);
			}
			let (data, tree) = super::partial::paths(self, hash);
			// A blob without its tree is one; a tree without its blob is not.
			for path in [self.data_path(hash), self.tree_path(hash), data, tree] {
				let draft = self.draft_path();
				match fs::rename(&path, &draft) {
					Err(error) if error.kind() == io::ErrorKind::NotFound => {}
					renamed => {
						renamed.at(&path)?;
						moved.push(draft);
					}
				}
			}
		}
		let mut bytes = 0u64;
		for draft in moved {
			bytes = bytes.saturating_add(fs::metadata(&draft).at(&draft)?.len());
			fs::remove_file(&draft).at(&draft)?;
		}
		Ok(Some(bytes))
	}

	/// Everything that has a file, whole or not.
	fn all(&self) -> Result<HashSet<BlobHash>, StoreError> {
		let (blobs, partial) = (self.0.root.join("blobs"), self.0.root.join("partial"));
		let suffixes = [".data", ".tree"];
		let mut hashes: HashSet<BlobHash> = named(&partial, &suffixes)?.into_iter().collect();
		for folder in fs::read_dir(&blobs).at(&blobs)? {
			let folder = folder.at(&blobs)?.path();
			// What somebody else put there is no blob.
			if folder.is_dir() {
				hashes.extend(named(&folder, &suffixes)?);
			}
		}
		Ok(hashes)
	}
}
