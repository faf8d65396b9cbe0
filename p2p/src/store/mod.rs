//! Blobs on disk, named by their hash.
//!
//! ```text
//! ROOT/lock                    held while a process has the store open
//! ROOT/blobs/ab/HASH.data      the bytes of a blob; the file exists only when it is complete
//! ROOT/blobs/ab/HASH.tree      its BLAKE3 tree above chunk groups, in pre-order; rebuilt when missing
//! ROOT/partial/HASH.data,.tree a download in progress; what is valid is found by checking against the hash
//! ROOT/pins/HASH               an empty file: the blob must not be removed
//! ROOT/tmp/                    drafts; emptied when the store is opened
//! ```
//!
//! A blob appears by renaming a synced draft, tree first, data last. So a crash at any moment leaves the blob whole or
//! absent. [`BlobStore::sweep`] removes what no record of its owner names; a [`Hold`] keeps a blob that has no record yet. All calls block on the disk: from async code, use them inside `spawn_blocking` unless the blob is small.

mod error;
mod partial;
mod sweep;

use std::{
	fs::{self, File, TryLockError},
	io::{self, Read, Write},
	path::{Path, PathBuf},
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc,
	},
};

use bao_tree::io::{
	outboard::PreOrderOutboard,
	sync::{CreateOutboard, ReadAt},
};

pub use error::StoreError;
pub(crate) use partial::{PartialBlob, WriteError};
pub use sweep::{Hold, Swept};

use self::{error::AtPath, sweep::Uses};
use crate::{
	ranges::{encode_range, Geometry, GroupRange, GROUP_BYTES},
	BlobHash,
};

/// Bytes that streaming reads hold in memory.
const BUFFER_BYTES: usize = 1 << 20;

/// A content-addressed store in one folder. Clones share it; one process at a time may have it open.
#[derive(Clone, Debug)]
pub struct BlobStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
	root: PathBuf,
	drafts: AtomicU64,
	uses: Uses,
	/// Holds the advisory lock until the last clone is dropped.
	_lock: File,
}

