use std::{collections::HashSet, io::BufRead};

use super::*;
use crate::ranges::MAX_BLOB_LEN;

fn store() -> (tempfile::TempDir, BlobStore) {
	let dir = tempfile::tempdir().unwrap();
	let store = BlobStore::open(dir.path().join("store")).unwrap();
	(dir, store)
}

fn sample(len: usize) -> Vec<u8> {
	let mut bytes = vec![0; len];
	blake3::Hasher::new().update(&len.to_le_bytes()).finalize_xof().fill(&mut bytes);
	bytes
}

#[test]
fn a_blob_is_named_by_its_plain_blake3_hash_and_reads_back() {
	let (dir, store) = store();
	for len in [0, 1, 1024, 16 * 1024, 16 * 1024 + 1, 3_000_001] {
		let bytes = sample(len);
		let hash = store.put(&bytes).unwrap();
		assert_eq!(hash.to_blake3(), blake3::hash(&bytes));
		assert_eq!(store.len(&hash).unwrap(), len as u64);
		assert_eq!(store.get(&hash, len as u64).unwrap(), bytes);
		let path = dir.path().join(format!("out-{len}"));
		store.export(&hash, &path).unwrap();
		assert_eq!(fs::read(&path).unwrap(), bytes);
		assert_eq!(store.put_file(&path).unwrap(), hash);
	}
	assert_eq!(store.list().unwrap().len(), 6);
	assert_eq!(BlobHash::of(b"").to_string(), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
}

#[test]
fn ranges_read_back_and_bounds_are_checked() {
	let (_dir, store) = store();
	let bytes = sample(100_000);
	let hash = store.put(&bytes).unwrap();
	for (offset, len) in [(0, 100_000), (0, 0), (16_383, 2), (99_999, 1), (50_000, 33_000)] {
		assert_eq!(store.read_range(&hash, offset as u64, len).unwrap(), bytes[offset..offset + len]);
	}
	assert!(matches!(store.read_range(&hash, 99_999, 2), Err(StoreError::OutOfBounds { .. })));
	assert!(matches!(store.read_range(&hash, u64::MAX, 2), Err(StoreError::OutOfBounds { .. })));
	assert!(matches!(store.get(&hash, 99_999), Err(StoreError::TooLarge { len: 100_000, .. })));
}

#[test]
fn bytes_that_rot_on_disk_are_never_returned_and_putting_again_repairs() {
	let (dir, store) = store();
	let bytes = sample(200_000);
	let hash = store.put(&bytes).unwrap();
	let mut rotten = bytes.clone();
	rotten[150_000] ^= 1;
	fs::write(store.data_path(&hash), &rotten).unwrap();
	assert!(matches!(store.get(&hash, 1 << 20), Err(StoreError::Corrupt(_))));
	assert!(matches!(store.verify(&hash), Err(StoreError::Corrupt(_))));
	assert!(matches!(store.read_range(&hash, 150_000, 1), Err(StoreError::Corrupt(_))));
	assert_eq!(store.read_range(&hash, 0, 10).unwrap(), bytes[..10]);
	let out = dir.path().join("out");
	assert!(matches!(store.export(&hash, &out), Err(StoreError::Corrupt(_))));
	assert!(!out.exists());
	let blob = store.open_blob(&hash).unwrap();
	let last = GroupRange { first: 150_000 / GROUP_BYTES, count: 1 };
	assert!(matches!(blob.encode(last), Err(StoreError::Corrupt(_))));
	store.put(&bytes).unwrap();
	store.verify(&hash).unwrap();
}

#[test]
fn a_lost_tree_is_rebuilt() {
	let (_dir, store) = store();
	let bytes = sample(200_000);
	let hash = store.put(&bytes).unwrap();
	fs::remove_file(store.tree_path(&hash)).unwrap();
	assert_eq!(store.read_range(&hash, 5, 5).unwrap(), bytes[5..10]);
	assert!(store.tree_path(&hash).is_file());
}

#[test]
fn pins_protect_from_removal() {
	let (_dir, store) = store();
	let hash = store.put(b"pinned").unwrap();
	store.pin(&hash).unwrap();
	assert!(matches!(store.remove(&hash), Err(StoreError::Pinned(_))));
	store.unpin(&hash).unwrap();
	store.remove(&hash).unwrap();
	assert!(!store.has(&hash));
	assert!(matches!(store.get(&hash, 10), Err(StoreError::NotFound(_))));
	store.remove(&hash).unwrap();
}

#[test]
fn a_store_has_one_owner() {
	let (dir, store) = store();
	let root = dir.path().join("store");
	assert!(matches!(BlobStore::open(&root), Err(StoreError::Locked(_))));
	drop(store);
	BlobStore::open(&root).unwrap();
}

#[test]
fn a_partial_download_resumes_with_exactly_the_proved_pieces() {
	let (_source_dir, source) = store();
	let bytes = sample(3 * 1024 * 1024 + 500);
	let hash = source.put(&bytes).unwrap();
	let blob = source.open_blob(&hash).unwrap();
	let geometry = blob.geometry();

	let (dir, target) = store();
	let last = blob.encode(geometry.last_group()).unwrap();
	let partial = PartialBlob::begin(&target, hash, geometry, &last).unwrap();
	partial.write_range(geometry.piece(1), &blob.encode(geometry.piece(1)).unwrap()).unwrap();
	let mut bad = blob.encode(geometry.piece(2)).unwrap();
	*bad.last_mut().unwrap() ^= 1;
	assert!(matches!(partial.write_range(geometry.piece(2), &bad), Err(WriteError::Unverifiable)));
	drop((partial, target));

	let target = BlobStore::open(dir.path().join("store")).unwrap();
	assert!(!target.has(&hash));
	let (partial, missing) = PartialBlob::resume(&target, hash).unwrap().unwrap();
	assert_eq!(missing, [0, 2]);
	for index in missing {
		partial.write_range(geometry.piece(index), &blob.encode(geometry.piece(index)).unwrap()).unwrap();
	}
	partial.finish().unwrap();
	assert_eq!(target.get(&hash, 1 << 23).unwrap(), bytes);
	assert!(PartialBlob::resume(&target, hash).unwrap().is_none());
}

#[test]
fn a_lie_about_the_length_leaves_nothing_on_disk() {
	let (_dir, store) = store();
	let blob = sample(100_000);
	let hash = BlobHash::of(&blob);
	let claim = Geometry::new(MAX_BLOB_LEN).unwrap();
	assert!(matches!(PartialBlob::begin(&store, hash, claim, &[7; 20_000]), Err(WriteError::Unverifiable)));
	assert!(PartialBlob::resume(&store, hash).unwrap().is_none());
	assert_eq!(fs::read_dir(store.0.root.join("partial")).unwrap().count(), 0);
}

#[test]
fn a_partial_without_a_proved_length_is_discarded() {
	let (_dir, store) = store();
	let hash = BlobHash::of(b"never seen");
	fs::write(store.0.root.join(format!("partial/{hash}.data")), [1; 50_000]).unwrap();
	fs::write(store.0.root.join(format!("partial/{hash}.tree")), [0; 10]).unwrap();
	assert!(PartialBlob::resume(&store, hash).unwrap().is_none());
	assert_eq!(fs::read_dir(store.0.root.join("partial")).unwrap().count(), 0);
}

/// Not a test of its own: the process that [`a_killed_writer_leaves_only_whole_blobs`] kills.
#[test]
fn writer_for_the_kill_test() {
	let Ok(root) = std::env::var("ASSAY_P2P_KILL_TEST") else { return };
	let store = BlobStore::open(root).unwrap();
	println!("\nwriting");
	for len in (1_000_000..).step_by(4_097) {
		store.put(&sample(len)).unwrap();
	}
}

#[test]
fn a_killed_writer_leaves_only_whole_blobs() {
	let dir = tempfile::tempdir().unwrap();
	let mut child = std::process::Command::new(std::env::current_exe().unwrap())
		.args(["--exact", "store::tests::writer_for_the_kill_test", "--nocapture"])
		.env("ASSAY_P2P_KILL_TEST", dir.path())
		.stdout(std::process::Stdio::piped())
		.spawn()
		.unwrap();
	let out = io::BufReader::new(child.stdout.take().unwrap());
	assert!(out.lines().any(|line| line.unwrap() == "writing"));
	let blobs = dir.path().join("blobs");
	while fs::read_dir(&blobs).unwrap().count() < 5 {
		assert!(child.try_wait().unwrap().is_none(), "the writer must still be running");
		std::thread::yield_now();
	}
	child.kill().unwrap();
	child.wait().unwrap();

	let store = BlobStore::open(dir.path()).unwrap();
	assert_eq!(fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0);
	let hashes = store.list().unwrap();
	// The fifth folder may have appeared without its blob.
	assert!(hashes.len() >= 4);
	for hash in hashes {
		store.verify(&hash).unwrap();
		store.open_blob(&hash).unwrap().encode(GroupRange { first: 0, count: 1 }).unwrap();
	}
}

type Needed = Result<HashSet<BlobHash>, StoreError>;

#[test]
fn a_sweep_removes_what_is_not_needed_and_says_how_much() {
	let (_dir, store) = store();
	let [needed, pinned, held, waste] = [1u8, 2, 3, 4].map(|byte| store.put(&[byte; 100]).unwrap());
	store.pin(&pinned).unwrap();
	let hold = store.hold(held);
	let download = BlobHash::of(&sample(50_000));
	fs::write(store.0.root.join("partial").join(format!("{download}.data")), [0; 10]).unwrap();
	let swept = store.sweep(|| Needed::Ok([needed].into())).unwrap();
	assert_eq!((swept.blobs, swept.bytes), (2, 110));
	assert!(!store.has(&waste) && [needed, pinned, held].iter().all(|hash| store.has(hash)));
	let second = hold.clone();
	drop(hold);
	assert_eq!(store.sweep(|| Needed::Ok([needed].into())).unwrap(), Swept::default(), "held by the second");
	drop(second);
	assert_eq!(store.sweep(|| Needed::Ok(HashSet::new())).unwrap().blobs, 2);
	assert_eq!(store.list().unwrap(), [pinned]);
}

/// The records that a sweep goes by may be older than a blob whose hold has ended since.
#[test]
fn a_blob_stored_during_a_sweep_stays() {
	let (_dir, store) = store();
	let old = store.put(b"stored long ago, and now again").unwrap();
	let mut fresh = None;
	let swept = store.sweep(|| {
		let hold = store.put_held(b"stored long ago, and now again")?;
		fresh = Some(hold.hash());
		Needed::Ok(HashSet::new())
	});
	assert_eq!(swept.unwrap(), Swept::default());
	assert_eq!(fresh, Some(old));
	assert!(store.has(&old));
	let hold = store.hold(old);
	let swept = store.sweep(|| {
		drop(hold);
		Needed::Ok(HashSet::new())
	});
	assert_eq!(swept.unwrap(), Swept::default(), "held when the sweep began, perhaps recorded since");
	assert_eq!(store.sweep(|| Needed::Ok(HashSet::new())).unwrap().blobs, 1, "its owner has no record of it");
}

#[test]
fn nothing_is_removed_where_the_records_cannot_be_read() {
	let (_dir, store) = store();
	let hash = store.put(b"needed by a record").unwrap();
	assert!(store.sweep(|| Needed::Err(StoreError::NotFound(hash))).is_err());
	assert!(store.has(&hash));
}

#[test]
fn threads_that_store_and_record_never_lose_a_recorded_blob_to_sweeps() {
	let (_dir, store) = store();
	let records = std::sync::Mutex::new(HashSet::new());
	std::thread::scope(|scope| {
		for thread in 0..3u8 {
			let (store, records) = (&store, &records);
			scope.spawn(move || {
				for round in 0..60u8 {
					// Few contents, so that one is stored again while it is removed.
					let hold = store.put_held(&[round % 4 + thread]).unwrap();
					records.lock().unwrap().insert(hold.hash());
					drop(hold);
					if round % 3 == 0 {
						records.lock().unwrap().clear();
					}
				}
			});
		}
		for _ in 0..60 {
			store.sweep(|| Needed::Ok(records.lock().unwrap().clone())).unwrap();
		}
	});
	for hash in records.into_inner().unwrap() {
		assert!(store.has(&hash));
	}
}
