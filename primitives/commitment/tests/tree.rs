//! The tree: roots against an independent definition, frontiers, proofs, and malformed input.

use assay_commitment::{
	combine_frontier, frontier, prove, tree, verify_node, Combiner, Domain, Hash, Node, TensorTree, Tree, CHUNK_BYTES,
};
use proptest::prelude::*;

const TRACE: Combiner = Combiner::Merkle(Domain::Trace);

fn leaves(n: u32) -> Vec<Hash> {
	(0..n).map(|i| *blake3::hash(&i.to_le_bytes()).as_bytes()).collect()
}

fn bytes(chunks: u32) -> Vec<u8> {
	let mut bytes = vec![0; chunks as usize * CHUNK_BYTES];
	blake3::Hasher::new().update(&chunks.to_le_bytes()).finalize_xof().fill(&mut bytes);
	bytes
}

/// The Merkle root straight from its definition.
fn reference_root(leaves: &[Hash]) -> Hash {
	fn halves(leaves: &[Hash]) -> Vec<u8> {
		match leaves {
			[] => vec![],
			[leaf] => leaf.to_vec(),
			_ => {
				let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
				[inner(left), inner(right)].concat()
			}
		}
	}
	fn inner(leaves: &[Hash]) -> Vec<u8> {
		match leaves {
			[leaf] => leaf.to_vec(),
			_ => blake3::derive_key("assay/v1/trace", &[&[1][..], &halves(leaves)].concat()).to_vec(),
		}
	}
	let n = (leaves.len() as u32).to_le_bytes();
	blake3::derive_key("assay/v1/trace", &[&[2][..], &n, &halves(leaves)].concat())
}

/// All nodes of a tree of `n` leaves.
fn nodes(n: u32) -> Vec<Node> {
	let mut found = vec![Node::whole(n)];
	let mut at = 0;
	while at < found.len() {
		found.extend(found[at].children().into_iter().flat_map(|(left, right)| [left, right]));
		at += 1;
	}
	found
}

/// Frontiers and proofs of every node lead to the root; a changed hash in either does not.
fn check_tree(combiner: Combiner, tree: &Tree) {
	let (n, root) = (tree.n(), tree.root());
	assert_eq!(tree::root(combiner, tree.leaves()), Some(root));
	let nodes = nodes(n);
	assert_eq!(nodes.len(), 2 * n as usize - 1);
	for node in nodes {
		let below = frontier(node, n);
		assert!(below.len() <= 16 && (node.is_leaf() || below.len() >= 2));
		assert_eq!(below.iter().map(|node| node.len).sum::<u32>(), node.len);
		assert!(below.windows(2).all(|pair| pair[0].start + pair[0].len == pair[1].start));

		let hash = tree.node(node).unwrap();
		let mut hashes = tree.frontier(node).unwrap();
		assert_eq!(hashes.len(), below.len());
		let combined = combine_frontier(combiner, node, n, &hashes);
		assert_eq!(combined, Some(if node == Node::whole(n) { root } else { hash }));
		let last = hashes.len() - 1;
		hashes[last][7] ^= 4;
		assert_ne!(combine_frontier(combiner, node, n, &hashes), combined);
		assert_eq!(combine_frontier(combiner, node, n, &hashes[..last]), None);
		hashes.push([0; 32]);
		assert_eq!(combine_frontier(combiner, node, n, &hashes), None);

		let proof = tree.prove(node).unwrap();
		assert!(verify_node(combiner, &root, n, node, &hash, &proof));
		let mut other = hash;
		other[31] ^= 0x80;
		assert!(!verify_node(combiner, &root, n, node, &other, &proof));
		let longer = [&proof[..], &[[0; 32]]].concat();
		assert!(!verify_node(combiner, &root, n, node, &hash, &longer));
		if let Some((_, shorter)) = proof.split_last() {
			assert!(!verify_node(combiner, &root, n, node, &hash, shorter));
			for sibling in 0..proof.len() {
				let mut forged = proof.clone();
				forged[sibling][0] ^= 1;
				assert!(!verify_node(combiner, &root, n, node, &hash, &forged));
			}
		}
	}
}

#[test]
fn merkle_trees_up_to_300_leaves() {
	for n in 1..300 {
		let tree = Tree::build(TRACE, leaves(n)).unwrap();
		assert_eq!(tree.root(), reference_root(&leaves(n)));
		check_tree(TRACE, &tree);
	}
}

#[test]
fn tensor_trees_up_to_300_chunks() {
	for n in 2..300 {
		let bytes = bytes(n);
		let tree = TensorTree::build(&bytes).unwrap();
		assert_eq!(tree.root(), *blake3::hash(&bytes).as_bytes());
		check_tree(Combiner::Blake3Cv, tree.tree());
	}
}