impl BlobStore {
	/// Opens the store in `root`, creating the folder if needed, and drops the drafts that a crash left.
	pub fn open(root: impl AsRef<Path>) -> Result<Self, StoreError> {
		let root = root.as_ref().to_owned();
		for folder in ["blobs", "partial", "pins"] {
			let folder = root.join(folder);
			fs::create_dir_all(&folder).at(&folder)?;
		}
		let path = root.join("lock");
		let lock = File::options().create(true).truncate(false).write(true).open(&path).at(&path)?;
		match lock.try_lock() {
			Ok(()) => {}
			Err(TryLockError::WouldBlock) => return Err(StoreError::Locked(root)),
			Err(TryLockError::Error(source)) => return Err(StoreError::Io { path, source }),
		}
		let drafts = root.join("tmp");
		match fs::remove_dir_all(&drafts) {
			Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).at(&drafts),
			_ => fs::create_dir_all(&drafts).at(&drafts)?,
		}
		Ok(Self(Arc::new(Inner { root, drafts: AtomicU64::new(0), uses: Uses::default(), _lock: lock })))
	}

	/// Stores `bytes`. Storing what is already there is allowed and repairs a copy that went bad.
	pub fn put(&self, bytes: &[u8]) -> Result<BlobHash, StoreError> {
		self.put_reader(bytes)
	}

	/// Stores a copy of the file at `path`, with bounded memory.
	pub fn put_file(&self, path: impl AsRef<Path>) -> Result<BlobHash, StoreError> {
		let path = path.as_ref();
		let file = File::open(path).at(path)?;
		self.put_reader(file)
	}

	/// Stores everything that `reader` yields, with bounded memory.
	pub fn put_reader(&self, reader: impl Read) -> Result<BlobHash, StoreError> {
		Ok(self.put_reader_held(reader)?.hash())
	}

	/// [`Self::put`] of a blob that no record names yet: it cannot be swept away before the hold is dropped.
	pub fn put_held(&self, bytes: &[u8]) -> Result<Hold, StoreError> {
		self.put_reader_held(bytes)
	}

	fn put_reader_held(&self, mut reader: impl Read) -> Result<Hold, StoreError> {
		let draft = Draft::create(self)?;
		let len = io::copy(&mut reader, &mut &draft.file).at(&draft.path)?;
		let (tree, hash) = self.build_tree(&draft.path, len)?;
		draft.file.sync_all().at(&draft.path)?;
		let hold = self.hold(hash);
		self.install(hash, &tree.path, &draft.path)?;
		Ok(hold)
	}

	/// Whether the store holds the whole blob.
	pub fn has(&self, hash: &BlobHash) -> bool {
		self.data_path(hash).is_file()
	}

	/// Length of the blob in bytes.
	pub fn len(&self, hash: &BlobHash) -> Result<u64, StoreError> {
		Ok(self.open_data(hash)?.1)
	}

	/// The whole blob, checked against its hash; [`StoreError::TooLarge`] above `max_len` bytes.
	pub fn get(&self, hash: &BlobHash, max_len: u64) -> Result<Vec<u8>, StoreError> {
		let (_, len) = self.open_data(hash)?;
		if len > max_len {
			return Err(StoreError::TooLarge { hash: *hash, len, max: max_len });
		}
		let mut bytes = Vec::new();
		self.copy_to(hash, &mut bytes)?;
		Ok(bytes)
	}

	/// Writes the blob to `writer` with bounded memory and returns its length. The check ends with the last byte: after
	/// [`StoreError::Corrupt`] what was written is worthless.
	pub fn copy_to(&self, hash: &BlobHash, writer: &mut impl Write) -> Result<u64, StoreError> {
		let path = self.data_path(hash);
		let (mut file, len) = self.open_data(hash)?;
		let mut hasher = blake3::Hasher::new();
		let mut buffer = vec![0; BUFFER_BYTES.min(len.max(1) as usize)];
		loop {
			let read = file.read(&mut buffer).at(&path)?;
			if read == 0 {
				break;
			}
			hasher.update(&buffer[..read]);
			writer.write_all(&buffer[..read]).at(&path)?;
		}
		if BlobHash::from(hasher.finalize()) == *hash {
			Ok(len)
		} else {
			Err(StoreError::Corrupt(*hash))
		}
	}

	/// Copies the blob to a file, which appears at `path` only when it is complete and checked.
	pub fn export(&self, hash: &BlobHash, path: impl AsRef<Path>) -> Result<u64, StoreError> {
		let path = path.as_ref();
		let mut name = path.file_name().unwrap_or_default().to_owned();
		name.push(".draft");
		let draft = path.with_file_name(name);
		let mut file = File::create(&draft).at(&draft)?;
		let copied = self.copy_to(hash, &mut file).and_then(|len| {
			file.sync_all().at(&draft)?;
			fs::rename(&draft, path).at(path)?;
			Ok(len)
		});
		if copied.is_err() {
			let _ = fs::remove_file(&draft);
		}
		copied
	}

	/// `len` bytes from `offset`, checked through the tree without reading the rest of the blob.
	pub fn read_range(&self, hash: &BlobHash, offset: u64, len: usize) -> Result<Vec<u8>, StoreError> {
		let blob = self.open_blob(hash)?;
		let end = offset.checked_add(len as u64).filter(|end| *end <= blob.geometry.len());
		let end = end.ok_or(StoreError::OutOfBounds { hash: *hash, offset, len: len as u64 })?;
		let mut bytes = Vec::with_capacity(len);
		let mut at = offset;
		while at < end {
			let range = GroupRange { first: at / GROUP_BYTES, count: 1 };
			let held = blob.geometry.bytes_of(range);
			let group = blob.checked_group(range)?;
			let stop = end.min(held.end);
			bytes.extend_from_slice(&group[(at - held.start) as usize..(stop - held.start) as usize]);
			at = stop;
		}
		Ok(bytes)
	}

	/// Reads the whole blob and checks it.
	pub fn verify(&self, hash: &BlobHash) -> Result<(), StoreError> {
		self.copy_to(hash, &mut io::sink()).map(drop)
	}

	/// Protects the blob from [`Self::remove`]; it need not be in the store yet.
	pub fn pin(&self, hash: &BlobHash) -> Result<(), StoreError> {
		let path = self.pin_path(hash);
		File::create(&path).at(&path)?;
		sync_folder(&self.0.root.join("pins"))
	}

	/// Ends the protection of [`Self::pin`].
	pub fn unpin(&self, hash: &BlobHash) -> Result<(), StoreError> {
		remove_if_present(&self.pin_path(hash))
	}

	/// Whether the blob is protected.
	pub fn is_pinned(&self, hash: &BlobHash) -> bool {
		self.pin_path(hash).exists()
	}

	/// Removes the blob and any partial download of it. Removing what is not there succeeds.
	pub fn remove(&self, hash: &BlobHash) -> Result<(), StoreError> {
		if self.is_pinned(hash) {
			return Err(StoreError::Pinned(*hash));
		}
		remove_if_present(&self.data_path(hash))?;
		remove_if_present(&self.tree_path(hash))?;
		partial::discard(self, hash)
	}

	/// The hashes of all complete blobs, in no particular order.
	pub fn list(&self) -> Result<Vec<BlobHash>, StoreError> {
		let root = self.0.root.join("blobs");
		let mut hashes = Vec::new();
		for folder in fs::read_dir(&root).at(&root)? {
			hashes.extend(named(&folder.at(&root)?.path(), &[".data"])?);
		}
		Ok(hashes)
	}

	/// Opens a blob for serving, rebuilding its tree if that is missing or has the wrong size.
	pub(crate) fn open_blob(&self, hash: &BlobHash) -> Result<OpenBlob, StoreError> {
		let (data, len) = self.open_data(hash)?;
		let geometry = Geometry::new(len).ok_or(StoreError::Corrupt(*hash))?;
		let path = self.tree_path(hash);
		let complete = fs::metadata(&path).is_ok_and(|meta| meta.len() == geometry.tree().outboard_size());
		if !complete {
			let (tree, actual) = self.build_tree(&self.data_path(hash), len)?;
			if actual != *hash {
				return Err(StoreError::Corrupt(*hash));
			}
			fs::rename(&tree.path, &path).at(&path)?;
		}
		let tree = File::open(&path).at(&path)?;
		Ok(OpenBlob { hash: *hash, geometry, data, tree, path: self.data_path(hash) })
	}

	/// Hashes `len` bytes of `data` into a draft tree, synced.
	fn build_tree(&self, data: &Path, len: u64) -> Result<(Draft, BlobHash), StoreError> {
		let draft = Draft::create(self)?;
		let tree = bao_tree::BaoTree::new(len, crate::ranges::BLOCK_SIZE);
		let root = blake3::Hash::from_bytes([0; 32]);
		let file = draft.file.try_clone().at(&draft.path)?;
		let mut outboard = PreOrderOutboard { root, tree, data: file };
		let reader = io::BufReader::with_capacity(BUFFER_BYTES, File::open(data).at(data)?);
		outboard.init_from(reader).at(data)?;
		draft.file.sync_all().at(&draft.path)?;
		Ok((draft, outboard.root.into()))
	}

	/// Makes a blob appear: the tree first, the data last, both already synced.
	fn install(&self, hash: BlobHash, tree: &Path, data: &Path) -> Result<(), StoreError> {
		let (target, blobs) = (self.data_path(&hash), self.0.root.join("blobs"));
		let folder = blobs.join(&hash.to_string()[..2]);
		if !folder.is_dir() {
			fs::create_dir_all(&folder).at(&folder)?;
			sync_folder(&blobs)?;
		}
		fs::rename(tree, self.tree_path(&hash)).at(&target)?;
		fs::rename(data, &target).at(&target)?;
		sync_folder(&folder)
	}

	fn open_data(&self, hash: &BlobHash) -> Result<(File, u64), StoreError> {
		let path = self.data_path(hash);
		let file = File::open(&path).map_err(|source| match source.kind() {
			io::ErrorKind::NotFound => StoreError::NotFound(*hash),
			_ => StoreError::Io { path: path.clone(), source },
		})?;
		let len = file.metadata().at(&path)?.len();
		Ok((file, len))
	}

	fn blob_path(&self, hash: &BlobHash, suffix: &str) -> PathBuf {
		let name = hash.to_string();
		self.0.root.join("blobs").join(&name[..2]).join(format!("{name}.{suffix}"))
	}

	fn data_path(&self, hash: &BlobHash) -> PathBuf {
		self.blob_path(hash, "data")
	}

	fn tree_path(&self, hash: &BlobHash) -> PathBuf {
		self.blob_path(hash, "tree")
	}

	/// A path under `tmp/` that nobody else has.
	fn draft_path(&self) -> PathBuf {
		let number = self.0.drafts.fetch_add(1, Ordering::Relaxed);
		self.0.root.join("tmp").join(number.to_string())
	}

	fn pin_path(&self, hash: &BlobHash) -> PathBuf {
		self.0.root.join("pins").join(hash.to_string())
	}
}

