//! Optimisers as ordinary ops. What they remember is state of the program.

use assay_program::{BinaryKind, Init};

use crate::{BuildError, Graph, Value};

/// How parameters follow their gradients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimiser {
	/// Gradient descent with momentum: `m = momentum * m + g`, `p = p - rate * m`.
	Sgd {
		/// Learning rate.
		rate: f32,
		/// Share of the last movement that is kept; 0 for none.
		momentum: f32,
	},
	/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019).
	AdamW {
		/// Learning rate.
		rate: f32,
		/// Decay of the first moment.
		beta1: f32,
		/// Decay of the second moment.
		beta2: f32,
		/// Added to the root of the second moment.
		epsilon: f32,
		/// Share of each parameter, times the rate, that every step takes away.
		weight_decay: f32,
	},
}

impl Optimiser {
	/// AdamW with the usual decays.
	pub fn adamw(rate: f32) -> Self {
		Optimiser::AdamW { rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 }
	}

	/// Whether the numbers make sense.
	pub(crate) fn check(&self) -> Result<(), BuildError> {
		let (rate, others) = match *self {
			Optimiser::Sgd { rate, momentum } => (rate, [momentum, 0.0, 0.0, 0.0]),
			Optimiser::AdamW { rate, beta1, beta2, epsilon, weight_decay } => {
				if !(epsilon > 0.0 && beta1 < 1.0 && beta2 < 1.0) {
					return Err(BuildError::Setting("epsilon and 1 - beta"));
				}
				(rate, [beta1, beta2, epsilon, weight_decay])
			}
		};
		if !(rate.is_finite() && rate > 0.0) {
			return Err(BuildError::Setting("rate"));
		}
		if !others.iter().all(|other| other.is_finite() && *other >= 0.0) {
			return Err(BuildError::Setting("optimiser setting"));
		}
		Ok(())
	}

	/// Appends the updates of `params` by their `gradients`, of the same shapes.
	pub fn apply(&self, graph: &mut Graph, params: &[Value], gradients: &[Value]) {
		match *self {
			Optimiser::Sgd { rate, momentum } => {
				for (param, gradient) in params.iter().zip(gradients) {
					sgd(graph, *param, *gradient, rate, momentum);
				}
			}
			Optimiser::AdamW { rate, beta1, beta2, epsilon, weight_decay } => {
				// 1 - beta^t for step t, counted from 1: the power is state that each step multiplies once more.
				let corrections = [("adamw.beta1_power", beta1), ("adamw.beta2_power", beta2)].map(|(name, beta)| {
					let power = graph.state(name, 1, 1, Init::Constant(1.0f32.to_bits()));
					let next = graph.mul(power, beta);
					graph.update(power, next);
					graph.sub(1.0, next)
				});
				let adamw = AdamW { rate, beta1, beta2, epsilon, weight_decay, corrections };
				for (param, gradient) in params.iter().zip(gradients) {
					adamw.apply(graph, *param, *gradient);
				}
			}
		}
	}
}

/// The gradients, scaled down together where the root of the sum of all their squares is above `largest`: times
/// `largest / max(norm, largest)`, which is exactly 1 below. Apply the optimiser to what this returns.
pub fn clip_by_global_norm(graph: &mut Graph, gradients: &[Value], largest: f32) -> Vec<Value> {
	let mut total: Option<Value> = None;
	for gradient in gradients {
		let squares = graph.mul(*gradient, *gradient);
		let sum = graph.sum_all(squares);
		total = Some(total.map_or(sum, |total| graph.add(total, sum)));
	}
	let Some(total) = total else { return Vec::new() };
	let norm = graph.sqrt(total);
	let bound = graph.binary(BinaryKind::Max, norm, largest);
	let factor = graph.div(largest, bound);
	gradients.iter().map(|gradient| graph.mul(*gradient, factor)).collect()
}

fn sgd(graph: &mut Graph, param: Value, gradient: Value, rate: f32, momentum: f32) {
	let movement = if momentum == 0.0 {
		gradient
	} else {
		let (name, spec) = (graph.name(param), graph.spec(param));
		let state = graph.state(&format!("{name}.momentum"), spec.rows, spec.cols, Init::Zeros);
		let next = graph.fma(state, momentum, gradient);
		graph.update(state, next);
		next
	};
	let moved = graph.fma(movement, -rate, param);
	graph.update(param, moved);
}

struct AdamW {
	rate: f32,
	beta1: f32,
	beta2: f32,
	epsilon: f32,
	weight_decay: f32,
	/// `1 - beta^t` of both moments, `[1, 1]`.
	corrections: [Value; 2],
}

impl AdamW {
	fn apply(&self, graph: &mut Graph, param: Value, gradient: Value) {
		let (name, spec) = (graph.name(param), graph.spec(param));
		let square = graph.mul(gradient, gradient);
		let [first, second] =
			[("first", self.beta1, gradient), ("second", self.beta2, square)].map(|(moment, beta, sample)| {
				let state = graph.state(&format!("{name}.{moment}_moment"), spec.rows, spec.cols, Init::Zeros);
				let kept = graph.mul(state, beta);
				let next = graph.fma(sample, 1.0 - beta, kept);
				graph.update(state, next);
				next
			});
		let first = graph.div(first, self.corrections[0]);
		let second = graph.div(second, self.corrections[1]);
		let root = graph.sqrt(second);
		let scale = graph.add(root, self.epsilon);
		let direction = graph.div(first, scale);
		let decayed = graph.mul(param, 1.0 - self.rate * self.weight_decay);
		let moved = graph.fma(direction, -self.rate, decayed);
		graph.update(param, moved);
	}
}
