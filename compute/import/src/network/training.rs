//! A program that trains a decoder on from its weights.

use assay_engine::Tensor;
use assay_models::{softmax_cross_entropy, Model, Optimiser};
use assay_program::{Header, Lane};

use super::{
	forward::{check_ids, finish_check},
	layers::Net,
	weights::Loader,
	Family, Weights,
};
use crate::{hf::Checkpoint, ImportError};

/// How a decoder is trained on.
#[derive(Clone, Debug, PartialEq)]
pub struct FineTuning {
	/// How parameters change.
	pub optimiser: Optimiser,
	/// Sequences per step, drawn with replacement.
	pub batch: u32,
	/// Steps of the job.
	pub steps: u64,
	/// Steps of a segment.
	pub segment_steps: u32,
	/// Seed of the batches.
	pub seed: [u8; 32],
}

/// The program that trains all weights of a decoder to predict the next token of `tokens`, I32, a row per sequence of the
/// positions and one more. Its metric is the batch's loss, nats per token. No dropout.
pub fn fine_tuning(
	family: &Family,
	checkpoint: &Checkpoint,
	tokens: &Tensor,
	config: &FineTuning,
) -> Result<Model, ImportError> {
	let spec = tokens.spec();
	let Some(length) = spec.cols.checked_sub(1).filter(|length| *length > 0) else {
		return Err(ImportError::Request("sequences need at least two tokens".into()));
	};
	check_ids(family, tokens, length)?;
	if u64::from(config.batch) * u64::from(length) > 1 << 22 {
		return Err(ImportError::Request("a batch of more than 2^22 tokens; take fewer sequences per step".into()));
	}
	let mut net = Net::new(Loader::new(checkpoint, Weights::Trained), config.batch, length);
	let data = net.constant("tokens", tokens.clone());
	let batch = net.graph.gather_batch(data, 0);
	let (ids, targets) = (net.graph.columns(batch, 0, length), net.graph.columns(batch, 1, length));
	let (ids, targets) = (net.graph.flatten(ids), net.graph.flatten(targets));
	let logits = match family {
		Family::Gpt2(gpt2) => {
			let x = gpt2.hidden(&mut net, ids)?;
			gpt2.logits(&mut net, x)?
		}
		Family::Llama(llama) => {
			let x = llama.hidden(&mut net, ids)?;
			llama.logits(&mut net, x)?
		}
		Family::Bert(_) => return Err(ImportError::Request("an encoder does not predict next tokens".into())),
	};
	finish_check(family, &net)?;
	let Net { mut graph, weights, .. } = net;
	let targets = graph.one_hot(targets, family.vocabulary());
	let loss = softmax_cross_entropy(&mut graph, logits, targets);
	graph.metric(loss);
	let gradients = graph.gradients(loss, &weights.params);
	config.optimiser.apply(&mut graph, &weights.params, &gradients);
	let FineTuning { batch, steps, segment_steps, seed, .. } = *config;
	let version = assay_program::validate::VERSION;
	let header = Header { version, lane: Lane::F32, seed, steps, batch, segment_steps };
	Ok(Model { program: graph.finish(header)?, data: weights.given })
}
