//! Programs that continue texts, and the check of what one generated in a single pass.

use assay_engine::Tensor;
use assay_models::{Model, Value};
use assay_program::{Axis, DType, Header, Init, Lane};

use super::{
	choice::{choose, ended},
	forward::{check_ids, finish_check},
	layers::Net,
	lora::Products,
	recipe,
	walk::Walk,
	weights::Loader,
	Family, Weights, OUTPUT,
};
use crate::{hf::Checkpoint, ImportError};

/// Name of the state tensor that holds each sequence's last token.
pub(crate) const CHOSEN: &str = "chosen";
/// Name of the state tensor that holds, for each slot, the sum of its positions' largest logits. It is there so that the state
/// after a segment follows only from all logits of the segment: nobody can state it who knows or guesses the tokens.
pub(crate) const PEAKS: &str = "peaks";
/// Name of the state tensor of ids that [`replay`] reads.
pub(crate) const REPLAYED: &str = "tokens";

/// Most positions of all prompts of a job together.
const MAX_POSITIONS: u64 = 1 << 26;
/// Most positions of a prompt: three tables have a row and a column for each.
const MAX_WINDOW: u32 = 1 << 13;
/// Stands for no token.
pub(crate) const NONE: u32 = u32::MAX;
/// Most tokens that end a text.
const MAX_ENDS: usize = 64;

/// How texts are continued.
#[derive(Clone, Debug, PartialEq)]
pub struct Generation {
	/// Prompts at a time.
	pub batch: u32,
	/// New tokens of each prompt.
	pub tokens: u32,
	/// What logits are divided by before a token is drawn; 0 takes the likeliest.
	pub temperature: f32,
	/// Groups of prompts of a segment.
	pub segment_groups: u32,
	/// Seed of the draws.
	pub seed: [u8; 32],
	/// How products with weights are computed; attention's own stay in f32.
	pub lane: Lane,
	/// Tokens that end a text. After one that was chosen every further token is the first of these; steps go on all the same.
	pub ends: Vec<u32>,
}

/// How a job's prompts are walked over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walked {
	/// Prompts.
	pub items: u32,
	/// Groups of as many prompts as go at a time.
	pub groups: u32,
	/// Positions of each sequence, which is also the steps of a group.
	pub window: u32,
}

impl Generation {
	/// How `prompts` are walked over.
	///
	/// # Errors
	/// [`ImportError::Request`] for settings or prompts that cannot be.
	pub fn walked(&self, family: &Family, prompts: &[Vec<u32>]) -> Result<Walked, ImportError> {
		let request = |problem: String| Err(ImportError::Request(problem));
		for (what, value) in [("batch", self.batch), ("tokens", self.tokens), ("segment_groups", self.segment_groups)] {
			if value == 0 {
				return request(format!("{what} is 0; use 1 or more"));
			}
		}
		if !(self.temperature.is_finite() && self.temperature >= 0.0) {
			return request(format!("temperature {} is not a number from 0", self.temperature));
		}
		let vocabulary = family.vocabulary();
		if self.ends.len() > MAX_ENDS {
			return request(format!("{} tokens that end a text, at most {MAX_ENDS}", self.ends.len()));
		}
		if let Some(end) = self.ends.iter().find(|end| **end >= vocabulary) {
			return request(format!("the token {end} that ends a text is outside of the vocabulary of {vocabulary}"));
		}
		let Some(longest) = prompts.iter().map(Vec::len).max() else {
			return request("no prompts".into());
		};
		if let Some(empty) = prompts.iter().position(Vec::is_empty) {
			return request(format!("prompt {empty} has no tokens"));
		}
		let items = u32::try_from(prompts.len()).unwrap_or(u32::MAX);
		let groups = items.div_ceil(self.batch);
		let window = u32::try_from(longest).unwrap_or(u32::MAX).saturating_add(self.tokens - 1);
		if window > family.context() {
			return request(format!(
				"{longest} tokens of a prompt and {} new ones; the model has {} positions",
				self.tokens,
				family.context()
			));
		}
		if window > MAX_WINDOW {
			return request(format!(
				"{window} positions of a text with its new tokens, at most {MAX_WINDOW}; take fewer"
			));
		}
		let positions = u64::from(groups) * u64::from(self.batch) * u64::from(window);
		if positions > MAX_POSITIONS {
			return request(format!("{positions} positions of prompts, at most {MAX_POSITIONS}; split the prompts"));
		}
		Ok(Walked { items, groups, window })
	}

