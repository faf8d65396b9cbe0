//! IEEE-754 binary32 arithmetic on integers.
//!
//! Assay settles a dispute by executing one micro-operation and comparing bits with what a provider committed to. That
//! execution happens where float instructions are not allowed to exist (the runtime) and must return exactly what a
//! provider's hardware returned. This crate is the arithmetic of that judge, and the definition of the functions that no
//! standard fixes.
//!
//! # Contract
//!
//! - [`F32`] is a bit pattern. Its operations are those of IEEE-754 binary32: round to nearest, ties to even, subnormals
//!   kept as inputs and results, signed zeros, infinities. There is no state, no flag, no other rounding mode.
//! - An operation that returns a NaN returns `0x7fc00000`. Hardware may differ in the payload and sign of a NaN and in
//!   nothing else.
//! - Nothing is contracted or reassociated: [`F32::fma`] rounds once, a [`F32::mul`] followed by an [`F32::add`] rounds
//!   twice, and which of them happens is the caller's decision.
//! - [`F32::min`] and [`F32::max`] are ours: the first operand when both compare equal, NaN when either is NaN.
//! - [`Real`] is the same contract as a trait. Code generic over it, as [`functions`] is, returns the same bits on
//!   [`F32`] and on a newtype over hardware `f32`.
//! - [`functions`] holds exp, log, tanh, sigmoid, erf, sin, cos and rsqrt as fixed sequences of these operations, within
//!   2 ulp everywhere. The sequences are the definition; a backend reproduces them operation by operation. sin and cos
//!   are NaN beyond `±2^22`.
//! - No operation panics, allocates, or takes longer than a bounded number of steps, whatever the bits.
//!
//! # Example
//!
//! ```
//! use assay_softfloat::{functions, F32, Real};
//!
//! // A dot product as one chain of fused operations from +0, in ascending order.
//! fn dot<R: Real>(x: &[R], y: &[R]) -> R {
//!     x.iter().zip(y).fold(R::from_bits(0), |sum, (x, y)| x.fma(*y, sum))
//! }
//!
//! let x = [1.5f32, -2.25, 0.1].map(|value| F32(value.to_bits()));
//! let y = [4.0f32, 0.3, 1e-8].map(|value| F32(value.to_bits()));
//! let sum = dot(&x, &y);
//!
//! // The same chain on the machine gives the same bits.
//! let machine = 0.1f32.mul_add(1e-8, (-2.25f32).mul_add(0.3, 1.5f32.mul_add(4.0, 0.0)));
//! assert_eq!(sum.0, machine.to_bits());
//!
//! // One softmax weight: exp of a difference. Comparison with IEEE meaning, equality of bits with `==`.
//! let weight = functions::exp(sum.sub(F32::from_i32(6)));
//! assert!(weight.lt(F32::ONE));
//! assert_eq!(functions::exp(F32::ZERO), F32::ONE);
//!
//! // Conversion to an integer clamps, then rounds ties to even.
//! assert_eq!(F32(2.5f32.to_bits()).to_i32_clamped(), 2);
//! assert_eq!(F32(1e20f32.to_bits()).to_i32_clamped(), i32::MAX);
//! assert_eq!(F32::NAN.to_i32_clamped(), 0);
//! ```
//!
//! # Hardware backend
//!
//! Implement [`Real`] for a newtype over `f32`, inline always, and call the generic code inside a function that enables
//! the fma instruction (`#[target_feature(enable = "avx2,fma")]`); without it `f32::mul_add` is a library call. Compare
//! outputs after [`Real::canonical`] where a NaN may occur.
//!
//! # Evidence
//!
//! - `cargo test -p assay-softfloat`: every operation against the machine on all pairs (triples for fma) of special
//!   values and on millions of random cases that favour cancellation, subnormal results and ties; the functions on
//!   every 4,099th input and on random ones; what they are measured against, at values known to many digits.
//! - `cargo run --release -p assay-softfloat --example hardware_check -- --cases 100000000 --sqrt-sweep`: the same at
//!   release scale, and every input of sqrt and of the conversions.
//! - `cargo run --release -p assay-softfloat --example function_sweep`: every input of every function.
//! - `cargo run --release -p assay-softfloat --example softfloat_bench`: time per operation.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(clippy::float_arithmetic)]

mod binary32;
pub mod functions;
mod real;

pub use binary32::F32;
pub use real::Real;
