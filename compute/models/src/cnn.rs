//! A small convolutional classifier.

use std::sync::Arc;

use assay_engine::{Cpu, Engine, State};
use assay_program::{Header, Lane};

use crate::{
	classifier, clip_by_global_norm, conv2d, conv2d_i8, linear, linear_i8, max_pool, Activation, BuildError,
	EvaluateError, Evaluation, Graph, Model, Optimiser, Pixels, Split, Value,
};

type Convolution = fn(&mut Graph, &str, Pixels, u32, u32, (u32, u32)) -> (Pixels, Value, Value);
type Linear = fn(&mut Graph, &str, Value, u32, Option<Activation>) -> (Value, Value, Value);

/// A classifier of images and its training: for each width a 3 x 3 convolution that keeps the size, relu and a 2 x 2 maximum
/// that halves it, then one linear layer.
#[derive(Clone, Debug, PartialEq)]
pub struct CnnConfig {
	/// Rows of pixels. The data has an image per row, pixels row after row, a pixel's channels together.
	pub height: u32,
	/// Columns of pixels.
	pub width: u32,
	/// Channels of a pixel.
	pub channels: u32,
	/// Channels after each convolution.
	pub convolutions: Vec<u32>,
	/// Classes.
	pub classes: u32,
	/// How the products of convolutions and of the last layer are computed, forward and backward.
	pub lane: Lane,
	/// Largest norm of all gradients together; larger ones are scaled down.
	pub clip: Option<f32>,
	/// How parameters are trained.
	pub optimiser: Optimiser,
	/// Images per step, drawn with replacement.
	pub batch: u32,
	/// Steps of the job.
	pub steps: u64,
	/// Steps of a segment.
	pub segment_steps: u32,
	/// Seed of initial values and batches.
	pub seed: [u8; 32],
}

impl CnnConfig {
	/// Convolutions of 16 and 32 channels, AdamW at 0.003, gradients up to norm 1, 400 steps of 64 images in 8 segments,
	/// seed 0.
	pub fn new(height: u32, width: u32, channels: u32, classes: u32) -> Self {
		Self {
			height,
			width,
			channels,
			convolutions: vec![16, 32],
			classes,
			lane: Lane::F32,
			clip: Some(1.0),
			optimiser: Optimiser::adamw(0.003),
			batch: 64,
			steps: 400,
			segment_steps: 50,
			seed: [0; 32],
		}
	}

	fn check(&self, split: &Split) -> Result<(), BuildError> {
		let sizes = [("batch", self.batch), ("classes", self.classes), ("segment_steps", self.segment_steps)];
		let widths = self.convolutions.iter().map(|width| ("convolutions", *width));
		if let Some((what, _)) = sizes.into_iter().chain(widths).find(|(_, size)| *size == 0) {
			return Err(BuildError::Setting(what));
		}
		if self.clip.is_some_and(|clip| !(clip.is_finite() && clip > 0.0)) {
			return Err(BuildError::Setting("clip"));
		}
		self.optimiser.check()?;
		let image = self.height.checked_mul(self.width).and_then(|pixels| pixels.checked_mul(self.channels));
		let features = split.x.spec().cols;
		match image {
			Some(image) if image == features => Ok(()),
			image => Err(BuildError::Data { what: "features", data: features, model: image.unwrap_or(u32::MAX) }),
		}
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

/// The training program on `train`. Its metric is the batch's loss.
pub fn cnn(config: &CnnConfig, train: &Split) -> Result<Model, BuildError> {
	config.check(train)?;
	classifier::training(
		config.header(),
		train,
		config.classes,
		|graph, x| forward(graph, config, x),
		|graph, step| {
			let gradients = match config.clip {
				Some(largest) => clip_by_global_norm(graph, &step.gradients, largest),
				None => step.gradients,
			};
			config.optimiser.apply(graph, &step.params, &gradients);
		},
	)
}

/// A program of one step that evaluates the parameters of [`cnn`] on all images of `held_out`; see
/// [`crate::mlp_evaluation`].
pub fn cnn_evaluation(config: &CnnConfig, held_out: &Split) -> Result<Model, BuildError> {
	config.check(held_out)?;
	classifier::evaluation(config.header(), held_out, config.classes, |graph, x| forward(graph, config, x))
}

/// Evaluates the parameters in `state`, a state of `trained`, on `held_out`.
pub fn evaluate_cnn(
	config: &CnnConfig,
	trained: &Engine,
	state: &State,
	held_out: &Split,
	cpu: Arc<Cpu>,
) -> Result<Evaluation, EvaluateError> {
	classifier::evaluate(cnn_evaluation(config, held_out)?, trained, state, cpu)
}

/// Logits, and the parameters in order.
fn forward(graph: &mut Graph, config: &CnnConfig, x: Value) -> (Value, Vec<Value>) {
	let (convolve, linear): (Convolution, Linear) = match config.lane {
		Lane::F32 => (conv2d, linear),
		Lane::I8 => (conv2d_i8, linear_i8),
	};
	let mut params = Vec::new();
	let mut pixels = Pixels::from_rows(graph, x, config.height, config.width, config.channels);
	for (index, channels) in config.convolutions.iter().enumerate() {
		let (sum, w, b) = convolve(graph, &format!("convolution{index}"), pixels, *channels, 3, (1, 1));
		params.extend([w, b]);
		let active = sum.map(|value| graph.relu(value));
		pixels = max_pool(graph, active, 2, 2);
	}
	let rows = pixels.to_rows(graph);
	let (logits, w, b) = linear(graph, "output", rows, config.classes, None);
	params.extend([w, b]);
	(logits, params)
}
