//! Sampling from logits.

use assay_program::OpKind;

use crate::{Graph, Value};

impl Graph {
	/// Column of each row's largest element, the first of equal ones: I32 `[rows, 1]`.
	pub fn arg_max(&mut self, x: Value) -> Value {
		self.op(OpKind::ArgMax, &[x], None)
	}

	/// `x` plus noise of the standard Gumbel distribution; each call draws other noise.
	pub fn gumbel(&mut self, x: Value) -> Value {
		let stream = self.next_noise();
		self.op(OpKind::Gumbel { stream }, &[x], None)
	}
}

/// A column drawn for each row from the softmax of `logits / temperature`: I32 `[rows, 1]`. The largest of the logits plus
/// Gumbel noise is such a draw (Gumbel, 1954), so that sampling is a function of the seed, the step and the logits.
pub fn sample(graph: &mut Graph, logits: Value, temperature: f32) -> Value {
	let scaled = graph.mul(logits, 1.0 / temperature);
	let noisy = graph.gumbel(scaled);
	graph.arg_max(noisy)
}
