//! The functions that no standard fixes, as fixed sequences of [`Real`] operations.
//!
//! The sequence *is* the definition: every backend that performs these operations in this order returns these bits. There
//! is no branch on data, only selects, so a loop over slices of a hardware `Real` vectorises. NaN in gives the canonical
//! NaN out.
//!
//! Polynomials: weighted minimax (Remez exchange at 40 decimal digits, weight chosen so that the error is relative to the
//! function), then rounded to binary32 one coefficient at a time from the lowest power, refitting those above. Below,
//! `2^-n` is the relative error of the rounded polynomial in exact arithmetic. Coefficients are listed from the highest
//! power, in the order Horner's scheme uses them.
//!
//! Largest errors over all 2^32 inputs, in units of the last place of the exact result (2^-149 below the normal range),
//! measured with `examples/function_sweep.rs` against binary64, sin and cos up to their bound of `±2^22`, beyond which they
//! are NaN; the digest covers every (input, output) pair:
//!
//! | function | error, ulp | worst input | digest |
//! |---|---|---|---|
//! | [`exp`] | 0.8913 | `c0bb2813` | `5d9a6459c2443caa` |
//! | [`log`] | 0.9229 | `3f34d8a6` | `16fdd5bf404161e5` |
//! | [`tanh`] | 1.5057 | `3f101fb8` | `bd7aaa37c589952c` |
//! | [`sigmoid`] | 1.4797 | `c09b1629` | `9abb1776c374d526` |
//! | [`erf`] | 1.0483 | `3f87fffc` | `c3a66b76a9166bc8` |
//! | [`sin`] | 1.4018 | `4a6092fd` | `4f7f49898af6e411` |
//! | [`cos`] | 1.3559 | `4a70660c` | `9ec4c1c0dd9eea94` |
//! | [`rsqrt`] | 1.4903 | `0080cab3` | `d6cf589edea53336` |

mod erf;
mod exp_log;
mod integer;
mod root;
mod tanh;
mod trig;

pub use erf::erf;
pub use exp_log::{exp, log};
pub use integer::{dequantise, gumbel, quantise};
pub use root::rsqrt;
pub use tanh::{sigmoid, tanh};
pub use trig::{cos, sin};

use crate::Real;

const ONE: u32 = 0x3f80_0000;
const INFINITY: u32 = 0x7f80_0000;
const NEG_INFINITY: u32 = 0xff80_0000;
const NAN: u32 = 0x7fc0_0000;
const SIGN: u32 = 0x8000_0000;

#[inline(always)]
fn constant<R: Real>(bits: u32) -> R {
	R::from_bits(bits)
}

/// Horner's scheme, highest power first, one fma per step.
#[inline(always)]
fn polynomial<R: Real, const N: usize>(x: R, coefficients: [u32; N]) -> R {
	let mut sum = constant::<R>(coefficients[0]);
	for &coefficient in &coefficients[1..] {
		sum = sum.fma(x, constant(coefficient));
	}
	sum
}
