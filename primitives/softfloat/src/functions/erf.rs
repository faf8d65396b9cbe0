//! The error function.

use super::{constant, exp, polynomial, NAN, ONE, SIGN};
use crate::Real;

/// `erf(x) / x - 1` as a polynomial in `x^2` on `|x| <= 1`; `erf` to 2^-29.4.
const NEAR: [u32; 7] = [0x38a3_b8ff, 0xba51_a8af, 0x3ba9_f912, 0xbcdb_fb8d, 0x3de7_1673, 0xbec0_939f, 0x3e03_75d4];

/// `-log(1 - erf(x)) / x - 1` on `[1, 4]`; `erf` to 2^-28.6.
const FAR: [u32; 6] = [0xb95c_e14c, 0x3b50_dc8b, 0xbcba_c3f5, 0x3dd7_4727, 0x3f22_c5da, 0x3e03_9045];

/// From here on `1 - erf` is less than half of the distance to the number below one.
const FOUR: u32 = 0x4080_0000;

/// `2 / sqrt(pi)` times the integral of `e^(-t^2)` from 0 to `x`. Odd, keeps the sign of zero, and is exactly `±1` from
/// about 3.92 on.
///
/// An odd polynomial below 1, `1 - e^-p(x)` with a polynomial `p` from there.
#[inline(always)]
pub fn erf<R: Real>(x: R) -> R {
	let sign = x.to_bits() & SIGN;
	let magnitude = x.abs();
	let one = constant::<R>(ONE);
	let four = constant::<R>(FOUR);

	let near = polynomial(magnitude.mul(magnitude), NEAR).fma(magnitude, magnitude);

	let clamped = R::select(four.lt(magnitude), four, magnitude);
	let exponent = polynomial(clamped, FAR).fma(clamped, clamped);
	let far = one.sub(exp(exponent.neg()));

	let result = R::select(magnitude.lt(one), near, far);
	let signed = R::from_bits(result.to_bits() | sign);
	R::select(x.is_nan(), constant(NAN), signed)
}
