//! State, boundary, milestone, blind and accumulator commitments bind each of their fields.

use assay_commitment::*;
use codec::{Decode, Encode};
use proptest::prelude::*;

fn tensors(count: u32) -> Vec<StateLeaf> {
	(0..count)
		.map(|i| StateLeaf {
			name: format!("layer{i}.w").into_bytes(),
			dtype: DType::F32,
			rows: i + 1,
			cols: 2 * i + 3,
			root: [i as u8; 32],
		})
		.collect()
}

fn meta() -> StateMeta {
	StateMeta::after(12, 64).unwrap()
}

fn all_distinct(hashes: &[Hash]) -> bool {
	let unique: std::collections::BTreeSet<_> = hashes.iter().collect();
	unique.len() == hashes.len()
}

#[test]
fn leaves_have_the_specified_bytes() {
	let mut bytes = vec![0, 0];
	for value in [12u64, 768, 12] {
		bytes.extend(value.to_le_bytes());
	}
	assert_eq!(meta().leaf(), blake3::derive_key("assay/v1/state", &bytes));

	let leaf = StateLeaf { name: b"ab".to_vec(), dtype: DType::I32, rows: 5, cols: 6, root: [7; 32] };
	let bytes = [&[0, 1, 2 << 2][..], b"ab", &[1, 5, 0, 0, 0, 6, 0, 0, 0], &[7; 32]].concat();
	assert_eq!(leaf.leaf(), blake3::derive_key("assay/v1/state", &bytes));

	let mut bytes = b"assay/v1/boundary".to_vec();
	bytes.extend([3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0]);
	bytes.extend([5; 32]);
	assert_eq!(boundary(&[1; 32], 3, 4, &[5; 32]), *blake3::keyed_hash(&[1; 32], &bytes).as_bytes());

	let bytes = [&[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0][..], b"acc"].concat();
	assert_eq!(accumulator_hash(1, 2, 3, b"acc"), blake3::derive_key("assay/v1/accumulator", &bytes));
}

#[test]
fn state_root_binds_every_field() {
	let base = tensors(3);
	let mut roots = vec![state_root(&meta(), &base).unwrap()];
	for changed in [
		StateMeta { step: 13, ..meta() },
		StateMeta { cursor: 13, ..meta() },
		StateMeta { rng: 13, ..meta() },
		StateMeta::default(),
	] {
		roots.push(state_root(&changed, &base).unwrap());
	}
	let edits: [fn(&mut StateLeaf); 6] = [
		|leaf| leaf.name.push(b'x'),
		|leaf| leaf.name.clear(),
		|leaf| leaf.dtype = DType::I32,
		|leaf| leaf.rows += 1,
		|leaf| leaf.cols += 1,
		|leaf| leaf.root[31] ^= 1,
	];
	for index in 0..3 {
		for edit in edits {
			let mut changed = base.clone();
			edit(&mut changed[index]);
			roots.push(state_root(&meta(), &changed).unwrap());
		}
	}
	for (a, b) in [(0, 1), (0, 2), (1, 2)] {
		let mut swapped = base.clone();
		swapped.swap(a, b);
		roots.push(state_root(&meta(), &swapped).unwrap());
	}
	roots.push(state_root(&meta(), &base[..2]).unwrap());
	roots.push(state_root(&meta(), &[]).unwrap());
	assert!(all_distinct(&roots));
	assert_eq!(StateMeta::after(u64::MAX, 2), None);
}

#[test]
fn state_proofs() {
	for count in 0..20 {
		let tensors = tensors(count);
		let tree = StateTree::build(&meta(), &tensors).unwrap();
		let root = tree.root();
		assert_eq!((Some(root), tree.tensors()), (state_root(&meta(), &tensors), count));
		let leaves = core::iter::once(meta().leaf()).chain(tensors.iter().map(StateLeaf::leaf));
		assert!(leaves.eq(tree.leaves().iter().copied()));
		let proof = tree.prove_meta().unwrap();
		assert!(verify_meta(&root, count, &meta(), &proof));
		assert!(!verify_meta(&root, count + 1, &meta(), &proof));
		assert!(!verify_meta(&root, u32::MAX, &meta(), &proof));
		assert!(!verify_meta(&root, count, &StateMeta::default(), &proof));
		for (index, leaf) in (0..).zip(&tensors) {
			let proof = tree.prove_tensor(index).unwrap();
			for claimed in 0..20 {
				assert_eq!(verify_tensor(&root, count, claimed, leaf, &proof), claimed == index);
			}
			assert!(!verify_tensor(&root, count, u32::MAX, leaf, &proof));
			assert!(!verify_tensor(&root, count, index, &StateLeaf { rows: 99, ..leaf.clone() }, &proof));
		}
		assert_eq!(tree.prove_tensor(count), None);
		assert_eq!(tree.prove_tensor(u32::MAX), None);
	}
}

