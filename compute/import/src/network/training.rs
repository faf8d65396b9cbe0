//! Programs that train a decoder on from its weights, and that evaluate it.

use std::sync::Arc;

use assay_engine::{Cpu, Engine, State, Tensor};
use assay_models::{evaluate_language, softmax_cross_entropy, HeldOut, LanguageEvaluation, Model, Optimiser, Value};
use assay_program::{Header, Lane};

use super::{
	forward::{check_ids, finish_check},
	layers::Net,
	lora::{Adaptation, LoraTerms, Products},
	weights::Loader,
	Family, Weights,
};
use crate::{hf::Checkpoint, ImportError};

/// Most tokens of a step.
const MAX_TOKENS: u64 = 1 << 22;

/// How a decoder is trained on.
#[derive(Clone, Debug, PartialEq)]
pub struct FineTuning {
	/// How parameters change.
	pub optimiser: Optimiser,
	/// Low-rank parts are trained in place of the weights, which stay as they are and are no part of the state.
	pub lora: Option<LoraTerms>,
	/// How the products of attention's and feed-forward's linear layers are computed, forward and backward. Attention's own
	/// products, low-rank parts and the logits stay in f32.
	pub lane: Lane,
	/// Sequences per step, drawn with replacement.
	pub batch: u32,
	/// Steps of the job.
	pub steps: u64,
	/// Steps of a segment.
	pub segment_steps: u32,
	/// Seed of the batches and of low-rank parts.
	pub seed: [u8; 32],
}

impl FineTuning {
	fn header(&self) -> Header {
		let FineTuning { batch, steps, segment_steps, seed, lane, .. } = *self;
		Header { version: assay_program::validate::VERSION, lane, seed, steps, batch, segment_steps }
	}
}

/// The program that trains all weights of a decoder, or low-rank parts beside them, to predict the next token of `tokens`:
/// I32, a row per sequence of the positions and one more. Its metric is the batch's loss, nats per token. No dropout.
///
/// # Errors
/// [`ImportError`] when the model is no decoder, or tokens or settings do not fit it.
pub fn fine_tuning(
	family: &Family,
	checkpoint: &Checkpoint,
	tokens: &Tensor,
	config: &FineTuning,
) -> Result<Model, ImportError> {
	let mut net = network(family, checkpoint, tokens, config, config.batch)?;
	let data = net.constant("tokens", tokens.clone());
	let batch = net.graph.gather_batch(data, 0);
	let (logits, targets) = predictions(family, &mut net, batch)?;
	let Net { mut graph, weights, .. } = net;
	let targets = graph.one_hot(targets, family.vocabulary());
	let loss = softmax_cross_entropy(&mut graph, logits, targets);
	graph.metric(loss);
	let gradients = graph.gradients(loss, &weights.params);
	config.optimiser.apply(&mut graph, &weights.params, &gradients);
	Ok(Model { program: graph.finish(config.header())?, data: weights.given })
}

/// A program that evaluates what [`fine_tuning`] trains on `held_out`, I32 with a row per sequence as there, in as many steps
/// as it takes. Its state tensor [`assay_models::HELD_OUT_LOSS`] ends as the mean over all their tokens, nats.
///
/// # Errors
/// As of [`fine_tuning`].
pub fn fine_tuning_evaluation(
	family: &Family,
	checkpoint: &Checkpoint,
	held_out: &Tensor,
	config: &FineTuning,
) -> Result<Model, ImportError> {
	let rows = HeldOut::new(held_out, config.batch)?;
	let mut net = network(family, checkpoint, held_out, config, rows.batch)?;
	let data = net.constant("tokens", rows.tokens.clone());
	let batch = net.graph.next_batch(data);
	let (logits, targets) = predictions(family, &mut net, batch)?;
	let Net { mut graph, weights, .. } = net;
	rows.add_loss(&mut graph, logits, targets);
	Ok(Model { program: graph.finish(rows.header(config.header()))?, data: weights.given })
}

/// Evaluates what `config` has trained in `state`, a state of `trained`, on the sequences in `held_out`.
///
/// # Errors
/// As of [`fine_tuning_evaluation`], and [`ImportError::Evaluate`] if it cannot be run.
pub fn evaluate_fine_tuning(
	family: &Family,
	checkpoint: &Checkpoint,
	config: &FineTuning,
	trained: &Engine,
	state: &State,
	held_out: &Tensor,
	cpu: Arc<Cpu>,
) -> Result<LanguageEvaluation, ImportError> {
	let model = fine_tuning_evaluation(family, checkpoint, held_out, config)?;
	Ok(evaluate_language(model, trained, state, cpu)?)
}

/// An empty network for `batch` sequences of the length of those in `tokens`.
fn network<'a>(
	family: &Family,
	checkpoint: &'a Checkpoint,
	tokens: &Tensor,
	config: &FineTuning,
	batch: u32,
) -> Result<Net<'a>, ImportError> {
	let Some(length) = tokens.spec().cols.checked_sub(1).filter(|length| *length > 0) else {
		return Err(ImportError::Request("sequences need at least two tokens".into()));
	};
	check_ids(family, tokens, length)?;
	if u64::from(batch) * u64::from(length) > MAX_TOKENS {
		return Err(ImportError::Request("a batch of more than 2^22 tokens; take fewer sequences per step".into()));
	}
	config.lora.map_or(Ok(()), |terms| terms.check())?;
	let weights = if config.lora.is_some() { Weights::Frozen } else { Weights::Trained };
	let mut net = Net::new(Loader::new(checkpoint, weights), batch, length);
	let products = match config.lane {
		Lane::F32 => Products::Floats,
		Lane::I8 => Products::Int8,
	};
	net.adaptation = Adaptation { lora: config.lora, products };
	Ok(net)
}

/// Of a batch of sequences: the logits at each position and the tokens that follow.
fn predictions(family: &Family, net: &mut Net<'_>, batch: Value) -> Result<(Value, Value), ImportError> {
	let mut part = |first| {
		let columns = net.graph.columns(batch, first, net.length);
		net.graph.flatten(columns)
	};
	let (ids, targets) = (part(0), part(1));
	let logits = match family {
		Family::Gpt2(gpt2) => {
			let x = gpt2.hidden(net, ids)?;
			gpt2.logits(net, x)?
		}
		Family::Llama(llama) => {
			let x = llama.hidden(net, ids)?;
			llama.logits(net, x)?
		}
		Family::Bert(_) => return Err(ImportError::Request("an encoder does not predict next tokens".into())),
	};
	finish_check(family, net)?;
	Ok((logits, targets))
}
