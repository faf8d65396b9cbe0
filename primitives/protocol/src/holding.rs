//! Proof that a worker holds a state: one chunk of one tensor, both drawn when the worker is challenged.
//!
//! An on-chain challenge for an unserved pre-state is answered with the boundary opening, which fixes the state root, and
//! with this. Whoever has only hashes cannot give it.

use crate::{BlockNumber, Hash, SegmentIndex};
use alloc::vec::Vec;
use assay_commitment::{verify_tensor, ChunkOpening, Domain, Layout, StateLeaf};
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// The drawn chunk of the drawn tensor of a state.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Holding {
	/// The tensor at [`drawn_tensor`].
	pub leaf: StateLeaf,
	/// Sibling hashes from the tensor up to the state root.
	pub proof: Vec<Hash>,
	/// Exactly the chunk at [`drawn_chunk`].
	pub chunk: ChunkOpening,
}

/// Seed of a challenge that must be answered by block `until`. Who commits cannot know when it will be challenged.
pub fn seed(milestone_root: &Hash, segment: SegmentIndex, tranche: u32, until: BlockNumber) -> Hash {
	Domain::Seed.hash(&[b"holding", milestone_root, &(segment, tranche, until).encode()])
}

/// Position of the tensor to open, among `tensors` of them. `None` for a state without tensors.
pub fn drawn_tensor(seed: &Hash, tensors: u32) -> Option<u32> {
	draw(seed, b"tensor", tensors)
}

/// The chunk to open, of a tensor of `chunks` chunks.
pub fn drawn_chunk(seed: &Hash, chunks: u32) -> Option<u32> {
	draw(seed, b"chunk", chunks)
}

fn draw(seed: &Hash, what: &[u8], n: u32) -> Option<u32> {
	let hash = Domain::Seed.hash(&[seed, what]);
	let (head, _) = hash.split_first_chunk::<8>()?;
	// The bias of a remainder of 64 bits by at most 32 is below 2^-32. It fits: a remainder is below `n`.
	u64::from_le_bytes(*head).checked_rem(u64::from(n)).map(|drawn| drawn as u32)
}

impl Holding {
	/// Whether this is the chunk that `seed` draws, of the state with root `state_root` and as many `tensors` as the program
	/// commits to.
	pub fn verify(&self, seed: &Hash, state_root: &Hash, tensors: u32) -> bool {
		let Some(index) = drawn_tensor(seed, tensors) else { return false };
		let Ok(layout) = Layout::new(self.leaf.dtype, self.leaf.rows, self.leaf.cols) else { return false };
		drawn_chunk(seed, layout.chunks()) == Some(self.chunk.start)
			&& self.chunk.log2 == 0
			&& verify_tensor(state_root, tensors, index, &self.leaf, &self.proof)
			&& self.chunk.verify(&self.leaf.root, layout.chunks()).is_ok()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use assay_commitment::{DType, StateMeta, StateTree, TensorTree};

	#[test]
	fn only_the_drawn_chunk_is_accepted() {
		let layout = Layout::new(DType::F32, 70, 40).expect("a shape");
		let tensors: Vec<(Vec<u8>, StateLeaf)> = (0..3u32)
			.map(|i| {
				let elements: Vec<u32> = (0..70 * 40).map(|x| x * 3 + i).collect();
				let bytes = layout.to_canonical(&elements).expect("elements of the shape");
				let root = assay_commitment::tensor_root(&bytes);
				(bytes, StateLeaf { name: alloc::vec![i as u8], dtype: DType::F32, rows: 70, cols: 40, root })
			})
			.collect();
		let leaves: Vec<StateLeaf> = tensors.iter().map(|(_, leaf)| leaf.clone()).collect();
		let state = StateTree::build(&StateMeta::default(), &leaves).expect("few tensors");
		let seed = seed(&[7; 32], 4, 1, 99);
		let index = drawn_tensor(&seed, 3).expect("tensors");
		let at = drawn_chunk(&seed, layout.chunks()).expect("chunks");
		let holding = |index: u32, chunk: u32| {
			let (bytes, leaf) = &tensors[index as usize];
			Holding {
				leaf: leaf.clone(),
				proof: state.prove_tensor(index).expect("in the state"),
				chunk: TensorTree::build(bytes).expect("chunks").open(bytes, chunk, 0).expect("in the tensor"),
			}
		};
		assert!(holding(index, at).verify(&seed, &state.root(), 3));
		assert!(!holding((index + 1) % 3, at).verify(&seed, &state.root(), 3));
		assert!(!holding(index, (at + 1) % layout.chunks()).verify(&seed, &state.root(), 3));
		let mut forged = holding(index, at);
		forged.chunk.bytes[0] ^= 1;
		assert!(!forged.verify(&seed, &state.root(), 3));
		assert!(!holding(index, at).verify(&seed, &state.root(), 4));
	}

	#[test]
	fn nothing_to_draw_from_is_refused() {
		assert_eq!(drawn_tensor(&[1; 32], 0), None);
		assert!((0..50u8).all(|i| drawn_chunk(&[i; 32], 3).is_some_and(|chunk| chunk < 3)));
	}
}