#[test]
fn milestone_openings() {
	let (job, secret) = (77, [3; 32]);
	for count in 1..12 {
		let range = SegmentRange { first: 20, count };
		let state = |segment: u32| *blake3::hash(&segment.to_le_bytes()).as_bytes();
		let salt = |segment: u32| derive_salt(&secret, job, segment + 1);
		let segments = range.first..range.first + count;
		let boundaries = segments.clone().map(|s| boundary(&salt(s), job, s + 1, &state(s))).collect();
		let tree = MilestoneTree::build(boundaries).unwrap();
		let root = tree.root();
		for segment in segments {
			let good = tree.open(range, segment, salt(segment), state(segment)).unwrap();
			assert!(good.verify(&root, job, range));
			assert_eq!(BoundaryOpening::decode(&mut &good.encode()[..]), Ok(good.clone()));
			assert!(!good.verify(&root, job + 1, range));
			assert!(!good.verify(&[0; 32], job, range));
			assert!(!good.verify(&root, job, SegmentRange { first: 19, count }));
			assert!(!good.verify(&root, job, SegmentRange { first: 20, count: count + 1 }));
			assert!(!good.verify(&root, job, SegmentRange { first: 20, count: 0 }));
			for other in [0, 19, segment ^ 1, segment + 1, 20 + count, u32::MAX] {
				assert!(!BoundaryOpening { segment: other, ..good.clone() }.verify(&root, job, range));
			}
			assert!(!BoundaryOpening { salt: [9; 32], ..good.clone() }.verify(&root, job, range));
			assert!(!BoundaryOpening { state_root: [9; 32], ..good.clone() }.verify(&root, job, range));
			let proof = [&good.proof[..], &[[0; 32]]].concat();
			assert!(!BoundaryOpening { proof, ..good.clone() }.verify(&root, job, range));
		}
		assert_eq!(tree.open(range, 19, [0; 32], [0; 32]), None);
		assert_eq!(tree.open(range, 20 + count, [0; 32], [0; 32]), None);
	}
	assert_eq!(MilestoneTree::build(vec![]), None);
	assert_eq!(SegmentRange { first: u32::MAX, count: 1 }.end_of(u32::MAX), None);
}

#[test]
fn contexts_are_distinct() {
	use Domain::*;
	let domains = [
		State,
		Trace,
		Milestone,
		ProgramOps,
		ProgramTensors,
		ProgramUpdates,
		Blind,
		Boundary,
		Accumulator,
		Seed,
		Program,
	];
	let hashes: Vec<Hash> = domains.iter().flat_map(|domain| [domain.hash(&[b"x"]), domain.leaf(b"x")]).collect();
	assert!(all_distinct(&hashes));
	assert_eq!(Seed.hash(&[b"ab", b"c"]), blake3::derive_key("assay/v1/seed", b"abc"));
}

proptest! {
	#[test]
	fn boundaries_bind(salt: Hash, job: u64, index: u32, root: Hash, byte in 0usize..32, bit in 0u8..8) {
		let flip = |hash: &Hash| {
			let mut flipped = *hash;
			flipped[byte] ^= 1 << bit;
			flipped
		};
		let hashes = [
			boundary(&salt, job, index, &root),
			boundary(&flip(&salt), job, index, &root),
			boundary(&salt, job ^ (1 << (byte * 2)), index, &root),
			boundary(&salt, job, index ^ (1 << byte), &root),
			boundary(&salt, job, index, &flip(&root)),
			derive_salt(&salt, job, index),
			derive_salt(&salt, job ^ (1 << (byte * 2)), index),
			derive_salt(&salt, job, index ^ (1 << byte)),
			derive_salt(&flip(&salt), job, index),
		];
		prop_assert!(all_distinct(&hashes));
	}

	#[test]
	fn blind_answers_bind(bytes in prop::array::uniform32(any::<u8>()), job: u64, milestone: u32, segment: u32, at in 0usize..144) {
		let answer = BlindAnswer { verifier: bytes, nonce: bytes, job, milestone, segment, pre_root: bytes, post_root: bytes };
		let mut encoded = answer.encode();
		prop_assert_eq!(encoded.len(), 144);
		prop_assert_eq!(answer.commitment(), blake3::derive_key("assay/v1/blind", &encoded));
		encoded[at] ^= 1;
		let changed = BlindAnswer::decode(&mut &encoded[..]).unwrap();
		prop_assert_ne!(changed.commitment(), answer.commitment());
	}

	#[test]
	fn accumulators_bind(op: u32, chunk: u32, link: u32, bytes in prop::collection::vec(any::<u8>(), 0..100)) {
		let longer = [&bytes[..], &[0]].concat();
		let hashes = [
			accumulator_hash(op, chunk, link, &bytes),
			accumulator_hash(op ^ 1, chunk, link, &bytes),
			accumulator_hash(op, chunk ^ 1, link, &bytes),
			accumulator_hash(op, chunk, link ^ 1, &bytes),
			accumulator_hash(op, chunk, link, &longer),
		];
		prop_assert!(all_distinct(&hashes));
	}
}
