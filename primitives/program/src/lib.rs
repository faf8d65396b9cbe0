//! The job program: what a job computes, as data.
//!
//! A [`Program`] is a typed graph of operations over matrices with static shapes. One *step* executes every op once,
//! in order; at the end of the step each [`Update`] assigns an op's output to a parameter or state tensor. A job is
//! `header.steps` steps. No code of a client is ever executed: the ops are a closed enum that the chain knows whole.
//!
//! | Module | Content |
//! |---|---|
//! | [`types`] | the op graph |
//! | [`shape`] | what each op takes and gives |
//! | [`validate`] | the rules a program must keep, and bounded decoding |
//! | [`cost`] | operations, bytes and memory |
//! | [`refine`] | micro-ops: how an output splits into what the referee executes |
//! | [`commitment`] | the program root and openings |
//! | [`window`] | windows that slide over images |
//! | [`philox`] | initial values, batches, dropout and sampling noise |
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(clippy::float_arithmetic)]

extern crate alloc;

pub mod commitment;
pub mod cost;
mod message;
pub mod philox;
mod rearrange;
pub mod refine;
pub mod shape;
pub mod types;
pub mod validate;
pub mod window;

pub use commitment::{OpOpening, Opened, ProgramCommitment, ProgramOpeningError, ProgramTrees};
pub use refine::{GeometryError, InputChunk, InputRegion, OpGeometry, StepContext};
pub use shape::{OperandSpec, ShapeError, TensorSpec};
pub use types::{
	Axis, BinaryKind, DType, Header, Init, Lane, Op, OpKind, Operand, Program, Reduction, Role, TensorDecl, TensorId,
	UnaryKind, Update,
};
pub use validate::{decode_program, DecodeError, Limits, ProgramError};
pub use window::Window;