/// A complete blob, open for reading with proofs.
pub(crate) struct OpenBlob {
	hash: BlobHash,
	geometry: Geometry,
	data: File,
	tree: File,
	path: PathBuf,
}

impl OpenBlob {
	pub(crate) fn geometry(&self) -> Geometry {
		self.geometry
	}

	/// `range` with its proof. Never yields bytes that do not match the hash.
	pub(crate) fn encode(&self, range: GroupRange) -> Result<Vec<u8>, StoreError> {
		encode_range(self.hash, self.geometry, &self.data, &self.tree, range).map_err(|error| match error {
			bao_tree::io::EncodeError::Io(source) => StoreError::Io { path: self.path.clone(), source },
			_ => StoreError::Corrupt(self.hash),
		})
	}

	/// The bytes of one group, after its proof was checked.
	fn checked_group(&self, range: GroupRange) -> Result<Vec<u8>, StoreError> {
		self.encode(range)?;
		let held = self.geometry.bytes_of(range);
		let mut bytes = vec![0; (held.end - held.start) as usize];
		self.data.read_exact_at(held.start, &mut bytes).at(&self.path)?;
		Ok(bytes)
	}
}

/// A file under `tmp/`, removed when dropped unless it was renamed away.
struct Draft {
	path: PathBuf,
	file: File,
}

