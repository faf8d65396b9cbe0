//! The job program: what a job computes, as data.
//!
//! A [`Program`] is a typed graph of operations over matrices with static shapes. One *step* executes every op once,
//! in order; at the end of the step each [`Update`] assigns an op's output to a parameter or state tensor. A job is
//! `header.steps` steps. No code of a client is ever executed: the ops are a closed enum that the chain knows whole.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod types;

pub use types::{
	Axis, BinaryKind, DType, Header, Init, Lane, Op, OpKind, Operand, Program, Reduction, Role, TensorDecl, TensorId,
	UnaryKind, Update,
};
