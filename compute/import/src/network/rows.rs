//! Programs that turn each of many texts into a row of numbers.

use assay_engine::Tensor;
use assay_models::{Graph, Model, Value};
use assay_program::{Axis, DType, Header, Init, Lane, TensorId};

use super::{
	forward::{check_ids, finish_check},
	layers::Net,
	lora::Products,
	weights::Loader,
	BertHead, Family, Weights, OUTPUT,
};
use crate::{hf::Checkpoint, ImportError};

/// Most positions of all texts of a job together.
const MAX_POSITIONS: u64 = 1 << 26;

/// What is made of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
	/// The mean of its positions' activations.
	Mean,
	/// The activation of its first position. For encoders.
	First,
	/// The activation of its last position.
	Last,
	/// The logits of its class. For encoders with such a head.
	Classes,
}

/// How texts are turned into rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batches {
	/// Texts per step.
	pub batch: u32,
	/// Positions of a sequence; 0 for as many as the longest text has.
	pub length: u32,
	/// What is made of each.
	pub pooling: Pooling,
	/// Steps of a segment.
	pub segment_steps: u32,
	/// How products with weights are computed; attention's own stay in f32.
	pub lane: Lane,
}

/// The program that computes a row for each text, a group of `batch` texts per step. The state tensor [`OUTPUT`] holds row
/// `i` for text `i`.
///
/// # Errors
/// [`ImportError`] when texts or settings do not fit the model.
pub fn rows(
	family: &Family,
	checkpoint: &Checkpoint,
	texts: &[Vec<u32>],
	config: &Batches,
) -> Result<Model, ImportError> {
	let (items, length) = check(family, texts, config)?;
	let batch = config.batch;
	let slots = items.div_ceil(batch) * batch;
	let mut net = Net::new(Loader::new(checkpoint, Weights::Frozen), batch, length);
	net.adaptation.products = Products::inference(config.lane);
	let of = |slot: u32| texts.get(slot as usize).map_or(&[0][..], Vec::as_slice);
	let by_position = |value: &dyn Fn(&[u32], u32) -> u32| -> Vec<u32> {
		(0..slots)
			.flat_map(|slot| (0..length).map(move |at| (slot, at)))
			.map(|(slot, at)| value(of(slot), at))
			.collect()
	};
	let ids = by_position(&|text, at| text.get(at as usize).copied().unwrap_or(0));
	let ids = matrix("ids", DType::I32, slots, length, ids)?;
	check_ids(family, &ids, length)?;
	let mask = by_position(&|text, at| f32::from(u8::from((at as usize) < text.len())).to_bits());
	let mask = matrix("mask", DType::F32, slots, length, mask)?;
	let ids = net.constant("ids", ids);
	let mask = net.constant("mask", mask);
	let [ids, mask] = [ids, mask].map(|table| net.graph.next_batch(table));
	let ids = net.graph.flatten(ids);

	let x = match family {
		Family::Gpt2(gpt2) => gpt2.hidden(&mut net, ids)?,
		Family::Llama(llama) => llama.hidden(&mut net, ids)?,
		Family::Bert(bert) => {
			let types = net.ids("types", net.rows(), |_| 0)?;
			bert.hidden(&mut net, ids, Some(mask), types)?
		}
	};
	let pooled = pool(family, &mut net, x, mask, config.pooling, slots, &of)?;
	// The head over tokens, and its bias, are not read.
	if !matches!(config.pooling, Pooling::Classes) {
		net.weights.skip(|name| is_head(family, name));
	}
	finish_check(family, &net)?;

	keep_rows(&mut net.graph, &mut net.weights.given, pooled, (items, batch))?;
	let header = Header {
		version: assay_program::validate::VERSION,
		lane: config.lane,
		seed: [0; 32],
		steps: u64::from(slots / batch),
		batch,
		segment_steps: config.segment_steps,
	};
	Ok(Model { program: net.graph.finish(header)?, data: net.weights.given })
}

