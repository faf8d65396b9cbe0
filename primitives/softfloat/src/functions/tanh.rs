//! The two functions that saturate through an exponential: hyperbolic tangent and sigmoid.

use super::{constant, exp, polynomial, NAN, ONE, SIGN};
use crate::Real;

const TWO: u32 = 0x4000_0000;

/// `(tanh(x) - x) / x^3` as a polynomial in `x^2` on `|x| <= 0.5625`; `tanh` to 2^-29.4.
const TANH: [u32; 5] = [0xbbca_2a79, 0x3cac_08fb, 0xbd5c_82e2, 0x3e08_862f, 0xbeaa_aaa4];

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
