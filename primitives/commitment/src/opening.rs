//! The root of a tensor, its tree and openings of chunks.

use alloc::vec::Vec;
use blake3::hazmat::HasherExt;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
	layout::CHUNK_BYTES,
	tree::{verify_node, Combiner, Node, Tree},
	Hash,
};

/// Largest `log2` of an opening: 4 chunks, which is a tile.
pub const MAX_OPENING_LOG2: u8 = 2;

/// Root of a tensor: the plain BLAKE3 hash of its canonical bytes.
pub fn tensor_root(bytes: &[u8]) -> Hash {
	*blake3::hash(bytes).as_bytes()
}

/// Chaining value of one chunk at `index`. `None` unless `bytes` is exactly one chunk.
pub fn chunk_cv(index: u32, bytes: &[u8]) -> Option<Hash> {
	(bytes.len() == CHUNK_BYTES).then(|| subtree_cv(index, bytes))
}

/// Chaining value of an aligned subtree. `bytes` is a power of two of whole chunks, and `start` a multiple of it.
fn subtree_cv(start: u32, bytes: &[u8]) -> Hash {
	let mut hasher = blake3::Hasher::new();
	hasher.set_input_offset(u64::from(start) * CHUNK_BYTES as u64);
	hasher.update(bytes).finalize_non_root()
}

/// The BLAKE3 tree of a tensor's canonical bytes. Takes 64 bytes per chunk and does not keep the tensor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TensorTree(Tree);

impl TensorTree {
	/// Hashes canonical bytes. `None` unless they are whole chunks, at least 2 and fewer than 2^32.
	pub fn build(bytes: &[u8]) -> Option<Self> {
		if !bytes.len().is_multiple_of(CHUNK_BYTES) || u32::try_from(bytes.len() / CHUNK_BYTES).is_err() {
			return None;
		}
		let leaves = bytes.chunks_exact(CHUNK_BYTES).zip(0u32..).map(|(chunk, i)| subtree_cv(i, chunk)).collect();
		Tree::build(Combiner::Blake3Cv, leaves).map(Self)
	}

	/// The tensor root.
	pub fn root(&self) -> Hash {
		self.0.root()
	}

	/// Number of chunks.
	pub fn chunks(&self) -> u32 {
		self.0.n()
	}

	/// The tree, for frontiers, nodes and proofs.
	pub fn tree(&self) -> &Tree {
		&self.0
	}

	/// Opens the `2^log2` chunks from `start` of the bytes that the tree was built from. `None` if `log2` is above 2,
	/// `start` is not a multiple of `2^log2`, or the range ends outside `bytes` or the tree.
	pub fn open(&self, bytes: &[u8], start: u32, log2: u8) -> Option<ChunkOpening> {
		let node = aligned_node(start, log2, self.chunks()).ok()?;
		let from = usize::try_from(start).ok()?.checked_mul(CHUNK_BYTES)?;
		let bytes = bytes.get(from..from.checked_add(CHUNK_BYTES << log2)?)?.to_vec();
		Some(ChunkOpening { start, log2, bytes, proof: self.0.prove(node)? })
	}
}

/// The bytes of 1, 2 or 4 aligned chunks of a tensor and the proof that they are in it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ChunkOpening {
	/// First chunk, a multiple of `2^log2`.
	pub start: u32,
	/// Logarithm of the number of chunks, 0 to 2.
	pub log2: u8,
	/// The chunks' bytes, 1024 each.
	pub bytes: Vec<u8>,
	/// Sibling chaining values from the opened subtree up to the root.
	pub proof: Vec<Hash>,
}

/// Why an opening is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum OpeningError {
	/// `log2` is above 2: open 1, 2 or 4 chunks.
	TooWide,
	/// `start` is not a multiple of the number of opened chunks.
	Unaligned,
	/// The opened range ends outside the tensor.
	OutOfRange,
	/// The bytes are not 1024 for each opened chunk.
	Length,
	/// Bytes and proof do not lead to the root.
	WrongRoot,
}

impl core::fmt::Display for OpeningError {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str(match self {
			OpeningError::TooWide => "an opening holds 1, 2 or 4 chunks; set log2 to 0, 1 or 2",
			OpeningError::Unaligned => "the first chunk must be a multiple of the number of opened chunks",
			OpeningError::OutOfRange => "the opened chunks are outside the tensor",
			OpeningError::Length => "the opening must carry 1024 bytes for each chunk",
			OpeningError::WrongRoot => "bytes and proof do not lead to the tensor root; open the committed tensor",
		})
	}
}

impl core::error::Error for OpeningError {}

impl ChunkOpening {
	/// Checks the opening against the root of a tensor of `n_chunks` chunks. At most 4 KiB and 32 siblings are hashed.
	pub fn verify(&self, root: &Hash, n_chunks: u32) -> Result<(), OpeningError> {
		let node = aligned_node(self.start, self.log2, n_chunks)?;
		if self.bytes.len() != CHUNK_BYTES << self.log2 {
			return Err(OpeningError::Length);
		}
		let hash =
			if node == Node::whole(n_chunks) { tensor_root(&self.bytes) } else { subtree_cv(self.start, &self.bytes) };
		if verify_node(Combiner::Blake3Cv, root, n_chunks, node, &hash, &self.proof) {
			Ok(())
		} else {
			Err(OpeningError::WrongRoot)
		}
	}

	/// The bytes of chunk `chunk` of the tensor. `None` if it is not in the opening.
	pub fn chunk(&self, chunk: u32) -> Option<&[u8]> {
		let from = usize::try_from(chunk.checked_sub(self.start)?).ok()?.checked_mul(CHUNK_BYTES)?;
		self.bytes.get(from..from.checked_add(CHUNK_BYTES)?)
	}
}

/// The node of `2^log2` chunks from `start`. Aligned ranges within the tree are nodes of it.
fn aligned_node(start: u32, log2: u8, n_chunks: u32) -> Result<Node, OpeningError> {
	if log2 > MAX_OPENING_LOG2 {
		return Err(OpeningError::TooWide);
	}
	let len = 1u32 << log2;
	if !start.is_multiple_of(len) {
		return Err(OpeningError::Unaligned);
	}
	match start.checked_add(len) {
		Some(end) if end <= n_chunks => Ok(Node { start, len }),
		_ => Err(OpeningError::OutOfRange),
	}
}
