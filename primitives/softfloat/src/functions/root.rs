//! Reciprocal square root.

use super::{constant, ONE};
use crate::Real;

/// `1 / sqrt(x)`: a correctly rounded root, then a correctly rounded quotient.
///
/// Zero gives the infinity of its sign, other negative numbers NaN, `+inf` gives `+0`.
#[inline(always)]
pub fn rsqrt<R: Real>(x: R) -> R {
	constant::<R>(ONE).div(x.sqrt()).canonical()
}