/// Leaves `rows`, those of a step, in the state tensor [`OUTPUT`], which has a row for each of `items` items. The last step's
/// may be more than are left.
pub(crate) fn keep_rows(
	graph: &mut Graph,
	given: &mut Vec<(TensorId, Tensor)>,
	rows: Value,
	(items, batch): (u32, u32),
) -> Result<(), ImportError> {
	let slots = items.div_ceil(batch).saturating_mul(batch);
	let ids = (0..slots).map(|slot| if slot < items { slot } else { u32::MAX }).collect();
	let ids = matrix("items", DType::I32, slots, 1, ids)?;
	let item = graph.data("items", ids.spec(), ids.root());
	given.extend(item.tensor().map(|id| (id, ids)));
	let item = graph.next_batch(item);
	let output = graph.state(OUTPUT, items, graph.spec(rows).cols, Init::Zeros);
	let placed = graph.scatter_rows(item, rows, items);
	let all = graph.add(output, placed);
	graph.update(output, all);
	Ok(())
}

fn pool<'a>(
	family: &Family,
	net: &mut Net<'_>,
	x: Value,
	mask: Value,
	pooling: Pooling,
	slots: u32,
	of: &dyn Fn(u32) -> &'a [u32],
) -> Result<Value, ImportError> {
	let (batch, length) = (net.batch, net.length);
	Ok(match pooling {
		Pooling::Mean => {
			let sums = net.graph.block_matmul((mask, false), (x, false), batch, 1);
			let counts = net.graph.sum(mask, Axis::Cols);
			net.graph.div(sums, counts)
		}
		Pooling::First => {
			let first = net.ids("first_positions", batch, |sequence| sequence * length)?;
			net.graph.lookup(x, first)
		}
		Pooling::Last => {
			let last = |slot: u32| slot % batch * length + (of(slot).len() as u32).saturating_sub(1);
			let last = net.ids("last_positions", slots, last)?;
			let last = net.graph.next_batch(last);
			net.graph.lookup(x, last)
		}
		Pooling::Classes => match family {
			Family::Bert(bert) => bert.output(net, x)?,
			_ => return Err(ImportError::Request("only an encoder with a classification head classifies".into())),
		},
	})
}

/// Weights that only turn activations into logits.
fn is_head(family: &Family, name: &str) -> bool {
	match family {
		Family::Bert(_) => {
			name.starts_with("cls.") || name.starts_with("classifier.") || name.contains("pooler.dense.")
		}
		_ => name == "lm_head.weight",
	}
}

/// Texts, and positions of a sequence.
fn check(family: &Family, texts: &[Vec<u32>], config: &Batches) -> Result<(u32, u32), ImportError> {
	let request = |problem: String| Err(ImportError::Request(problem));
	if config.batch == 0 || config.segment_steps == 0 {
		return request("batch and steps of a segment are at least 1".into());
	}
	let Some(longest) = texts.iter().map(Vec::len).max() else {
		return request("no texts".into());
	};
	if let Some(empty) = texts.iter().position(Vec::is_empty) {
		return request(format!("text {empty} has no tokens"));
	}
	let longest = u32::try_from(longest).unwrap_or(u32::MAX);
	let length = if config.length == 0 { longest } else { config.length };
	if longest > length {
		return request(format!("a text has {longest} tokens, a sequence {length}"));
	}
	if length > family.context() {
		return request(format!("sequences of {length} positions; the model has {}", family.context()));
	}
	let classifies = matches!(family, Family::Bert(bert) if bert.head == BertHead::Classification);
	match (config.pooling, family) {
		(Pooling::Classes, _) if !classifies => {
			return request("the model has no classification head; embed instead".into());
		}
		(Pooling::First, Family::Gpt2(_) | Family::Llama(_)) => {
			return request("a decoder's first position knows nothing of the text; use its last or the mean".into());
		}
		_ => {}
	}
	let items = u32::try_from(texts.len()).unwrap_or(u32::MAX);
	let positions = (u64::from(items) + u64::from(config.batch)) * u64::from(length);
	if positions > MAX_POSITIONS {
		return request(format!("{positions} positions of texts, at most {MAX_POSITIONS}; split them"));
	}
	Ok((items, length))
}

fn matrix(name: &str, dtype: DType, rows: u32, cols: u32, bits: Vec<u32>) -> Result<Tensor, ImportError> {
	Tensor::new(dtype, rows, cols, bits).map_err(|error| ImportError::Request(format!("{name}: {error}")))
}
