//! A decoder-only transformer that predicts the next token, with the layers of GPT-2 (Radford and others, 2019): learned
//! positions, layer norm before each part, tanh-form GELU, output weights tied to the token table.
//!
//! Activations are matrices of one row per position, sequence after sequence.

use std::sync::Arc;

use assay_engine::{Cpu, Engine, State, Tensor};
use assay_program::{Axis, DType, Header, Init, Lane};

use crate::{
	evaluate_language, gelu, softmax_cross_entropy, BuildError, EvaluateError, Graph, HeldOut, LanguageEvaluation,
	Model, Optimiser, Value,
};

/// Where a score is masked out. Its power is +0 beside any score that occurs.
const MASKED: f32 = -1e30;

/// Added to a variance before its root is taken.
const NORM_EPSILON: f32 = 1e-5;

/// A language model and its training.
#[derive(Clone, Debug, PartialEq)]
pub struct TransformerConfig {
	/// Tokens there are.
	pub vocabulary: u32,
	/// Positions of a sequence.
	pub context: u32,
	/// Blocks of attention and feed-forward layer.
	pub layers: u32,
	/// Heads of an attention; divides `width`.
	pub heads: u32,
	/// Columns of an activation.
	pub width: u32,
	/// Share of activations dropped in training.
	pub dropout: f32,
	/// How the products of the blocks' linear layers are computed, forward and backward. Attention's own products and the
	/// logits stay in f32.
	pub lane: Lane,
	/// How parameters are trained.
	pub optimiser: Optimiser,
	/// Sequences per step, drawn with replacement.
	pub batch: u32,
	/// Steps of the job.
	pub steps: u64,
	/// Steps of a segment.
	pub segment_steps: u32,
	/// Seed of initial values, batches and dropout.
	pub seed: [u8; 32],
}

