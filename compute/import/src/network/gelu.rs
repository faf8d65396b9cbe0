//! The Gaussian error linear unit in its exact form, out of existing ops.

use assay_models::{Graph, Value};
use assay_program::UnaryKind;

/// `1 / (1 + P z)` is what the polynomial is in.
const P: f32 = 0.327_591_1;

/// Coefficients of `t^5` down to `t`.
const A: [f32; 5] = [1.061_405_4, -1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6];

/// `x / 2 * (1 + erf(x / sqrt(2)))`, as `max(x, 0) - |x| / 2 * erfc(|x| / sqrt(2))` with the rational approximation of
/// `erfc` by Hastings (Abramowitz and Stegun, 7.1.26), whose error is below 1.5e-7. The form keeps the tail for negative
/// `x` accurate, and every op has a gradient.
///
/// An op kind for `erf` would be one op in place of these fourteen.
pub fn gelu_erf(graph: &mut Graph, x: Value) -> Value {
	let magnitude = graph.unary(UnaryKind::Abs, x);
	let denominator = graph.fma(magnitude, P * core::f32::consts::FRAC_1_SQRT_2, 1.0);
	let t = graph.div(1.0, denominator);
	let [first, second, rest @ ..] = A;
	let mut polynomial = graph.fma(t, first, second);
	for coefficient in rest {
		polynomial = graph.fma(t, polynomial, coefficient);
	}
	let polynomial = graph.mul(polynomial, t);
	let half = graph.mul(x, -0.5);
	let exponent = graph.mul(half, x);
	let power = graph.exp(exponent);
	let complement = graph.mul(polynomial, power);
	let half = graph.mul(magnitude, 0.5);
	let tail = graph.mul(half, complement);
	let positive = graph.relu(x);
	graph.sub(positive, tail)
}
