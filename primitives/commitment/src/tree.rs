//! The left-balanced binary tree under every commitment.
//!
//! A node of `n > 1` leaves splits at the largest power of two below `n`. The same shape carries Merkle trees over
//! 32-byte leaves and the BLAKE3 tree of a tensor's bytes; they differ in how two children combine ([`Combiner`]).
//!
//! In both the top node is combined differently from the others. A Merkle root also covers the number of leaves, so a
//! position fixes the whole path and a node can never pass for a leaf.

use alloc::vec::Vec;
use blake3::hazmat::{self, HasherExt, Mode};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{domains::Domain, Hash};

/// Levels between a node and its frontier.
pub const FRONTIER_DEPTH: u32 = 4;
/// Most nodes in a frontier.
pub const FRONTIER_WIDTH: usize = 1 << FRONTIER_DEPTH;
/// Most hashes in a proof: the depth of a tree whose leaves are numbered with 32 bits.
pub const MAX_PROOF: usize = 32;

/// Tag of an inner node of a Merkle tree.
const NODE: u8 = 1;
/// Tag of the root of a Merkle tree.
const ROOT: u8 = 2;

/// A node of a left-balanced tree, by the range of its leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Node {
	/// First leaf.
	pub start: u32,
	/// Number of leaves, at least 1.
	pub len: u32,
}

impl Node {
	/// The top node of a tree of `n` leaves.
	pub const fn whole(n: u32) -> Self {
		Self { start: 0, len: n }
	}

	/// The node of one leaf.
	pub const fn leaf(index: u32) -> Self {
		Self { start: index, len: 1 }
	}

	/// Whether the node is one leaf.
	pub const fn is_leaf(self) -> bool {
		self.len == 1
	}

	/// Left and right child. `None` for a leaf and for a range that ends beyond 32 bits.
	pub fn children(self) -> Option<(Node, Node)> {
		self.start.checked_add(self.len)?;
		// The largest power of two below `len`.
		let left = 1u32 << (self.len.checked_sub(1)?.checked_ilog2()?);
		Some((Node { start: self.start, len: left }, Node { start: self.start + left, len: self.len - left }))
	}

	/// Whether a tree of `n` leaves has this node.
	pub fn is_in(self, n: u32) -> bool {
		path(self, n).is_some()
	}

	/// Whether `other` lies within the range of this node.
	fn covers(self, other: Node) -> bool {
		let (start, end) = (u64::from(self.start), u64::from(self.start) + u64::from(self.len));
		start <= u64::from(other.start) && u64::from(other.start) + u64::from(other.len) <= end
	}
}

/// How the hashes of two children give the hash of their parent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Combiner {
	/// Merkle tree over 32-byte leaves, hashed in a domain with BLAKE3 key derivation:
	/// node = `H(0x01 || left || right)`, root of `n` leaves = `H(0x02 || n (u32 LE) || left || right)`,
	/// root of one leaf = `H(0x02 || 1 || leaf)`, root of none = `H(0x02 || 0)`.
	Merkle(Domain),
	/// The BLAKE3 tree of a byte string of at least two whole chunks; leaves are chunk chaining values and the root is
	/// the plain BLAKE3 hash of the bytes.
	Blake3Cv,
}

/// A combiner with its key derived, for a tree of `n` leaves.
struct Hashing {
	key: Option<hazmat::ContextKey>,
	n: u32,
}

impl Hashing {
	/// `None` for a BLAKE3 tree of fewer than two chunks: its only chunk is hashed as the root, and has no chaining value.
	fn new(combiner: Combiner, n: u32) -> Option<Self> {
		match combiner {
			Combiner::Merkle(domain) => Some(Self { key: Some(hazmat::hash_derive_key_context(domain.context())), n }),
			Combiner::Blake3Cv => (n >= 2).then_some(Self { key: None, n }),
		}
	}

	/// The hash of `node`, which is not a leaf, from its children's.
	fn parent(&self, node: Node, left: &Hash, right: &Hash) -> Hash {
		let top = node == Node::whole(self.n);
		match (&self.key, top) {
			(Some(key), true) => self.merkle_root(key, &[left, right]),
			(Some(key), false) => {
				let mut hasher = blake3::Hasher::new_from_context_key(key);
				*hasher.update(&[NODE]).update(left).update(right).finalize().as_bytes()
			}
			(None, true) => *hazmat::merge_subtrees_root(left, right, Mode::Hash).as_bytes(),
			(None, false) => hazmat::merge_subtrees_non_root(left, right, Mode::Hash),
		}
	}

