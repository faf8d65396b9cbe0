//! Sine and cosine of angles up to `2^22`.

use super::{constant, polynomial, NAN, ONE, SIGN};
use crate::Real;

/// The largest magnitude with a sine and a cosine: `2^22`.
const LARGEST_ANGLE: u32 = 0x4a80_0000;

/// `1.5 * 2^23`: a sum with it is an integer, whose low bits are those of the fraction.
const INTEGER_SHIFT: u32 = 0x4b40_0000;

/// `2 / pi`.
const TWO_OVER_PI: u32 = 0x3f22_f983;
/// `pi / 2` to 24 bits, the remainder to 24 bits, and the remainder of that.
const HALF_PI_HIGH: u32 = 0x3fc9_0fdb;
const HALF_PI_MIDDLE: u32 = 0xb33b_bd2e;
const HALF_PI_LOW: u32 = 0xa6f7_2ced;

/// `(sin(r) - r) / r^3` as a polynomial in `r^2` on `|r| <= 0.97`; `sin` to 2^-31.6.
const SIN: [u32; 4] = [0x3637_965f, 0xb950_134c, 0x3c08_88a3, 0xbe2a_aaab];

/// `(cos(r) - 1) / r^2` as a polynomial in `r^2` on `|r| <= 0.97`; `cos` to 2^-29.7.
const COS: [u32; 4] = [0x37c9_effb, 0xbab5_f4a7, 0x3d2a_aa67, 0xbeff_ffff];

/// Sine of an angle in radians. Odd, keeps the sign of zero. NaN for infinities and beyond `±2^22`, which is 4,194,304.
///
/// Beyond the bound the reduction would no longer be accurate, and a wrong number is worse than none.
#[inline(always)]
pub fn sin<R: Real>(x: R) -> R {
	let angle = reduce(x.abs());
	within_bound(x, sine_of(angle, x.to_bits() & SIGN))
}

/// Cosine of an angle in radians. Even. NaN for infinities and beyond `±2^22`, like [`sin`].
#[inline(always)]
pub fn cos<R: Real>(x: R) -> R {
	let angle = reduce(x.abs());
	within_bound(x, sine_of(Angle { quadrant: angle.quadrant.wrapping_add(1), ..angle }, 0))
}

/// `quadrant * pi / 2 + r + rest`; of `quadrant`, only the low two bits mean anything.
struct Angle<R> {
	quadrant: u32,
	r: R,
	/// What rounding took from `r`: below one unit of its last place, unless `r` is tiny.
	rest: R,
}

/// Brings an angle of `0..=2^22` to about `±pi / 4`.
///
/// `k` is an integer next to `magnitude * 2 / pi`. The constant `2 / pi` is too small by one part in 2^24.6, so `r`
/// reaches from `-pi / 4` to `pi / 4` for small angles and to 0.96 for the largest.
///
/// Two differences are exact. `high`: its terms are multiples of 2^-23 and it is below two (2^-24 and one for an angle
/// below one). `high - r`: `high` is a multiple of the last place of `middle`, whose magnitude is below 1/8.
#[inline(always)]
fn reduce<R: Real>(magnitude: R) -> Angle<R> {
	let shift = constant::<R>(INTEGER_SHIFT);
	let shifted = magnitude.fma(constant(TWO_OVER_PI), shift);
	let minus_k = shift.sub(shifted);

	let high = minus_k.fma(constant(HALF_PI_HIGH), magnitude);
	let middle = minus_k.mul(constant(HALF_PI_MIDDLE));
	let r = high.add(middle);
	let rest = minus_k.fma(constant(HALF_PI_MIDDLE), high.sub(r));
	let rest = minus_k.fma(constant(HALF_PI_LOW), rest);
	Angle { quadrant: shifted.to_bits(), r, rest }
}

/// Sine of the angle, negated when `sign` is the sign bit: by the sine of `r` in even quadrants, by its cosine in odd ones.
///
/// The sine of `r` carries `rest` in full, its factor `cos(r)` taken as one. The cosine does without.
#[inline(always)]
fn sine_of<R: Real>(angle: Angle<R>, sign: u32) -> R {
	let Angle { quadrant, r, rest } = angle;
	let square = r.mul(r);
	let sine = polynomial(square, SIN).fma(r.mul(square), rest).add(r);
	let cosine = polynomial(square, COS).fma(square, constant(ONE));
	let result = R::select(quadrant & 1 == 0, sine, cosine);
	R::from_bits(result.to_bits() ^ ((quadrant & 2) << 30) ^ sign)
}

/// `result`, or NaN when `angle` has none.
#[inline(always)]
fn within_bound<R: Real>(angle: R, result: R) -> R {
	R::select(angle.abs().to_bits() > LARGEST_ANGLE, constant(NAN), result)
}
