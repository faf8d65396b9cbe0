//! IEEE-754 binary32 arithmetic on integers.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(clippy::float_arithmetic)]

mod binary32;
pub mod functions;
mod real;

pub use binary32::F32;
pub use real::Real;
