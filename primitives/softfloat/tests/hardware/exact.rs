//! binary64 functions that the standard library lacks, or that are to be undefined where ours are.

#![allow(dead_code, unreachable_pub)]

/// `1 / (1 + e^-x)`.
pub fn sigmoid(x: f64) -> f64 {
	1.0 / (1.0 + (-x).exp())
}

/// `1 / sqrt(x)`.
pub fn rsqrt(x: f64) -> f64 {
	1.0 / x.sqrt()
}

/// The error function, within eight units of the last place.
///
/// `2 / sqrt(pi) e^(-x^2)` times the sum of `(2 x^2)^n x / (1 * 3 * 5 * ... * (2n + 1))`: every term has the sign of `x`,
/// so nothing cancels.
pub fn erf(x: f64) -> f64 {
	// 1 - erf(6) < 2^-54.
	if x.abs() >= 6.0 {
		return x.signum();
	}
	let square = x * x;
	let (mut term, mut sum, mut odd) = (x, x, 1.0);
	while term.abs() > sum.abs() * 1e-18 {
		odd += 2.0;
		term *= 2.0 * square / odd;
		sum += term;
	}
	std::f64::consts::FRAC_2_SQRT_PI * (-square).exp() * sum
}

/// The largest angle that has a sine and a cosine.
const LARGEST_ANGLE: f64 = 4_194_304.0;

/// Sine; NaN beyond the largest angle.
pub fn sin(x: f64) -> f64 {
	if x.abs() > LARGEST_ANGLE {
		f64::NAN
	} else {
		x.sin()
	}
}

/// Cosine; NaN beyond the largest angle.
pub fn cos(x: f64) -> f64 {
	if x.abs() > LARGEST_ANGLE {
		f64::NAN
	} else {
		x.cos()
	}
}