	/// The tokens that continue each prompt, out of the state tensor [`OUTPUT`], up to the one that ends the text, which is not
	/// among them. The rows of `output` that are beyond the prompts' are left out.
	pub fn continuations(&self, prompts: &[Vec<u32>], output: &Tensor) -> Vec<Vec<u32>> {
		let cols = output.spec().cols.max(1) as usize;
		let bits = output.bits();
		let rows = prompts.iter().zip(bits.chunks(cols));
		let token = |bits: &u32| f32::from_bits(*bits) as u32;
		let new = |(prompt, row): (&Vec<u32>, &[u32])| {
			let new = row.iter().skip(prompt.len().saturating_sub(1)).take(self.tokens as usize).map(token);
			new.take_while(|token| !self.ends.contains(token)).collect()
		};
		rows.map(new).collect()
	}
}

/// The program that continues each prompt. A step is one position of one group of prompts, which all start at position 0;
/// a shorter prompt is continued for longer. Where the last group has fewer prompts than others, the last prompt fills it
/// up.
///
/// The state tensor [`OUTPUT`], F32 `[groups * batch, window]`, has a row for each slot of each group, so prompt `i` has row
/// `i` and the rows after the last prompt's are of no interest. It holds at `(i, p)` the token chosen after position `p`: a
/// prompt of `n` tokens is continued by columns `n - 1` on.
///
/// # Errors
/// [`ImportError`] when the model is no decoder, or prompts or settings do not fit it.
pub fn generation(
	family: &Family,
	checkpoint: &Checkpoint,
	prompts: &[Vec<u32>],
	config: &Generation,
) -> Result<Model, ImportError> {
	let Walked { items, groups, window } = config.walked(family, prompts)?;
	let (batch, slots) = (config.batch, groups * config.batch);
	let mut net = Net::new(Loader::new(checkpoint, Weights::Frozen), batch, 1);
	net.adaptation.products = Products::inference(config.lane);

	// One row per step and sequence, in the order of the steps.
	let at = |row: u32| {
		let (step, slot) = (row / batch, row % batch);
		(step / window * batch + slot, step % window)
	};
	let rows = groups * window * batch;
	let given = |row: u32| {
		let (slot, position) = at(row);
		prompts.get(slot.min(items - 1) as usize).and_then(|prompt| prompt.get(position as usize)).copied()
	};
	let prompt = net.ids("prompts", rows, |row| given(row).unwrap_or(NONE))?;
	check_tokens(family, prompts)?;
	let open = (0..rows).map(|row| f32::from(u8::from(given(row).is_none())).to_bits()).collect();
	let open = tensor("open", DType::F32, rows, open)?;
	let open = net.constant("open", open);
	let item = net.ids("items", rows, |row| at(row).0)?;
	let position = net.ids("positions", window * batch, |row| row / batch)?;
	let [prompt, open, item, position] = [prompt, open, item, position].map(|rows| net.graph.next_batch(rows));

	recipe::declare(&mut net, family, config)?;
	let chosen = net.graph.id_state(CHOSEN, batch);
	net.walk = Walk::Stepwise(Box::new(net.stepwise(window, position, chosen, open)?));
	let x = hidden(family, &mut net, prompt)?;
	let logits = logits(family, &mut net, x)?;
	finish_check(family, &net)?;
	let Walk::Stepwise(step) = &net.walk else { return Err(ImportError::Request("no walk".into())) };
	let here = step.here;
	let ended = match config.ends.first() {
		Some(end) => Some(ended(&mut net, family, &config.ends, *end, (chosen, open))?),
		None => None,
	};
	let next = choose(&mut net.graph, logits, config.temperature, ended);
	net.graph.update(chosen, next);

	let number = net.graph.dequantise(next, 1.0, 1.0);
	let row = net.graph.mul(here, number);
	let output = net.graph.state(OUTPUT, slots, window, Init::Zeros);
	let placed = net.graph.scatter_rows(item, row, slots);
	let all = net.graph.add(output, placed);
	net.graph.update(output, all);
	let peak = net.graph.max(logits, Axis::Cols);
	let peaks = net.graph.state(PEAKS, slots, 1, Init::Zeros);
	let placed = net.graph.scatter_rows(item, peak, slots);
	let all = net.graph.add(peaks, placed);
	net.graph.update(peaks, all);

	let header = Header {
		version: assay_program::validate::VERSION,
		lane: config.lane,
		seed: config.seed,
		steps: u64::from(groups) * u64::from(window),
		batch,
		segment_steps: config.segment_groups.saturating_mul(window),
	};
	Ok(Model { program: net.graph.finish(header)?, data: net.weights.given })
}