#[test]
fn leaf_proofs_bind_position_and_count() {
	for n in 1..40 {
		let leaves = leaves(n);
		let root = tree::root(TRACE, &leaves).unwrap();
		for index in 0..n {
			let leaf = &leaves[index as usize];
			let proof = prove(TRACE, &leaves, Node::leaf(index)).unwrap();
			for m in 0..45 {
				for position in 0..45 {
					let accepted = verify_node(TRACE, &root, m, Node::leaf(position), leaf, &proof);
					assert_eq!(accepted, (m, position) == (n, index));
				}
			}
			let other = Combiner::Merkle(Domain::State);
			assert!(!verify_node(other, &root, n, Node::leaf(index), leaf, &proof));
		}
	}
}

#[test]
fn a_node_does_not_pass_for_a_leaf() {
	let tree = Tree::build(TRACE, leaves(4)).unwrap();
	let inner = tree.node(Node { start: 0, len: 2 }).unwrap();
	let proof = tree.prove(Node { start: 0, len: 2 }).unwrap();
	assert!(verify_node(TRACE, &tree.root(), 4, Node { start: 0, len: 2 }, &inner, &proof));
	for (n, index) in [(4, 0), (4, 1), (3, 0), (2, 0), (2, 1)] {
		assert!(!verify_node(TRACE, &tree.root(), n, Node::leaf(index), &inner, &proof));
	}
}

#[test]
fn smallest_trees() {
	let empty = Tree::build(TRACE, vec![]).unwrap();
	assert_eq!(empty.root(), reference_root(&[]));
	assert_eq!((empty.n(), empty.node(Node::whole(0)), empty.prove(Node::leaf(0))), (0, None, None));
	assert_eq!(Tree::build(Combiner::Blake3Cv, vec![]), None);
	assert_eq!(Tree::build(Combiner::Blake3Cv, leaves(1)), None);
	assert!(TensorTree::build(&bytes(1)).is_none());
	assert!(TensorTree::build(&[0; 4095]).is_none());
	let cv = leaves(1)[0];
	assert!(!verify_node(Combiner::Blake3Cv, &cv, 1, Node::leaf(0), &cv, &[]));
	assert_eq!(combine_frontier(Combiner::Blake3Cv, Node::leaf(0), 1, &[cv]), None);
}

#[test]
fn ranges_that_are_no_nodes() {
	for node in [
		Node { start: 1, len: 2 },
		Node { start: 0, len: 3 },
		Node { start: 4, len: 4 },
		Node { start: 0, len: 0 },
		Node { start: 7, len: 1 },
		Node { start: u32::MAX, len: u32::MAX },
	] {
		assert!(!node.is_in(7));
		assert!(frontier(node, 7).is_empty());
		assert_eq!(combine_frontier(TRACE, node, 7, &leaves(2)), None);
		assert_eq!(combine_frontier(TRACE, node, 7, &[]), None);
		assert_eq!(prove(TRACE, &leaves(7), node), None);
		assert!(!verify_node(TRACE, &[0; 32], 7, node, &[0; 32], &[]));
	}
	assert!(Node { start: 4, len: 3 }.is_in(7));
}

/// The root over one proof path, folded by hand on the largest tree: 32 levels.
#[test]
fn the_deepest_proof() {
	let siblings = leaves(32);
	let key = |parts: &[&[u8]]| blake3::derive_key("assay/v1/trace", &parts.concat());
	let leaf = [9; 32];
	let mut hash = leaf;
	for sibling in &siblings[..31] {
		hash = key(&[&[1], &hash, sibling]);
	}
	let root = key(&[&[2], &u32::MAX.to_le_bytes(), &hash, &siblings[31]]);
	assert!(verify_node(TRACE, &root, u32::MAX, Node::leaf(0), &leaf, &siblings));
	assert!(!verify_node(TRACE, &root, u32::MAX, Node::leaf(1), &leaf, &siblings));
	assert_eq!(frontier(Node::whole(u32::MAX), u32::MAX).len(), 16);
}

proptest! {
	#[test]
	fn arbitrary_input_gives_no_panic(
		start: u32, len: u32, n: u32, small in 0u32..70, hashes in prop::collection::vec(any::<Hash>(), 0..40), cv: bool,
	) {
		let combiner = if cv { Combiner::Blake3Cv } else { TRACE };
		for n in [n, small, u32::MAX] {
			for node in [Node { start, len }, Node { start: start % 70, len: len % 70 }, Node::whole(n)] {
				let below = frontier(node, n);
				prop_assert_eq!(below.is_empty(), !node.is_in(n));
				let combined = combine_frontier(combiner, node, n, &hashes);
				let fits = node.is_in(n) && below.len() == hashes.len() && (n > 1 || !cv);
				prop_assert_eq!(combined.is_some(), fits);
				prop_assert!(!verify_node(combiner, &[0; 32], n, node, &[1; 32], &hashes));
				let _ = node.children();
			}
		}
	}
}
