//! What Assay commits to, and how a part of it is opened.
//!
//! | Module | Commitment |
//! |---|---|
//! | [`layout`] | canonical bytes of a tensor: tiles, runs and 1 KiB chunks |
//! | [`tree`] | the left-balanced tree: frontiers, proofs, two ways to combine |
//! | [`opening`] | tensor root and openings of chunks |
//! | [`state`] | state root over meta data and tensors |
//! | [`mod@boundary`] | salted state root at a segment end |
//! | [`milestone`] | root over the boundaries of a milestone, and their openings |
//! | [`blind`] | a verifier's hidden answer |
//! | [`accumulator`] | partial result between two links of a micro-op chain |
//! | [`domains`] | hash domains |
//!
//! No function panics or allocates beyond the size of its arguments, whatever they hold.
//!
//! # Example
//!
//! A worker holds a `[40, 50]` tensor and proves one element of it to someone who knows only the tensor root.
//!
//! ```
//! use assay_commitment::*;
//!
//! let layout = Layout::new(DType::F32, 40, 50)?;
//! let elements: Vec<u32> = (0..40 * 50).collect();
//! let bytes = layout.to_canonical(&elements)?;
//! assert_eq!(bytes.len(), 2 * 2 * 4096);
//!
//! let tree = TensorTree::build(&bytes).ok_or("whole chunks")?;
//! assert_eq!(tree.root(), tensor_root(&bytes));
//!
//! let (chunk, slot) = layout.slot_of(33, 7).ok_or("inside the shape")?;
//! let opening = tree.open(&bytes, chunk, 0).ok_or("inside the tensor")?;
//!
//! opening.verify(&tree.root(), layout.chunks())?;
//! let at = slot as usize * 4;
//! assert_eq!(opening.bytes[at..at + 4], (33u32 * 50 + 7).to_le_bytes());
//!
//! let mut forged = opening.clone();
//! forged.bytes[at] ^= 1;
//! assert_eq!(forged.verify(&tree.root(), layout.chunks()), Err(OpeningError::WrongRoot));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The worker folds the tensor into a state root, salts it and commits to it in a milestone; later it opens the salt.
//!
//! ```
//! use assay_commitment::*;
//!
//! let w = StateLeaf { name: b"w".to_vec(), dtype: DType::F32, rows: 40, cols: 50, root: [7; 32] };
//! let state = state_root(&StateMeta::after(10, 64).ok_or("in range")?, &[w]).ok_or("few tensors")?;
//!
//! let (job, range) = (5, SegmentRange { first: 0, count: 1 });
//! let salt = derive_salt(&[1; 32], job, 1);
//! let milestone = MilestoneTree::build(vec![boundary(&salt, job, 1, &state)]).ok_or("one segment")?;
//!
//! let opening = milestone.open(range, 0, salt, state).ok_or("in the milestone")?;
//! assert!(opening.verify(&milestone.root(), job, range));
//! assert!(!opening.verify(&milestone.root(), job + 1, range));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod accumulator;
pub mod blind;
pub mod boundary;
pub mod domains;
pub mod layout;
pub mod milestone;
pub mod opening;
pub mod state;
pub mod tree;

pub use accumulator::accumulator_hash;
pub use blind::BlindAnswer;
pub use boundary::{boundary, derive_salt};
pub use domains::Domain;
pub use layout::{DType, Layout, LayoutError, Region, CHUNK_BYTES};
pub use milestone::{BoundaryOpening, MilestoneTree, SegmentRange};
pub use opening::{chunk_cv, tensor_root, ChunkOpening, OpeningError, TensorTree};
pub use state::{state_root, verify_meta, verify_tensor, StateLeaf, StateMeta, StateTree};
pub use tree::{combine_frontier, frontier, prove, verify_node, Combiner, Node, Tree};

/// A 32-byte hash.
pub type Hash = [u8; 32];
