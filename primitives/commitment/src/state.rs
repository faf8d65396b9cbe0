//! The state root: everything the next step depends on.
//!
//! Leaf 0 is the meta data, then one leaf per parameter and state tensor in tensor-id order.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
	domains::Domain,
	layout::DType,
	tree::{verify_node, Combiner, Node, Tree},
	Hash,
};

const STATE: Combiner = Combiner::Merkle(Domain::State);
/// First byte of a meta leaf, which tells it from a tensor leaf.
const META: u8 = 0;
/// First byte of a tensor leaf.
const TENSOR: u8 = 1;

/// Where a run stands.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct StateMeta {
	/// Steps done.
	pub step: u64,
	/// Data cursor: batch elements consumed, which is steps times batch size.
	pub cursor: u64,
	/// Counter of the random generator: steps done.
	pub rng: u64,
}

impl StateMeta {
	/// The meta data after `step` steps of `batch` elements. `None` if the cursor leaves 64 bits.
	pub fn after(step: u64, batch: u32) -> Option<Self> {
		Some(Self { step, cursor: step.checked_mul(u64::from(batch))?, rng: step })
	}

	/// Leaf 0 of the state tree.
	pub fn leaf(&self) -> Hash {
		Domain::State.leaf(&(META, self).encode())
	}
}

/// A parameter or state tensor as the state root commits to it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct StateLeaf {
	/// Name in the program, UTF-8 by custom; any bytes are hashed as they are.
	pub name: Vec<u8>,
	/// Type of the elements.
	pub dtype: DType,
	/// Rows, at least 1 in a valid program.
	pub rows: u32,
	/// Columns, at least 1 in a valid program.
	pub cols: u32,
	/// Root of the canonical bytes.
	pub root: Hash,
}

impl StateLeaf {
	/// Leaf of the state tree.
	pub fn leaf(&self) -> Hash {
		Domain::State.leaf(&(TENSOR, self).encode())
	}
}

/// The state root of `meta` and of all parameter and state tensors in tensor-id order.
pub fn state_root(meta: &StateMeta, tensors: &[StateLeaf]) -> Option<Hash> {
	StateTree::build(meta, tensors).map(|tree| tree.root())
}

/// The state tree, for proofs of the meta data and of tensors.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateTree(Tree);

impl StateTree {
	/// The tree over `meta` and the tensors in tensor-id order. `None` for 2^32 - 1 tensors and more.
	pub fn build(meta: &StateMeta, tensors: &[StateLeaf]) -> Option<Self> {
		let leaves = core::iter::once(meta.leaf()).chain(tensors.iter().map(StateLeaf::leaf)).collect();
		Tree::build(STATE, leaves).map(Self)
	}

	/// The state root.
	pub fn root(&self) -> Hash {
		self.0.root()
	}

	/// The leaves: the meta data's, then one for each tensor.
	pub fn leaves(&self) -> &[Hash] {
		self.0.leaves()
	}

	/// Number of tensors.
	pub fn tensors(&self) -> u32 {
		self.0.n().saturating_sub(1)
	}

	/// Proof of the meta data, for [`verify_meta`].
	pub fn prove_meta(&self) -> Option<Vec<Hash>> {
		self.0.prove(Node::leaf(0))
	}

	/// Proof of tensor `index` (0 is the first tensor), for [`verify_tensor`]. `None` if there is none.
	pub fn prove_tensor(&self, index: u32) -> Option<Vec<Hash>> {
		self.0.prove(Node::leaf(index.checked_add(1)?))
	}
}

/// Whether a state of `tensors` tensors with root `root` has the meta data `meta`.
pub fn verify_meta(root: &Hash, tensors: u32, meta: &StateMeta, proof: &[Hash]) -> bool {
	tensors.checked_add(1).is_some_and(|n| verify_node(STATE, root, n, Node::leaf(0), &meta.leaf(), proof))
}

/// Whether tensor `index` (0 is the first tensor) of a state of `tensors` tensors with root `root` is `leaf`.
pub fn verify_tensor(root: &Hash, tensors: u32, index: u32, leaf: &StateLeaf, proof: &[Hash]) -> bool {
	match (tensors.checked_add(1), index.checked_add(1)) {
		(Some(n), Some(position)) => verify_node(STATE, root, n, Node::leaf(position), &leaf.leaf(), proof),
		_ => false,
	}
}
