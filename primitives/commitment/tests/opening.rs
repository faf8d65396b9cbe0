//! Chunk openings of tensors of every shape, and forgeries.

use assay_commitment::{
	chunk_cv, tensor_root, ChunkOpening, DType, Layout, Node, OpeningError, TensorTree, CHUNK_BYTES,
};
use codec::{Decode, Encode};
use proptest::prelude::*;

fn tensor(rows: u32, cols: u32, seed: u32) -> (Layout, Vec<u8>) {
	let layout = Layout::new(DType::F32, rows, cols).unwrap();
	let elements: Vec<u32> = (0..layout.elements() as u32).map(|i| (i ^ seed).wrapping_mul(0x9e37_79b1)).collect();
	(layout, layout.to_canonical(&elements).unwrap())
}

#[test]
fn every_opening_verifies() {
	for (rows, cols) in [(1, 1), (1, 1025), (1, 5000), (3, 3), (33, 31), (40, 50), (70, 99), (100, 1)] {
		let (layout, bytes) = tensor(rows, cols, 3);
		let tree = TensorTree::build(&bytes).unwrap();
		assert_eq!((tree.root(), tree.chunks()), (tensor_root(&bytes), layout.chunks()));
		for log2 in 0..=2u8 {
			for start in (0..layout.chunks()).step_by(1 << log2) {
				let opening = tree.open(&bytes, start, log2).unwrap();
				assert_eq!(opening.verify(&tree.root(), layout.chunks()), Ok(()));
				assert_eq!(ChunkOpening::decode(&mut &opening.encode()[..]), Ok(opening.clone()));
				for chunk in start..start + (1 << log2) {
					let own = chunk as usize * CHUNK_BYTES;
					assert_eq!(opening.chunk(chunk), Some(&bytes[own..own + CHUNK_BYTES]));
					assert_eq!(chunk_cv(chunk, &bytes[own..own + CHUNK_BYTES]), tree.tree().node(Node::leaf(chunk)));
				}
				assert_eq!(opening.chunk(start + (1 << log2)), None);
				assert_eq!(start.checked_sub(1).and_then(|before| opening.chunk(before)), None);
			}
		}
	}
}

/// Every single flipped bit of bytes and proof, on a one-tile tensor and on one with a ragged tree.
#[test]
fn every_flipped_bit_is_refused() {
	for (rows, cols, start, log2) in [(9, 9, 0, 2), (9, 9, 3, 0), (40, 50, 10, 1), (1, 2050, 8, 2), (1, 2050, 11, 0)] {
		let (layout, bytes) = tensor(rows, cols, 5);
		let tree = TensorTree::build(&bytes).unwrap();
		let good = tree.open(&bytes, start, log2).unwrap();
		let refused = |opening: &ChunkOpening| opening.verify(&tree.root(), layout.chunks()).is_err();
		let mut forged = good.clone();
		for bit in 0..good.bytes.len() * 8 {
			forged.bytes[bit / 8] ^= 1 << (bit % 8);
			assert!(refused(&forged));
			forged.bytes[bit / 8] ^= 1 << (bit % 8);
		}
		for bit in 0..good.proof.len() * 256 {
			forged.proof[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
			assert!(refused(&forged));
			forged.proof[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
		}
		for bit in 0..32 {
			assert!(refused(&ChunkOpening { start: start ^ (1 << bit), ..good.clone() }));
		}
		for bit in 0..8 {
			assert!(refused(&ChunkOpening { log2: log2 ^ (1 << bit), ..good.clone() }));
		}
		assert!(!refused(&forged));
	}
}

#[test]
fn errors_say_what_is_wrong() {
	let (layout, bytes) = tensor(40, 50, 1);
	let tree = TensorTree::build(&bytes).unwrap();
	let (root, n) = (tree.root(), layout.chunks());
	let good = tree.open(&bytes, 4, 1).unwrap();
	let check = |opening: ChunkOpening| opening.verify(&root, n);
	assert_eq!(check(ChunkOpening { log2: 3, ..good.clone() }), Err(OpeningError::TooWide));
	assert_eq!(check(ChunkOpening { log2: 255, ..good.clone() }), Err(OpeningError::TooWide));
	assert_eq!(check(ChunkOpening { start: 5, ..good.clone() }), Err(OpeningError::Unaligned));
	assert_eq!(check(ChunkOpening { start: n, ..good.clone() }), Err(OpeningError::OutOfRange));
	assert_eq!(check(ChunkOpening { start: u32::MAX - 1, ..good.clone() }), Err(OpeningError::OutOfRange));
	assert_eq!(check(ChunkOpening { bytes: vec![], ..good.clone() }), Err(OpeningError::Length));
	assert_eq!(check(ChunkOpening { proof: vec![], ..good.clone() }), Err(OpeningError::WrongRoot));
	assert_eq!(good.verify(&[0; 32], n), Err(OpeningError::WrongRoot));
	assert_eq!(good.verify(&root, n + 4), Err(OpeningError::WrongRoot));
	for n in [0, 1, 2, 3, u32::MAX] {
		assert!(good.verify(&root, n).is_err());
	}
	assert!(tree.open(&bytes, 5, 1).is_none());
	assert!(tree.open(&bytes, n, 0).is_none());
	assert!(tree.open(&bytes, 0, 3).is_none());
	assert!(tree.open(&bytes[..4096], 8, 0).is_none());
	assert_eq!(chunk_cv(0, &bytes[..1023]), None);
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(100))]

	#[test]
	fn root_is_the_plain_hash(rows in 1u32..200, cols in 1u32..200, seed: u32) {
		let (_, bytes) = tensor(rows, cols, seed);
		let tree = TensorTree::build(&bytes).unwrap();
		prop_assert_eq!(tree.root(), *blake3::hash(&bytes).as_bytes());
	}

	#[test]
	fn another_tensor_or_place_is_refused(
		rows in 1u32..100, cols in 1u32..100, log2 in 0u8..3, a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>(),
	) {
		let (layout, bytes) = tensor(rows, cols, 1);
		let tree = TensorTree::build(&bytes).unwrap();
		let places = (layout.chunks() >> log2) as usize;
		let (from, to) = ((a.index(places) as u32) << log2, (b.index(places) as u32) << log2);
		let moved = ChunkOpening { start: to, ..tree.open(&bytes, from, log2).unwrap() };
		prop_assert_eq!(moved.verify(&tree.root(), layout.chunks()).is_ok(), from == to);

		let (_, other) = tensor(rows, cols, 2);
		let opening = TensorTree::build(&other).unwrap().open(&other, from, log2).unwrap();
		prop_assert_eq!(opening.verify(&tree.root(), layout.chunks()), Err(OpeningError::WrongRoot));
	}

	#[test]
	fn arbitrary_openings_give_no_panic(
		start: u32, log2 in 0u8..5, chunks in 0usize..5, proof in prop::collection::vec(any::<[u8; 32]>(), 0..40), n: u32,
	) {
		let opening = ChunkOpening { start, log2, bytes: vec![0; chunks * CHUNK_BYTES], proof };
		prop_assert!(opening.verify(&[0; 32], n).is_err());
		let aligned = ChunkOpening { start: start & !3, ..opening };
		prop_assert!(aligned.verify(&[0; 32], u32::MAX).is_err());
		let _ = aligned.chunk(n);
	}
}