impl TransformerConfig {
	fn check(&self, tokens: &Tensor) -> Result<(), BuildError> {
		let sizes = [
			("vocabulary", self.vocabulary),
			("context", self.context),
			("layers", self.layers),
			("heads", self.heads),
			("width", self.width),
			("batch", self.batch),
			("segment_steps", self.segment_steps),
		];
		if let Some((what, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
			return Err(BuildError::Setting(what));
		}
		if !self.width.is_multiple_of(self.heads) {
			return Err(BuildError::Setting("width / heads without a rest"));
		}
		if !(0.0..1.0).contains(&self.dropout) {
			return Err(BuildError::Setting("1 - dropout"));
		}
		let (data, model) = (tokens.spec().cols, self.context.saturating_add(1));
		if data != model {
			return Err(BuildError::Data { what: "tokens per sequence", data, model });
		}
		self.optimiser.check()
	}

	fn header(&self) -> Header {
		Header {
			version: assay_program::validate::VERSION,
			lane: self.lane,
			seed: self.seed,
			steps: self.steps,
			batch: self.batch,
			segment_steps: self.segment_steps,
		}
	}
}

/// The training program on `tokens`: I32, a row per sequence of `context + 1` tokens, each position's target being the next
/// token. Its metric is the batch's loss, nats per token.
pub fn transformer(config: &TransformerConfig, tokens: &Tensor) -> Result<Model, BuildError> {
	config.check(tokens)?;
	let mut graph = Graph::new(config.batch);
	let (data, batch) = sequences(&mut graph, tokens, |graph, data| graph.gather_batch(data, 0));
	let (logits, targets, places, params) = predictions(&mut graph, config, batch)?;
	let targets = graph.one_hot(targets, config.vocabulary);
	let loss = softmax_cross_entropy(&mut graph, logits, targets);
	graph.metric(loss);
	let gradients = graph.gradients(loss, &params);
	config.optimiser.apply(&mut graph, &params, &gradients);
	let data = [data, places].into_iter().filter_map(|(value, tensor)| Some((value.tensor()?, tensor))).collect();
	Ok(Model { program: graph.finish(config.header())?, data })
}

/// A program that evaluates the parameters of [`transformer`] on `held_out`, I32 with a row per sequence as there, in as
/// many steps as it takes. Its state tensor [`crate::HELD_OUT_LOSS`] ends as the mean over all their tokens, nats. No dropout.
pub fn transformer_evaluation(config: &TransformerConfig, held_out: &Tensor) -> Result<Model, BuildError> {
	config.check(held_out)?;
	let held_out = HeldOut::new(held_out, config.batch)?;
	let config = TransformerConfig { batch: held_out.batch, dropout: 0.0, ..config.clone() };
	let mut graph = Graph::new(config.batch);
	let (data, batch) = sequences(&mut graph, &held_out.tokens, Graph::next_batch);
	let (logits, targets, places, _) = predictions(&mut graph, &config, batch)?;
	held_out.add_loss(&mut graph, logits, targets);
	let data = [data, places].into_iter().filter_map(|(value, tensor)| Some((value.tensor()?, tensor))).collect();
	Ok(Model { program: graph.finish(held_out.header(config.header()))?, data })
}

/// Evaluates the parameters in `state`, a state of `trained`, on the sequences in `held_out`.
pub fn evaluate_transformer(
	config: &TransformerConfig,
	trained: &Engine,
	state: &State,
	held_out: &Tensor,
	cpu: Arc<Cpu>,
) -> Result<LanguageEvaluation, EvaluateError> {
	evaluate_language(transformer_evaluation(config, held_out)?, trained, state, cpu)
}

/// A data tensor of the graph and its elements.
type Given = (Value, Tensor);

/// The data tensor of all sequences, and a step's batch of them.
fn sequences(graph: &mut Graph, tokens: &Tensor, batch: impl Fn(&mut Graph, Value) -> Value) -> (Given, Value) {
	let data = graph.data("tokens", tokens.spec(), tokens.root());
	let batch = batch(graph, data);
	((data, tokens.clone()), batch)
}

/// Of a batch of sequences: the logits at each position, the tokens that follow, the positions' data, the parameters.
fn predictions(
	graph: &mut Graph,
	config: &TransformerConfig,
	batch: Value,
) -> Result<(Value, Value, Given, Vec<Value>), BuildError> {
	let places = positions(config)?;
	let place_ids = graph.data("positions", places.spec(), places.root());
	let (ids, targets) = (graph.columns(batch, 0, config.context), graph.columns(batch, 1, config.context));
	let (ids, targets) = (graph.flatten(ids), graph.flatten(targets));
	let mut net = Net { graph, config, params: Vec::new() };
	let logits = net.logits(ids, place_ids);
	Ok((logits, targets, (place_ids, places), net.params))
}

/// The position of every row of an activation.
fn positions(config: &TransformerConfig) -> Result<Tensor, BuildError> {
	let ids = (0..config.batch).flat_map(|_| 0..config.context).collect();
	let rows = config.batch.checked_mul(config.context).ok_or(BuildError::Setting("batch * context below 2^32"))?;
	Tensor::new(DType::I32, rows, 1, ids).map_err(|_| BuildError::Setting("batch * context"))
}

struct Net<'a> {
	graph: &'a mut Graph,
	config: &'a TransformerConfig,
	params: Vec<Value>,
}

