//! Evaluation of language models on held-out sequences.

use std::{ops::ControlFlow, sync::Arc};

use assay_engine::{Cpu, Engine, RunError, State, Tensor};
use assay_program::{Axis, DType, Header, Init};

use crate::{BuildError, EvaluateError, Graph, Model, Value};

/// Name of the state tensor that an evaluation of a language model leaves the loss in.
pub const HELD_OUT_LOSS: &str = "evaluation.loss";

/// Stands for no token.
const NONE: u32 = u32::MAX;

/// How well a language model predicts held-out sequences.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LanguageEvaluation {
	/// Mean over all tokens, nats.
	pub loss: f32,
}

/// Held-out sequences, some at a time: what an evaluation program reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldOut {
	/// I32, a row per sequence. Rows of no tokens fill the last step up.
	pub tokens: Tensor,
	/// Sequences per step.
	pub batch: u32,
	/// Steps that go over all sequences once.
	pub steps: u32,
	/// Tokens to predict, of all sequences together.
	pub predicted: u64,
}

impl HeldOut {
	/// `sequences`, I32 with a row per sequence of the positions and one more, at most `batch` per step.
	pub fn new(sequences: &Tensor, batch: u32) -> Result<Self, BuildError> {
		let spec = sequences.spec();
		if batch == 0 {
			return Err(BuildError::Setting("batch"));
		}
		if spec.dtype != DType::I32 || spec.cols < 2 {
			return Err(BuildError::Data { what: "tokens per sequence", data: spec.cols, model: 2 });
		}
		let batch = batch.min(spec.rows);
		let steps = spec.rows.div_ceil(batch);
		let rows = steps.checked_mul(batch).ok_or(BuildError::Setting("2^32 - sequences"))?;
		let mut bits = sequences.bits().to_vec();
		bits.resize(rows as usize * spec.cols as usize, NONE);
		let tokens =
			Tensor::new(DType::I32, rows, spec.cols, bits).map_err(|_| BuildError::Setting("2^32 - tokens"))?;
		let predicted = u64::from(spec.rows) * u64::from(spec.cols - 1);
		Ok(Self { tokens, batch, steps, predicted })
	}

	/// The header of an evaluation, out of that of the training.
	pub fn header(&self, header: Header) -> Header {
		Header { steps: self.steps.into(), batch: self.batch, segment_steps: self.steps, ..header }
	}

	/// Adds a step's share to the loss in the state tensor [`HELD_OUT_LOSS`]: of `logits`, `[rows, tokens there are]`, for
	/// `targets`, a column of ids. A row whose target is no token adds nothing.
	pub fn add_loss(&self, graph: &mut Graph, logits: Value, targets: Value) {
		let vocabulary = graph.spec(logits).cols;
		let targets = graph.one_hot(targets, vocabulary);
		let largest = graph.max(logits, Axis::Cols);
		let shifted = graph.sub(logits, largest);
		let powers = graph.exp(shifted);
		let sums = graph.sum(powers, Axis::Cols);
		let log_sums = graph.log(sums);
		let log_softmax = graph.sub(shifted, log_sums);
		let picked = graph.mul(targets, log_softmax);
		let total = graph.sum_all(picked);
		let loss = graph.state(HELD_OUT_LOSS, 1, 1, Init::Zeros);
		let next = graph.fma(total, -1.0 / self.predicted as f32, loss);
		graph.update(loss, next);
		graph.metric(next);
	}
}

/// Runs the evaluation program `model` with the tensors in `state`, a state of `trained`.
pub fn evaluate_language(
	model: Model,
	trained: &Engine,
	state: &State,
	cpu: Arc<Cpu>,
) -> Result<LanguageEvaluation, EvaluateError> {
	let steps = model.program.header.steps;
	let engine = Engine::new(model.program, model.data, cpu)?;
	let mut state = engine.initial_state_with(|name| trained.state_tensor_named(state, name))?;
	engine.run(&mut state, steps, &mut |_| ControlFlow::Continue(()))?;
	let loss = engine.state_tensor_named(&state, HELD_OUT_LOSS).ok_or(RunError::ForeignState)?;
	Ok(LanguageEvaluation { loss: loss.to_f32().first().copied().unwrap_or(f32::NAN) })
}