	/// The hash of `node` from its own value where that is a leaf that is also the whole tree; else the value.
	fn finish(&self, node: Node, value: Hash) -> Hash {
		match &self.key {
			Some(key) if node.is_leaf() && self.n == 1 => self.merkle_root(key, &[&value]),
			_ => value,
		}
	}

	fn merkle_root(&self, key: &hazmat::ContextKey, children: &[&Hash]) -> Hash {
		let mut hasher = blake3::Hasher::new_from_context_key(key);
		hasher.update(&[ROOT]).update(&self.n.to_le_bytes());
		for child in children {
			hasher.update(&child[..]);
		}
		*hasher.finalize().as_bytes()
	}
}

/// A step down the tree: the child that does not hold the target, and on which side it is.
struct Turn {
	parent: Node,
	sibling: Node,
	sibling_is_left: bool,
}

/// The turns from the top of a tree of `n` leaves down to `node`. `None` if the tree has no such node.
fn path(node: Node, n: u32) -> Option<Vec<Turn>> {
	if node.len == 0 || !Node::whole(n).covers(node) {
		return None;
	}
	let mut turns = Vec::new();
	let mut at = Node::whole(n);
	while at != node {
		let (left, right) = at.children()?;
		let sibling_is_left = right.covers(node);
		if !sibling_is_left && !left.covers(node) {
			return None;
		}
		let (next, sibling) = if sibling_is_left { (right, left) } else { (left, right) };
		turns.push(Turn { parent: at, sibling, sibling_is_left });
		at = next;
	}
	Some(turns)
}

/// The nodes up to [`FRONTIER_DEPTH`] levels below `node`, left to right, at most [`FRONTIER_WIDTH`]; a leaf reached
/// earlier stands for itself. Empty if a tree of `n` leaves has no such node.
pub fn frontier(node: Node, n: u32) -> Vec<Node> {
	if !node.is_in(n) {
		return Vec::new();
	}
	let mut nodes = alloc::vec![node];
	for _ in 0..FRONTIER_DEPTH {
		nodes = nodes
			.into_iter()
			.flat_map(|node| match node.children() {
				Some((left, right)) => [Some(left), Some(right)],
				None => [Some(node), None],
			})
			.flatten()
			.collect();
	}
	nodes
}

/// The hash of `node` in a tree of `n` leaves from the hashes of its [`frontier`]; the root if `node` is the whole tree.
/// `None` if the tree has no such node or `hashes` has not one hash per frontier node.
pub fn combine_frontier(combiner: Combiner, node: Node, n: u32, hashes: &[Hash]) -> Option<Hash> {
	let hashing = Hashing::new(combiner, n)?;
	if hashes.len() > FRONTIER_WIDTH || !node.is_in(n) {
		return None;
	}
	let mut rest = hashes.iter();
	let hash = combine_below(&hashing, node, FRONTIER_DEPTH, &mut rest)?;
	rest.next().is_none().then_some(hash)
}

/// The hash of an inner `node` of a tree of `n` leaves from its children's; the root if it is the whole tree. `None` if the
/// tree has no such node or it is a leaf.
pub fn combine_children(combiner: Combiner, node: Node, n: u32, left: &Hash, right: &Hash) -> Option<Hash> {
	let hashing = Hashing::new(combiner, n)?;
	(!node.is_leaf() && node.is_in(n)).then(|| hashing.parent(node, left, right))
}

fn combine_below<'a>(
	hashing: &Hashing,
	node: Node,
	depth: u32,
	hashes: &mut impl Iterator<Item = &'a Hash>,
) -> Option<Hash> {
	match node.children() {
		Some((left, right)) if depth > 0 => {
			let left = combine_below(hashing, left, depth - 1, hashes)?;
			let right = combine_below(hashing, right, depth - 1, hashes)?;
			Some(hashing.parent(node, &left, &right))
		}
		_ => hashes.next().map(|hash| hashing.finish(node, *hash)),
	}
}

/// The root of the tree over `leaves`. `None` for a BLAKE3 tree of fewer than two chunks or 2^32 leaves and more.
pub fn root(combiner: Combiner, leaves: &[Hash]) -> Option<Hash> {
	Tree::build(combiner, leaves.to_vec()).map(|tree| tree.root())
}

