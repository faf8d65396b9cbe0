//! Milestones: the worker's commitment to the ends of consecutive segments, and its openings.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
	boundary::boundary,
	domains::Domain,
	tree::{verify_node, Combiner, Node, Tree},
	Hash,
};

const MILESTONE: Combiner = Combiner::Merkle(Domain::Milestone);

/// The segments of a milestone. Segment `s` ends at boundary `s + 1`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct SegmentRange {
	/// First segment, counted from 0 over the job.
	pub first: u32,
	/// Number of segments, at least 1.
	pub count: u32,
}

impl SegmentRange {
	/// Position in the milestone and boundary index of a segment's end. `None` if the segment is not in the milestone.
	pub fn end_of(&self, segment: u32) -> Option<(u32, u32)> {
		let position = segment.checked_sub(self.first)?;
		let index = segment.checked_add(1)?;
		(position < self.count).then_some((position, index))
	}
}

/// The boundaries of one milestone, `b_{first+1}` to `b_{first+count}`, with proofs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MilestoneTree(Tree);

impl MilestoneTree {
	/// The tree over the boundaries in order. `None` if there are none, or 2^32 and more.
	pub fn build(boundaries: Vec<Hash>) -> Option<Self> {
		if boundaries.is_empty() {
			return None;
		}
		Tree::build(MILESTONE, boundaries).map(Self)
	}

	/// The milestone root, which goes on chain.
	pub fn root(&self) -> Hash {
		self.0.root()
	}

	/// Opens the end of `segment`. `None` if it is not in the milestone; salt and root are taken as given.
	pub fn open(&self, range: SegmentRange, segment: u32, salt: Hash, state_root: Hash) -> Option<BoundaryOpening> {
		let (position, _) = range.end_of(segment)?;
		Some(BoundaryOpening { segment, salt, state_root, proof: self.0.prove(Node::leaf(position))? })
	}
}

/// The state root at the end of a segment and the proof that the worker committed to it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct BoundaryOpening {
	/// The segment that ends here, counted from 0 over the job.
	pub segment: u32,
	/// The salt of the boundary.
	pub salt: Hash,
	/// State root at the end of the segment.
	pub state_root: Hash,
	/// Sibling hashes from the boundary up to the milestone root.
	pub proof: Vec<Hash>,
}

impl BoundaryOpening {
	/// Whether the milestone `range` of `job` with root `root` commits to this state root.
	pub fn verify(&self, root: &Hash, job: u64, range: SegmentRange) -> bool {
		range.end_of(self.segment).is_some_and(|(position, index)| {
			let leaf = boundary(&self.salt, job, index, &self.state_root);
			verify_node(MILESTONE, root, range.count, Node::leaf(position), &leaf, &self.proof)
		})
	}
}