/// Rows that a pass computes logits of together: so many bound its memory, and use a processor as well as more would.
const ROWS_AT_ONCE: u32 = 512;

/// The positions of each part of a pass over `window` positions of `sequences` sequences.
pub(crate) fn parts(sequences: u32, window: u32) -> impl Iterator<Item = core::ops::Range<u32>> {
	let at_once = (ROWS_AT_ONCE / sequences.max(1)).max(1);
	let starts = (0..window).step_by(at_once as usize);
	starts.map(move |start| start..start.saturating_add(at_once).min(window))
}

/// The program that computes what [`generation`] computes at each position of `sequences` sequences of `window` tokens, bit
/// for bit and in one step. It reads the ids from the state tensor [`REPLAYED`] and is no job of its own.
///
/// For part `i` of [`parts`] it leaves, a row for each sequence of each position, in the state tensor `chosen.i` the
/// likeliest token, or where `temperature` is not 0 in `output.i` the logits divided by it; and in `peaks.i` the largest logit.
pub(crate) fn replay(
	family: &Family,
	checkpoint: &Checkpoint,
	sequences: u32,
	window: u32,
	(temperature, lane): (f32, Lane),
) -> Result<Model, ImportError> {
	let mut net = Net::new(Loader::new(checkpoint, Weights::Frozen), sequences, window);
	net.adaptation.products = Products::inference(lane);
	net.walk = Walk::Replayed;
	let ids = net.graph.id_state(REPLAYED, sequences.saturating_mul(window));
	let x = hidden(family, &mut net, ids)?;
	for (part, positions) in parts(sequences, window).enumerate() {
		let rows = (positions.end - positions.start) * sequences;
		let of = |row: u32| row % sequences * window + positions.start + row / sequences;
		let rows = net.ids(&format!("rows.{part}"), rows, of)?;
		let x = net.graph.lookup(x, rows);
		let logits = logits(family, &mut net, x)?;
		let spec = net.graph.spec(logits);
		let (state, value) = if temperature == 0.0 {
			(net.graph.id_state(&format!("{CHOSEN}.{part}"), spec.rows), net.graph.arg_max(logits))
		} else {
			let scaled = net.graph.mul(logits, 1.0 / temperature);
			(net.graph.state(&format!("{OUTPUT}.{part}"), spec.rows, spec.cols, Init::Zeros), scaled)
		};
		net.graph.update(state, value);
		let peaks = net.graph.state(&format!("{PEAKS}.{part}"), spec.rows, 1, Init::Zeros);
		let peak = net.graph.max(logits, Axis::Cols);
		net.graph.update(peaks, peak);
	}
	finish_check(family, &net)?;
	let version = assay_program::validate::VERSION;
	let header = Header { version, lane, seed: [0; 32], steps: 1, batch: 1, segment_steps: 1 };
	Ok(Model { program: net.graph.finish(header)?, data: net.weights.given })
}

fn hidden(family: &Family, net: &mut Net<'_>, ids: Value) -> Result<Value, ImportError> {
	match family {
		Family::Gpt2(gpt2) => gpt2.hidden(net, ids),
		Family::Llama(llama) => llama.hidden(net, ids),
		Family::Bert(_) => Err(ImportError::Request("an encoder does not generate".into())),
	}
}

fn logits(family: &Family, net: &mut Net<'_>, x: Value) -> Result<Value, ImportError> {
	match family {
		Family::Gpt2(gpt2) => gpt2.logits(net, x),
		Family::Llama(llama) => llama.logits(net, x),
		Family::Bert(_) => Err(ImportError::Request("an encoder does not generate".into())),
	}
}

fn check_tokens(family: &Family, prompts: &[Vec<u32>]) -> Result<(), ImportError> {
	let tokens: Vec<u32> = prompts.iter().flatten().copied().collect();
	let rows = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
	check_ids(family, &tensor("prompts", DType::I32, rows, tokens)?, 1)
}

fn tensor(name: &str, dtype: DType, rows: u32, bits: Vec<u32>) -> Result<Tensor, ImportError> {
	Tensor::new(dtype, rows, 1, bits).map_err(|error| ImportError::Request(format!("{name}: {error}")))
}
