//! Exponential and natural logarithm.

use super::{constant, polynomial, INFINITY, NAN, NEG_INFINITY, ONE};
use crate::Real;

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
