//! A multi-layer perceptron that classifies.

use std::sync::Arc;

use assay_engine::{Cpu, Engine, EngineError, RunError, State, Tensor};
use assay_program::{Axis, Header, Init, Lane, Program, TensorId};

use crate::{linear, softmax_cross_entropy, Activation, BuildError, Graph, Optimiser, Split, Value};

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
	/// One hidden layer of 128, relu, AdamW at 0.002, 1,200 steps of 64 rows in 24 segments, seed 0.
	pub fn new(features: u32, classes: u32) -> Self {
		Self {
			features,
			hidden: vec![128],
			classes,
			activation: Activation::Relu,
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

/// A program and the data it reads.
#[derive(Clone, Debug)]
pub struct Model {
	/// The program.
	pub program: Program,
	/// Its data tensors.
	pub data: Vec<(TensorId, Tensor)>,
}

/// The training program on `train`. Its metric is the batch's loss.
pub fn mlp(config: &MlpConfig, train: &Split) -> Result<Model, BuildError> {
	config.check(train)?;
	let mut graph = Graph::new(config.batch);
	let (x, y, data) = inputs(&mut graph, train);
	let (x, labels) = (graph.gather_batch(x, 0), graph.gather_batch(y, 0));
	let targets = graph.one_hot(labels, config.classes);
	let (logits, params) = forward(&mut graph, config, x);
	let loss = softmax_cross_entropy(&mut graph, logits, targets);
	graph.metric(loss);
	let gradients = graph.gradients(loss, &params);
	config.optimiser.apply(&mut graph, &params, &gradients);
	Ok(Model { program: graph.finish(header(config))?, data })
}

/// A program of one step that evaluates the parameters of [`mlp`] on all rows of `held_out`. Its metrics are loss and
/// accuracy; it also leaves them in its state, as `evaluation.loss` and `evaluation.accuracy`.
pub fn mlp_evaluation(config: &MlpConfig, held_out: &Split) -> Result<Model, BuildError> {
	config.check(held_out)?;
	let rows = held_out.x.spec().rows;
	let mut graph = Graph::new(1);
	let (x, y, data) = inputs(&mut graph, held_out);
	let targets = graph.one_hot(y, config.classes);
	let (logits, _) = forward(&mut graph, config, x);
	let loss = softmax_cross_entropy(&mut graph, logits, targets);
	// A row is wrong if its largest logit is above its label's.
	let at_label = graph.mul(targets, logits);
	let at_label = graph.sum(at_label, Axis::Cols);
	let largest = graph.max(logits, Axis::Cols);
	let wrong = graph.greater(largest, at_label);
	let wrong = graph.sum(wrong, Axis::Rows);
	let share = graph.div(wrong, rows as f32);
	let accuracy = graph.sub(1.0, share);
	for (name, value) in [("evaluation.loss", loss), ("evaluation.accuracy", accuracy)] {
		let state = graph.state(name, 1, 1, Init::Zeros);
		graph.update(state, value);
		graph.metric(value);
	}
	let one_step = MlpConfig { steps: 1, segment_steps: 1, ..config.clone() };
	Ok(Model { program: graph.finish(header(&one_step))?, data })
}

/// How well parameters do on held-out rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
	/// Mean cross entropy, nats.
	pub loss: f32,
	/// Share of rows classified right.
	pub accuracy: f32,
}

/// Why an evaluation failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
	/// The evaluation program cannot be built.
	#[error(transparent)]
	Build(#[from] BuildError),
	/// The evaluation program cannot be loaded.
	#[error(transparent)]
	Engine(#[from] EngineError),
	/// The evaluation program cannot be run.
	#[error(transparent)]
	Run(#[from] RunError),
}

/// Evaluates the parameters in `state`, a state of `trained`, on `held_out`.
pub fn evaluate(
	config: &MlpConfig,
	trained: &Engine,
	state: &State,
	held_out: &Split,
	cpu: Arc<Cpu>,
) -> Result<Evaluation, EvaluateError> {
	let model = mlp_evaluation(config, held_out)?;
	let metrics = model.program.metrics.clone();
	let engine = Engine::new(model.program, model.data, cpu)?;
	let start = engine.initial_state_with(|name| trained.state_tensor_named(state, name))?;
	let values = engine.outputs(&start, &metrics)?;
	let value = |index: usize| values.get(index).and_then(|tensor| tensor.to_f32().first().copied());
	Ok(Evaluation { loss: value(0).unwrap_or(f32::NAN), accuracy: value(1).unwrap_or(f32::NAN) })
}

fn inputs(graph: &mut Graph, split: &Split) -> (Value, Value, Vec<(TensorId, Tensor)>) {
	let x = graph.data("x", split.x.spec(), split.x.root());
	let y = graph.data("y", split.y.spec(), split.y.root());
	let data = [(x, &split.x), (y, &split.y)];
	(x, y, data.into_iter().filter_map(|(value, tensor)| Some((value.tensor()?, tensor.clone()))).collect())
}

/// Logits, and the parameters in order.
fn forward(graph: &mut Graph, config: &MlpConfig, x: Value) -> (Value, Vec<Value>) {
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
		lane: Lane::F32,
		seed: config.seed,
		steps: config.steps,
		batch: config.batch,
		segment_steps: config.segment_steps,
	}
}