impl Draft {
	fn create(store: &BlobStore) -> Result<Self, StoreError> {
		let path = store.draft_path();
		let file = File::options().create_new(true).read(true).write(true).open(&path).at(&path)?;
		Ok(Self { path, file })
	}
}

impl Drop for Draft {
	fn drop(&mut self) {
		let _ = fs::remove_file(&self.path);
	}
}

/// The hashes that files of a folder are named by, with one of these suffixes.
fn named(folder: &Path, suffixes: &[&str]) -> Result<Vec<BlobHash>, StoreError> {
	let mut hashes = Vec::new();
	for entry in fs::read_dir(folder).at(folder)? {
		let name = entry.at(folder)?.file_name();
		let Some(name) = name.to_str() else { continue };
		let stem = suffixes.iter().find_map(|suffix| name.strip_suffix(suffix));
		hashes.extend(stem.and_then(|stem| stem.parse::<BlobHash>().ok()));
	}
	Ok(hashes)
}

fn remove_if_present(path: &Path) -> Result<(), StoreError> {
	match fs::remove_file(path) {
		Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).at(path),
		_ => Ok(()),
	}
}

/// Makes renames inside `folder` durable.
fn sync_folder(folder: &Path) -> Result<(), StoreError> {
	#[cfg(unix)]
	File::open(folder).and_then(|folder| folder.sync_all()).at(folder)?;
	#[cfg(not(unix))]
	let _ = folder;
	Ok(())
}

#[cfg(test)]
mod tests;
