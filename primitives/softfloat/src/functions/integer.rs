//! Between numbers and small integers: quantisation, and noise from random words.

use super::{constant, log};
use crate::Real;

/// `127`, the largest magnitude of a quantised number.
const LARGEST: u32 = 0x42fe_0000;

/// `2^-24`.
const UNIT: u32 = 0x3380_0000;

/// The 8-bit integer of `x` at a scale: `x / scale`, correctly rounded, clamped to `-127..=127`, then rounded to the nearest
/// integer, ties to even. A quotient that is NaN, as of zero by zero, gives 0.
#[inline(always)]
pub fn quantise<R: Real>(x: R, scale: R) -> i32 {
	let quotient = x.div(scale);
	let largest = constant::<R>(LARGEST);
	let above = R::select(largest.lt(quotient), largest, quotient);
	let clamped = R::select(above.lt(largest.neg()), largest.neg(), above);
	R::select(quotient.is_nan(), constant(0), clamped).round_to_i32()
}

/// The number of an integer at two scales: `(value * row) * col`, where the integer and each product are rounded once.
#[inline(always)]
pub fn dequantise<R: Real>(value: i32, row: R, col: R) -> R {
	R::from_i32(value).mul(row).mul(col)
}

/// A draw of the standard Gumbel distribution from a random word: `-log(-log(u))` with `u = (2 i + 1) * 2^-24` for the word's
/// top 23 bits `i`. `u` is exact and never 0 or 1; the result is in `-2.82..=16.64`.
#[inline(always)]
pub fn gumbel<R: Real>(word: u32) -> R {
	let odd = (word >> 9 << 1 | 1) as i32;
	let u = R::from_i32(odd).mul(constant(UNIT));
	log(log(u).neg()).neg()
}
