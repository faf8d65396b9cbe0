//! A multi-layer perceptron that classifies.

use std::sync::Arc;

use assay_engine::{Cpu, Engine, State};
use assay_program::{Header, Lane};

use crate::{
	classifier, linear, linear_i8, Activation, BuildError, EvaluateError, Evaluation, Graph, Model, Optimiser, Split,
	Value,
};

/// A classifier and its training.
#[derive(Clone, Debug, PartialEq)]
pub struct MlpConfig {
	/// Columns of the data.
	pub features: u32,
	/// Widths of the hidden layers.
	pub hidden: Vec<u32>,
	/// Classes.
	pub classes: u32,
	/// After each hidden layer.
	pub activation: Activation,
	/// How the layers' products are computed, forward and backward.
	pub lane: Lane,
	/// How parameters are trained.
	pub optimiser: Optimiser,
	/// Rows per step, drawn with replacement.
	pub batch: u32,
	/// Steps of the job.
	pub steps: u64,
	/// Steps of a segment.
	pub segment_steps: u32,
	/// Seed of initial values and batches.
	pub seed: [u8; 32],
}

impl MlpConfig {
	/// One hidden layer of 128, relu, lane F32, AdamW at 0.002, 1,200 steps of 64 rows in 24 segments, seed 0.
	pub fn new(features: u32, classes: u32) -> Self {
		Self {
			features,
			hidden: vec![128],
			classes,
			activation: Activation::Relu,
			lane: Lane::F32,
			optimiser: Optimiser::adamw(0.002),
			batch: 64,
			steps: 1200,
			segment_steps: 50,
			seed: [0; 32],
		}
	}

	fn check(&self, split: &Split) -> Result<(), BuildError> {
		let sizes = [("batch", self.batch), ("classes", self.classes), ("segment_steps", self.segment_steps)];
		let widths = self.hidden.iter().map(|width| ("hidden", *width));
		if let Some((what, _)) = sizes.into_iter().chain(widths).find(|(_, size)| *size == 0) {
			return Err(BuildError::Setting(what));
		}
		self.optimiser.check()?;
		let features = split.x.spec().cols;
		if features != self.features {
			return Err(BuildError::Data { what: "features", data: features, model: self.features });
		}
		Ok(())
	}
}

/// The training program on `train`. Its metric is the batch's loss.
pub fn mlp(config: &MlpConfig, train: &Split) -> Result<Model, BuildError> {
	config.check(train)?;
	classifier::training(
		header(config),
		train,
		config.classes,
		|graph, x| forward(graph, config, x),
		|graph, step| {
			config.optimiser.apply(graph, &step.params, &step.gradients);
		},
	)
}

/// A program of one step that evaluates the parameters of [`mlp`] on all rows of `held_out`. Its metrics are loss and
/// accuracy; it also leaves them in its state, as `evaluation.loss` and `evaluation.accuracy`.
pub fn mlp_evaluation(config: &MlpConfig, held_out: &Split) -> Result<Model, BuildError> {
	config.check(held_out)?;
	classifier::evaluation(header(config), held_out, config.classes, |graph, x| forward(graph, config, x))
}

/// Evaluates the parameters in `state`, a state of `trained`, on `held_out`.
pub fn evaluate(
	config: &MlpConfig,
	trained: &Engine,
	state: &State,
	held_out: &Split,
	cpu: Arc<Cpu>,
) -> Result<Evaluation, EvaluateError> {
	classifier::evaluate(mlp_evaluation(config, held_out)?, trained, state, cpu)
}

/// Logits, and the parameters in order.
fn forward(graph: &mut Graph, config: &MlpConfig, x: Value) -> (Value, Vec<Value>) {
	let linear = match config.lane {
		Lane::F32 => linear,
		Lane::I8 => linear_i8,
	};
	let mut params = Vec::new();
	let mut hidden = x;
	for (index, width) in config.hidden.iter().enumerate() {
		let (sum, w, b) = linear(graph, &format!("layer{index}"), hidden, *width, Some(config.activation));
		hidden = config.activation.apply(graph, sum);
		params.extend([w, b]);
	}
	let (logits, w, b) = linear(graph, "output", hidden, config.classes, None);
	params.extend([w, b]);
	(logits, params)
}

fn header(config: &MlpConfig) -> Header {
	Header {
		version: assay_program::validate::VERSION,
		lane: config.lane,
		seed: config.seed,
		steps: config.steps,
		batch: config.batch,
		segment_steps: config.segment_steps,
	}
}
