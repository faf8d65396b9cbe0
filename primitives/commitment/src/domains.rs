//! Hash domains: every hash that is not the plain BLAKE3 of stored bytes names what it commits to.

use crate::Hash;

/// Tag of a hashed item, used as a leaf.
const LEAF: &[u8] = &[0];

/// What a domain-separated hash commits to. Hashes of two domains never collide (BLAKE3 key derivation).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Domain {
	/// Training state: meta data and the roots of all parameters and state tensors.
	State,
	/// The op outputs of one step.
	Trace,
	/// The boundaries of one milestone.
	Milestone,
	/// The ops of a program.
	ProgramOps,
	/// The tensor declarations of a program.
	ProgramTensors,
	/// The end-of-step assignments of a program.
	ProgramUpdates,
	/// A verifier's hidden answer.
	Blind,
	/// A salted state root at a segment end.
	Boundary,
	/// Partial result between two links of a micro-op chain.
	Accumulator,
	/// Randomness for drawing verifiers.
	Seed,
	/// A whole program: header, counts and the three roots.
	Program,
}

impl Domain {
	/// The BLAKE3 key-derivation context of the domain.
	pub const fn context(self) -> &'static str {
		match self {
			Domain::State => "assay/v1/state",
			Domain::Trace => "assay/v1/trace",
			Domain::Milestone => "assay/v1/milestone",
			Domain::ProgramOps => "assay/v1/program-ops",
			Domain::ProgramTensors => "assay/v1/program-tensors",
			Domain::ProgramUpdates => "assay/v1/program-updates",
			Domain::Blind => "assay/v1/blind",
			Domain::Boundary => "assay/v1/boundary",
			Domain::Accumulator => "assay/v1/accumulator",
			Domain::Seed => "assay/v1/seed",
			Domain::Program => "assay/v1/program",
		}
	}

	/// Hash of the concatenated parts: `derive_key(context, parts...)`. The parts carry no length prefix, so the caller
	/// joins at most one part of variable length, and puts it last.
	pub fn hash(self, parts: &[&[u8]]) -> Hash {
		let mut hasher = blake3::Hasher::new_derive_key(self.context());
		for part in parts {
			hasher.update(part);
		}
		*hasher.finalize().as_bytes()
	}

	/// Leaf of an item that is not already a 32-byte hash: `derive_key(context, 0x00 || item)`.
	pub fn leaf(self, item: &[u8]) -> Hash {
		self.hash(&[LEAF, item])
	}
}
