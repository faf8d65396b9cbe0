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
/// An op kind for `erf` would be one op in place of eleven.
pub fn gelu_erf(graph: &mut Graph, x: Value) -> Value {
	let magnitude = graph.unary(UnaryKind::Abs, x);
	let half = graph.mul(x, -0.5);
	let exponent = graph.mul(half, x);
	let complement = complement(graph, magnitude, exponent, core::f32::consts::FRAC_1_SQRT_2);
	let half = graph.mul(magnitude, 0.5);
	let tail = graph.mul(half, complement);
	let positive = graph.relu(x);
	graph.sub(positive, tail)
}

/// The error function, within 1e-6: `1 - erfc(|x|)` with the sign of `x`.
pub(crate) fn erf(graph: &mut Graph, x: Value) -> Value {
	let magnitude = graph.unary(UnaryKind::Abs, x);
	let minus = graph.neg(x);
	let exponent = graph.mul(minus, x);
	let complement = complement(graph, magnitude, exponent, 1.0);
	let (positive, negative) = (graph.greater(x, 0.0), graph.greater(0.0, x));
	let sign = graph.sub(positive, negative);
	let rest = graph.sub(1.0, complement);
	graph.mul(sign, rest)
}

/// `erfc(scale * magnitude)`, where `exponent` is the negative square of the argument.
fn complement(graph: &mut Graph, magnitude: Value, exponent: Value, scale: f32) -> Value {
	let denominator = graph.fma(magnitude, P * scale, 1.0);
	let t = graph.div(1.0, denominator);
	let [first, second, rest @ ..] = A;
	let mut polynomial = graph.fma(t, first, second);
	for coefficient in rest {
		polynomial = graph.fma(t, polynomial, coefficient);
	}
	let polynomial = graph.mul(polynomial, t);
	let power = graph.exp(exponent);
	graph.mul(polynomial, power)
}

#[cfg(test)]
mod tests {
	use std::{ops::ControlFlow, sync::Arc};

	use assay_engine::{Cpu, Engine, Path};
	use assay_program::{Header, Init, Lane};
	use assay_softfloat::{functions, Real, F32};

	use super::*;

	#[test]
	fn it_is_within_a_millionth_of_the_exact_form() {
		let mut graph = Graph::new(1);
		let step = graph.state("step", 1, 1, Init::Constant((-12.0f32).to_bits()));
		let next = graph.add(step, 0.003_713);
		graph.update(step, next);
		let y = gelu_erf(&mut graph, step);
		graph.metric(y);
		let version = assay_program::validate::VERSION;
		let header = Header { version, lane: Lane::F32, seed: [0; 32], steps: 6500, batch: 1, segment_steps: 1 };
		let program = graph.finish(header).unwrap();
		let engine = Engine::new(program, Vec::new(), Arc::new(Cpu::new(Path::Portable, 1).unwrap())).unwrap();
		let mut state = engine.initial_state();
		let mut x = -12.0f32;
		let mut worst = 0f64;
		engine
			.run(&mut state, 6500, &mut |report| {
				let z = F32::from_bits((x * core::f32::consts::FRAC_1_SQRT_2).to_bits());
				let erf = f32::from_bits(functions::erf(z).to_bits());
				let exact = 0.5 * f64::from(x) * (1.0 + f64::from(erf));
				worst = worst.max((f64::from(report.metrics[0]) - exact).abs());
				x += 0.003_713;
				ControlFlow::Continue(())
			})
			.unwrap();
		assert!(x > 12.0 && worst < 1e-6, "{x} {worst:e}");
	}
}