/// The sibling hashes from `node` up to the top of the tree over `leaves`. `None` if there is no such tree or node.
/// For several proofs, keep a [`Tree`].
pub fn prove(combiner: Combiner, leaves: &[Hash], node: Node) -> Option<Vec<Hash>> {
	Tree::build(combiner, leaves.to_vec())?.prove(node)
}

/// Whether `hash` is the hash of `node` in the tree of `n` leaves with root `root`, by the sibling hashes from `node` up.
/// The whole tree is its own proof: no siblings, and `hash` equal to `root` (the leaf, for a Merkle tree of one).
pub fn verify_node(combiner: Combiner, root: &Hash, n: u32, node: Node, hash: &Hash, proof: &[Hash]) -> bool {
	recompute_root(combiner, n, node, hash, proof).is_some_and(|computed| computed == *root)
}

fn recompute_root(combiner: Combiner, n: u32, node: Node, hash: &Hash, proof: &[Hash]) -> Option<Hash> {
	let hashing = Hashing::new(combiner, n)?;
	let turns = path(node, n)?;
	if turns.len() != proof.len() {
		return None;
	}
	let start = hashing.finish(node, *hash);
	Some(turns.iter().rev().zip(proof).fold(start, |below, (turn, sibling)| match turn.sibling_is_left {
		true => hashing.parent(turn.parent, sibling, &below),
		false => hashing.parent(turn.parent, &below, sibling),
	}))
}

/// A tree with all its hashes, for cheap frontiers and proofs.
///
/// Level `k` holds, in order, the nodes that start at multiples of `2^k` and hold the next `2^k` leaves, or fewer at the
/// right edge; a node without a right neighbour rises to the next level unchanged, which gives the left-balanced shape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tree {
	n: u32,
	levels: Vec<Vec<Hash>>,
	root: Hash,
}

impl Tree {
	/// The tree over `leaves`. `None` for a BLAKE3 tree of fewer than two chunks or 2^32 leaves and more.
	pub fn build(combiner: Combiner, leaves: Vec<Hash>) -> Option<Self> {
		let n = u32::try_from(leaves.len()).ok()?;
		let hashing = Hashing::new(combiner, n)?;
		let mut levels = Vec::new();
		let mut below = leaves;
		while below.len() > 1 {
			let span = 1u64 << levels.len();
			let above = below
				.chunks(2)
				.enumerate()
				.map(|(i, children)| match children {
					[left, right] => {
						let start = i as u64 * 2 * span;
						let len = (2 * span).min(u64::from(n) - start);
						// Both fit: the node lies within `n` leaves.
						hashing.parent(Node { start: start as u32, len: len as u32 }, left, right)
					}
					rising => rising.first().copied().unwrap_or_default(),
				})
				.collect();
			levels.push(core::mem::replace(&mut below, above));
		}
		let root = match (below.first(), &hashing.key) {
			(Some(top), _) => hashing.finish(Node::whole(n), *top),
			(None, Some(key)) => hashing.merkle_root(key, &[]),
			(None, None) => return None,
		};
		levels.push(below);
		Some(Self { n, levels, root })
	}

	/// Number of leaves.
	pub fn n(&self) -> u32 {
		self.n
	}

	/// The root.
	pub fn root(&self) -> Hash {
		self.root
	}

	/// The leaves, in order.
	pub fn leaves(&self) -> &[Hash] {
		self.levels.first().map_or(&[], |leaves| leaves)
	}

	/// The hash of a node: the root for the whole tree of more than one leaf, the leaf itself for a leaf. `None` if the
	/// tree has no such node.
	pub fn node(&self, node: Node) -> Option<Hash> {
		if !node.is_in(self.n) {
			return None;
		}
		// The lowest level whose nodes can hold `len` leaves.
		let level = node.len.checked_sub(1)?.checked_ilog2().map_or(0, |log2| log2 + 1);
		let index = u64::from(node.start) >> level;
		self.levels.get(level as usize)?.get(usize::try_from(index).ok()?).copied()
	}

	/// The hashes of the [`frontier`] of `node`. `None` if the tree has no such node.
	pub fn frontier(&self, node: Node) -> Option<Vec<Hash>> {
		if !node.is_in(self.n) {
			return None;
		}
		frontier(node, self.n).into_iter().map(|node| self.node(node)).collect()
	}

	/// The sibling hashes from `node` up to the top, for [`verify_node`]. `None` if the tree has no such node.
	pub fn prove(&self, node: Node) -> Option<Vec<Hash>> {
		path(node, self.n)?.iter().rev().map(|turn| self.node(turn.sibling)).collect()
	}
}