impl Net<'_> {
	/// `[batch * context, vocabulary]`.
	fn logits(&mut self, ids: Value, places: Value) -> Value {
		let TransformerConfig { vocabulary, context, layers, width, dropout, .. } = *self.config;
		// Standard deviation 0.02, as GPT-2 starts with; uniform has 1/sqrt(3) of its bound.
		let tokens = self.weight("embedding", vocabulary, width, 0.02);
		let positions = self.weight("position_embedding", context, width, 0.01);
		let (by_token, by_position) = (self.graph.lookup(tokens, ids), self.graph.lookup(positions, places));
		let sum = self.graph.add(by_token, by_position);
		let mut x = self.graph.dropout(sum, dropout);
		for layer in 0..layers {
			x = self.attention(&format!("layer{layer}.attention"), x);
			x = self.feed_forward(&format!("layer{layer}.feed_forward"), x);
		}
		let x = self.norm("norm", x);
		self.graph.matmul_transposed(x, false, tokens, true)
	}

	fn attention(&mut self, name: &str, x: Value) -> Value {
		let TransformerConfig { context, heads, width, batch, dropout, .. } = *self.config;
		let blocks = batch * heads;
		let normed = self.norm(&format!("{name}.norm"), x);
		let [q, k, v] = ["query", "key", "value"].map(|part| {
			let rows = self.linear(&format!("{name}.{part}"), normed, width, 0.02);
			self.graph.split_heads(rows, context, heads)
		});
		let scores = self.graph.block_matmul((q, false), (k, true), blocks, 1);
		let scores = self.graph.mul(scores, 1.0 / ((width / heads) as f32).sqrt());
		let scores = self.graph.causal(scores, context, 0, MASKED);
		let weights = self.softmax(scores);
		let weights = self.graph.dropout(weights, dropout);
		let mixed = self.graph.block_matmul((weights, false), (v, false), blocks, 1);
		let merged = self.graph.merge_heads(mixed, context, heads);
		let out = self.linear(&format!("{name}.output"), merged, width, self.residual_deviation());
		let out = self.graph.dropout(out, dropout);
		self.graph.add(x, out)
	}

	fn feed_forward(&mut self, name: &str, x: Value) -> Value {
		let TransformerConfig { width, dropout, .. } = *self.config;
		let normed = self.norm(&format!("{name}.norm"), x);
		let inner = self.linear(&format!("{name}.inner"), normed, 4 * width, 0.02);
		let inner = gelu(self.graph, inner);
		let out = self.linear(&format!("{name}.output"), inner, width, self.residual_deviation());
		let out = self.graph.dropout(out, dropout);
		self.graph.add(x, out)
	}

	/// Layers that add to the residual stream start smaller the more there are.
	fn residual_deviation(&self) -> f32 {
		0.02 / (2.0 * self.config.layers as f32).sqrt()
	}

	fn softmax(&mut self, scores: Value) -> Value {
		let largest = self.graph.max(scores, Axis::Cols);
		let largest = self.graph.stop_gradient(largest);
		let shifted = self.graph.sub(scores, largest);
		let powers = self.graph.exp(shifted);
		let sums = self.graph.sum(powers, Axis::Cols);
		self.graph.div(powers, sums)
	}

	/// Layer norm with gain and bias.
	fn norm(&mut self, name: &str, x: Value) -> Value {
		let cols = self.graph.spec(x).cols;
		let gain = self.graph.param(&format!("{name}.gain"), 1, cols, Init::Constant(1.0f32.to_bits()));
		let bias = self.graph.param(&format!("{name}.bias"), 1, cols, Init::Zeros);
		self.params.extend([gain, bias]);
		let share = 1.0 / cols as f32;
		let sum = self.graph.sum(x, Axis::Cols);
		let mean = self.graph.mul(sum, share);
		let centred = self.graph.sub(x, mean);
		let squares = self.graph.mul(centred, centred);
		let sum = self.graph.sum(squares, Axis::Cols);
		let variance = self.graph.fma(sum, share, NORM_EPSILON);
		let deviation = self.graph.sqrt(variance);
		let scaled = self.graph.div(centred, deviation);
		self.graph.fma(scaled, gain, bias)
	}

	fn linear(&mut self, name: &str, x: Value, width: u32, deviation: f32) -> Value {
		let columns = self.graph.spec(x).cols;
		let w = self.weight(&format!("{name}.weight"), columns, width, deviation);
		let b = self.graph.param(&format!("{name}.bias"), 1, width, Init::Zeros);
		self.params.push(b);
		let product = match self.config.lane {
			Lane::F32 => self.graph.matmul(x, w),
			Lane::I8 => self.graph.matmul_i8(x, w),
		};
		self.graph.add(product, b)
	}

	fn weight(&mut self, name: &str, rows: u32, cols: u32, deviation: f32) -> Value {
		let weight = self.graph.uniform_param(name, rows, cols, deviation * 3f32.sqrt());
		self.params.push(weight);
		weight
	}
}
