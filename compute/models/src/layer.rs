//! Layers and losses out of ordinary ops.

use assay_program::{Axis, Init};

use crate::{Graph, Value};

/// A nonlinearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
	/// `max(x, 0)`.
	Relu,
	/// Hyperbolic tangent.
	Tanh,
	/// Gaussian error linear unit, tanh form.
	Gelu,
	/// Gaussian error linear unit by the error function.
	GeluErf,
	/// `x` times its logistic function.
	Silu,
}

impl Activation {
	/// Applies it.
	pub fn apply(self, graph: &mut Graph, x: Value) -> Value {
		match self {
			Activation::Relu => graph.relu(x),
			Activation::Tanh => graph.tanh(x),
			Activation::Gelu => gelu(graph, x),
			Activation::GeluErf => gelu_erf(graph, x),
			Activation::Silu => silu(graph, x),
		}
	}

	/// Square of the factor by which initial weights make up for what the nonlinearity takes away.
	fn gain_squared(self) -> f32 {
		match self {
			Activation::Relu | Activation::Gelu | Activation::GeluErf | Activation::Silu => 2.0,
			Activation::Tanh => 1.0,
		}
	}
}

/// `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))` (Hendrycks and Gimpel, 2016).
pub fn gelu(graph: &mut Graph, x: Value) -> Value {
	let square = graph.mul(x, x);
	let factor = graph.fma(square, 0.044_715, 1.0);
	let inner = graph.mul(x, factor);
	let scaled = graph.mul(inner, core::f32::consts::FRAC_2_SQRT_PI * core::f32::consts::FRAC_1_SQRT_2);
	let tanh = graph.tanh(scaled);
	let half = graph.mul(x, 0.5);
	graph.fma(half, tanh, half)
}

/// `x / 2 * (1 + erf(x / sqrt(2)))`, of which [`gelu`] is an approximation.
pub fn gelu_erf(graph: &mut Graph, x: Value) -> Value {
	let scaled = graph.mul(x, core::f32::consts::FRAC_1_SQRT_2);
	let erf = graph.erf(scaled);
	let half = graph.mul(x, 0.5);
	graph.fma(half, erf, half)
}

/// `x / (1 + e^-x)`.
pub fn silu(graph: &mut Graph, x: Value) -> Value {
	let share = graph.sigmoid(x);
	graph.mul(x, share)
}

/// `x * w + b` with `w` of `[columns of x, width]`, uniform with variance `gain^2 / columns` for the activation that
/// follows (He and others, 2015), and `b` of `[1, width]`, zero. Returns output, `w` and `b`.
pub fn linear(graph: &mut Graph, name: &str, x: Value, width: u32, next: Option<Activation>) -> (Value, Value, Value) {
	linear_with(graph, name, x, width, next, Graph::matmul)
}

/// As [`linear`], with the product and both products of its gradient in int8; see [`Graph::matmul_i8`].
pub fn linear_i8(
	graph: &mut Graph,
	name: &str,
	x: Value,
	width: u32,
	next: Option<Activation>,
) -> (Value, Value, Value) {
	linear_with(graph, name, x, width, next, Graph::matmul_i8)
}

fn linear_with(
	graph: &mut Graph,
	name: &str,
	x: Value,
	width: u32,
	next: Option<Activation>,
	product: impl Fn(&mut Graph, Value, Value) -> Value,
) -> (Value, Value, Value) {
	let columns = graph.spec(x).cols;
	let gain_squared = next.map_or(1.0, Activation::gain_squared);
	let bound = (3.0 * gain_squared / columns as f32).sqrt();
	let w = graph.uniform_param(&format!("{name}.weight"), columns, width, bound);
	let b = graph.param(&format!("{name}.bias"), 1, width, Init::Zeros);
	let product = product(graph, x, w);
	(graph.add(product, b), w, b)
}

/// Mean over rows of `-log softmax(logits)` at the hot column of `targets`, `[1, 1]`. Each row's maximum is subtracted
/// first, so no exponential overflows.
pub fn softmax_cross_entropy(graph: &mut Graph, logits: Value, targets: Value) -> Value {
	let rows = graph.spec(logits).rows;
	let largest = graph.max(logits, Axis::Cols);
	let largest = graph.stop_gradient(largest);
	let shifted = graph.sub(logits, largest);
	let powers = graph.exp(shifted);
	let sums = graph.sum(powers, Axis::Cols);
	let log_sums = graph.log(sums);
	let log_softmax = graph.sub(shifted, log_sums);
	let picked = graph.mul(targets, log_softmax);
	let total = graph.sum_all(picked);
	graph.mul(total, -1.0 / rows as f32)
}
