//! Proofs against a tree of which the challenger saw only what the defender revealed.
//!
//! A challenger descends to the first leaf that differs. Left of it, all leaves are its own; at every level on the way,
//! the defender revealed the frontier. Together these are enough to prove any leaf left of the first difference against
//! the defender's root.

use alloc::{collections::BTreeMap, vec::Vec};
use assay_commitment::{combine_frontier, frontier, tree, Combiner, Hash, Node, Tree};

/// The defender's tree, as far as it is known.
#[derive(Clone, Debug)]
pub struct ClaimedTree {
	combiner: Combiner,
	n: u32,
	root: Hash,
	/// The challenger's own tree of the same shape.
	own: Tree,
	/// Leaves below this index are the defender's too.
	agreed: u32,
	/// Hashes of nodes by (start, len), each part of a frontier that recombined.
	revealed: BTreeMap<(u32, u32), Hash>,
}

impl ClaimedTree {
	/// A tree with the defender's `root` and the challenger's own leaves, of which none is agreed on yet. `None` if
	/// there is no such tree.
	pub fn new(combiner: Combiner, root: Hash, own: Vec<Hash>) -> Option<ClaimedTree> {
		let own = Tree::build(combiner, own)?;
		let n = own.n();
		let revealed = BTreeMap::from([((0, n), root)]);
		Some(ClaimedTree { combiner, n, root, own, agreed: 0, revealed })
	}

	/// The defender's root.
	pub fn root(&self) -> Hash {
		self.root
	}

	/// Takes in a frontier. False, and nothing changes, if `node` is not known yet or the hashes do not recombine to it.
	pub fn reveal(&mut self, node: Node, hashes: &[Hash]) -> bool {
		let known = self.revealed.get(&(node.start, node.len));
		if known.is_none() || combine_frontier(self.combiner, node, self.n, hashes).as_ref() != known {
			return false;
		}
		for (child, hash) in frontier(node, self.n).into_iter().zip(hashes) {
			self.revealed.entry((child.start, child.len)).or_insert(*hash);
		}
		true
	}

	/// The first node of the frontier of `node` whose revealed hash differs from the challenger's own; all leaves before
	/// it are agreed on from now on. `None` if all revealed ones are equal or the frontier is not revealed.
	pub fn first_difference(&mut self, node: Node) -> Option<Node> {
		let different = frontier(node, self.n)
			.into_iter()
			.find(|child| self.revealed.get(&(child.start, child.len)).copied() != self.own_hash(*child))?;
		self.revealed.contains_key(&(different.start, different.len)).then_some(())?;
		self.agreed = self.agreed.max(different.start);
		Some(different)
	}

	/// Leaves below this index are equal on both sides.
	pub fn agreed(&self) -> u32 {
		self.agreed
	}

	/// The defender's hash of a leaf, if known.
	pub fn leaf(&self, index: u32) -> Option<Hash> {
		self.hash(Node::leaf(index))
	}

	/// Proof of a leaf against the defender's root. `None` if a sibling on the way is not known.
	pub fn prove(&self, index: u32) -> Option<Vec<Hash>> {
		let target = Node::leaf(index);
		if !target.is_in(self.n) {
			return None;
		}
		let mut proof = Vec::new();
		let mut at = Node::whole(self.n);
		while at != target {
			let (left, right) = at.children()?;
			let (next, sibling) = if index >= right.start { (right, left) } else { (left, right) };
			proof.push(self.hash(sibling)?);
			at = next;
		}
		proof.reverse();
		Some(proof)
	}

	/// The defender's hash of a node: revealed, agreed on, or from its children.
	fn hash(&self, node: Node) -> Option<Hash> {
		if let Some(hash) = self.revealed.get(&(node.start, node.len)) {
			return Some(*hash);
		}
		if node.start.checked_add(node.len)? <= self.agreed {
			return self.own_hash(node);
		}
		let (left, right) = node.children()?;
		tree::combine_children(self.combiner, node, self.n, &self.hash(left)?, &self.hash(right)?)
	}

	fn own_hash(&self, node: Node) -> Option<Hash> {
		self.own.node(node)
	}
}
