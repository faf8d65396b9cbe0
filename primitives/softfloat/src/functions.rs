//! exp, log, tanh and sigmoid as fixed sequences of [`Real`] operations.
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
//! measured with `examples/function_sweep.rs` against binary64; the digest covers every (input, output) pair:
//!
//! | function | error, ulp | worst input | digest |
//! |---|---|---|---|
//! | [`exp`] | 0.8913 | `c0bb2813` | `5d9a6459c2443caa` |
//! | [`log`] | 0.9229 | `3f34d8a6` | `16fdd5bf404161e5` |
//! | [`tanh`] | 1.5057 | `3f101fb8` | `bd7aaa37c589952c` |
//! | [`sigmoid`] | 1.4797 | `c09b1629` | `9abb1776c374d526` |

use crate::Real;

const ONE: u32 = 0x3f80_0000;
const TWO: u32 = 0x4000_0000;
const INFINITY: u32 = 0x7f80_0000;
const NEG_INFINITY: u32 = 0xff80_0000;
const NAN: u32 = 0x7fc0_0000;
const SIGN: u32 = 0x8000_0000;

/// `1 / ln 2`.
const LOG2_E: u32 = 0x3fb8_aa3b;
/// `ln 2` to 24 bits, and the remainder.
const LN2_HIGH: u32 = 0x3f31_7218;
const LN2_LOW: u32 = 0xb102_e308;

/// `(e^r - 1 - r) / r^2` on `|r| <= 0.347`; `e^r` to 2^-28.2.
const EXP: [u32; 5] = [0x3ab5_5b5e, 0x3c09_1eae, 0x3d2a_ac2d, 0x3e2a_aa46, 0x3eff_fffe];

/// `(log(1 + f) - f + f^2 / 2) / f^3` on `[sqrt(1/2) - 1, sqrt(2) - 1]`; `log` to 2^-27.3.
const LOG: [u32; 8] =
	[0xbd9c_929e, 0x3e02_c55e, 0xbe06_c3e8, 0x3e11_6a2b, 0xbe2a_38bc, 0x3e4c_d01e, 0xbe80_0115, 0x3eaa_aaaa];

/// `(tanh(x) - x) / x^3` as a polynomial in `x^2` on `|x| <= 0.5625`; `tanh` to 2^-29.4.
const TANH: [u32; 5] = [0xbbca_2a79, 0x3cac_08fb, 0xbd5c_82e2, 0x3e08_862f, 0xbeaa_aaa4];

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

/// `e^x`. Overflows to `+inf`; subnormal results are rounded from the 24-bit one; below about -103.97 it is `+0`.
///
/// `x = k ln 2 + r`, `e^x = 2^k e^r`; the scaling takes two steps because `2^k` may leave the normal range either way.
#[inline(always)]
pub fn exp<R: Real>(x: R) -> R {
	// e^89 overflows and e^-104 is less than half of the smallest subnormal: beyond them nothing changes.
	let upper = constant::<R>(0x42b2_0000);
	let lower = constant::<R>(0xc2d0_0000);
	let clamped = R::select(upper.lt(x), upper, x);
	let clamped = R::select(clamped.lt(lower), lower, clamped);

	let k = clamped.mul(constant(LOG2_E)).round_to_i32();
	let minus_k = R::from_small_i32(k).neg();
	let r = minus_k.fma(constant(LN2_LOW), minus_k.fma(constant(LN2_HIGH), clamped));

	let quotient = polynomial(r, EXP).fma(r, constant(ONE));
	let power = quotient.fma(r, constant(ONE));

	let first = k >> 1;
	let second = k.wrapping_sub(first);
	let scaled = power.mul(R::power_of_two(first)).mul(R::power_of_two(second));
	R::select(x.is_nan(), constant(NAN), scaled)
}

/// Natural logarithm. Zero of either sign gives `-inf`, other negative numbers NaN, `+inf` gives `+inf`.
///
/// `x = 2^k (1 + f)` with `1 + f` in `[sqrt(1/2), sqrt(2))`, so that `f` is exact and `k = 0` near one.
#[inline(always)]
pub fn log<R: Real>(x: R) -> R {
	const SQRT_HALF: u32 = 0x3f35_04f3;
	let subnormal = x.lt(constant(0x0080_0000));
	let scaled = R::select(subnormal, x.mul(R::power_of_two(23)), x);
	let distance = scaled.to_bits().wrapping_sub(SQRT_HALF);
	let k = ((distance as i32) >> 23) - if subnormal { 23 } else { 0 };
	let significand = R::from_bits((distance & 0x007f_ffff) + SQRT_HALF);
	let f = significand.sub(constant(ONE));

	let tail = polynomial(f, LOG).fma(f, constant(0xbf00_0000)).mul(f.mul(f));
	let k = R::from_small_i32(k);
	let small = f.add(k.fma(constant(LN2_LOW), tail));
	let result = k.fma(constant(LN2_HIGH), small);

	let zero = constant::<R>(0);
	let result = R::select(x.eq(constant(INFINITY)), x, result);
	let result = R::select(x.eq(zero), constant(NEG_INFINITY), result);
	R::select(x.lt(zero) | x.is_nan(), constant(NAN), result)
}

/// Hyperbolic tangent. Odd, keeps the sign of zero, and is exactly `±1` from about 9.01 on.
///
/// An odd polynomial below 0.5625, `1 - 2 / (e^(2|x|) + 1)` from there.
#[inline(always)]
pub fn tanh<R: Real>(x: R) -> R {
	let sign = x.to_bits() & SIGN;
	let magnitude = x.abs();

	let square = magnitude.mul(magnitude);
	let near = polynomial(square, TANH).fma(magnitude.mul(square), magnitude);

	let one = constant::<R>(ONE);
	let two = constant::<R>(TWO);
	let far = one.sub(two.div(exp(magnitude.add(magnitude)).add(one)));

	let result = R::select(magnitude.lt(constant(0x3f10_0000)), near, far);
	let signed = R::from_bits(result.to_bits() | sign);
	R::select(x.is_nan(), constant(NAN), signed)
}

/// `1 / (1 + e^-x)`, computed from `e^-|x|` so that neither tail overflows.
///
/// The quotient is corrected once by its remainder, which includes what rounding cut off the denominator.
#[inline(always)]
pub fn sigmoid<R: Real>(x: R) -> R {
	let one = constant::<R>(ONE);
	let power = exp(x.abs().neg());
	let numerator = R::select(x.lt(constant(0)), power, one);

	let denominator = power.add(one);
	let cut_off = one.sub(denominator).add(power);
	let reciprocal = one.div(denominator);
	let quotient = numerator.mul(reciprocal);
	let remainder = quotient.neg().fma(cut_off, quotient.neg().fma(denominator, numerator));
	let result = remainder.fma(reciprocal, quotient);
	R::select(x.is_nan(), constant(NAN), result)
}
