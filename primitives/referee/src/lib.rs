//! The judge: executes one micro-operation with integer arithmetic, over opened inputs, and rules.
//!
//! | Module | Content |
//! |---|---|
//! | [`execute`] | runs a micro-op over the bytes of its opened chunks |
//! | [`evidence`] | what is claimed, and what proves or refutes it |
//! | [`judge`](mod@judge) | checks evidence and rules |
//! | [`build`] | makes evidence from whole tensors: the challenger's side |
//! | [`claimed_tree`] | proofs against a tree of which only parts were revealed |
//! | [`whole`] | whole ops, steps and initial states on row-major bits: the oracle of every backend |
//!
//! Nothing here panics or allocates beyond the size of its arguments and of one micro-op (or, in [`whole`] and
//! [`build`], which never run on chain, of the tensors involved). There is no float arithmetic.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(clippy::float_arithmetic)]

extern crate alloc;

pub mod build;
pub mod claimed_tree;
pub mod evidence;
pub mod execute;
pub mod judge;
mod message;
mod ops;
mod patch;
pub mod whole;

pub use build::{build_evidence, run_chain, BuildError, Chain, StepData};
pub use claimed_tree::ClaimedTree;
pub use evidence::{Change, Evidence, MicroClaim, MicroEvidence, Source, StateEvidence, Target, TensorEvidence};
pub use execute::{execute, Fault, MicroOutput};
pub use judge::{judge, EvidenceError, Refutation, Verdict};
pub use whole::{init_tensor, run_op, run_step, Input, RunError, StepRun, Values};
