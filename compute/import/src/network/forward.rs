//! A program of one step that runs a network forward.

use assay_engine::Tensor;
use assay_models::{Model, Value};
use assay_program::{DType, Header, Init, Lane};

use super::{layers::Net, weights::Loader, Family, Weights};
use crate::{hf::Checkpoint, ImportError};

/// Name of the state tensor in which a forward program leaves its output.
pub const OUTPUT: &str = "output";

/// Most elements of a batch's ids.
const MAX_ROWS: u64 = 1 << 22;

/// What a network reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
	/// I32 `[sequences, positions]`, tokens of the vocabulary.
	pub ids: Tensor,
	/// F32 of the same shape, 1 at a token and 0 at padding; all tokens if there is none. For encoders: a decoder's
	/// position never sees the padding after it.
	pub mask: Option<Tensor>,
	/// I32 of the same shape, types of the tokens; all 0 if there is none. For encoders.
	pub types: Option<Tensor>,
}

impl Inputs {
	/// Tokens alone.
	pub fn tokens(ids: Tensor) -> Self {
		Self { ids, mask: None, types: None }
	}
}

/// Positions whose output is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rows {
	/// All: the output has a row per position, sequence after sequence.
	#[default]
	Every,
	/// The last of each sequence. For decoders.
	Last,
}

/// How a forward program is built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forward {
	/// What the weights are in the program.
	pub weights: Weights,
	/// Positions whose output is kept.
	pub rows: Rows,
}

/// The program that computes the network's output on `inputs`, in the state tensor [`OUTPUT`]: logits, or an encoder's
/// activations where it has no head.
///
/// Every weight is read once, for its root and as data of the model, so memory is that of the weights in f32.
pub fn forward(
	family: &Family,
	checkpoint: &Checkpoint,
	inputs: &Inputs,
	options: &Forward,
) -> Result<Model, ImportError> {
	let spec = inputs.ids.spec();
	check(family, inputs, options)?;
	let mut net = Net::new(Loader::new(checkpoint, options.weights), spec.rows, spec.cols);
	let ids = column(&mut net, "ids", &inputs.ids);
	let mut x = match family {
		Family::Gpt2(gpt2) => gpt2.hidden(&mut net, ids)?,
		Family::Llama(llama) => llama.hidden(&mut net, ids)?,
		Family::Bert(bert) => {
			let types = match &inputs.types {
				Some(types) => column(&mut net, "types", types),
				None => net.ids("types", net.rows(), |_| 0)?,
			};
			let mask = inputs.mask.clone().map(|mask| net.constant("mask", mask));
			bert.hidden(&mut net, ids, mask, types)?
		}
	};
	if options.rows == Rows::Last {
		let length = spec.cols;
		let last = net.ids("last_positions", spec.rows, |sequence| sequence * length + length - 1)?;
		x = net.graph.lookup(x, last);
	}
	let output = match family {
		Family::Gpt2(gpt2) => gpt2.logits(&mut net, x)?,
		Family::Llama(llama) => llama.logits(&mut net, x)?,
		Family::Bert(bert) => bert.output(&mut net, x)?,
	};
	finish_check(family, &net)?;
	finish(net, output)
}

/// One step that leaves `output` in the state.
fn finish(mut net: Net<'_>, output: Value) -> Result<Model, ImportError> {
	let shape = net.graph.spec(output);
	let state = net.graph.state(OUTPUT, shape.rows, shape.cols, Init::Zeros);
	net.graph.update(state, output);
	Ok(Model { program: net.graph.finish(header())?, data: net.weights.given })
}

fn header() -> Header {
	let version = assay_program::validate::VERSION;
	Header { version, lane: Lane::F32, seed: [0; 32], steps: 1, batch: 1, segment_steps: 1 }
}

/// Fails if the checkpoint has tensors that the network did not read.
pub(crate) fn finish_check(family: &Family, net: &Net<'_>) -> Result<(), ImportError> {
	net.weights.finish(|name| match family {
		Family::Gpt2(gpt2) => gpt2.is_spare(name),
		Family::Llama(llama) => llama.is_spare(name),
		Family::Bert(bert) => bert.is_spare(name),
	})
}

/// A matrix of ids as a column.
fn column(net: &mut Net<'_>, name: &str, ids: &Tensor) -> Value {
	let ids = net.constant(name, ids.clone());
	net.graph.flatten(ids)
}

fn check(family: &Family, inputs: &Inputs, options: &Forward) -> Result<(), ImportError> {
	let request = |problem: String| Err(ImportError::Request(problem));
	check_ids(family, &inputs.ids, inputs.ids.spec().cols)?;
	let Family::Bert(bert) = family else {
		if inputs.mask.is_some() || inputs.types.is_some() {
			return request("a decoder takes tokens only; fill sequences up at the end".into());
		}
		return Ok(());
	};
	if options.rows == Rows::Last {
		return request("an encoder has no last position; ask for every row".into());
	}
	let spec = inputs.ids.spec();
	let same = |tensor: &Tensor, dtype| {
		(tensor.spec().rows, tensor.spec().cols, tensor.spec().dtype) == (spec.rows, spec.cols, dtype)
	};
	if inputs.mask.as_ref().is_some_and(|mask| !same(mask, DType::F32) || !mask.to_f32().iter().all(is_binary)) {
		return request("the mask must be F32 of the shape of the ids, each element 0 or 1".into());
	}
	let known = |types: &Tensor| types.bits().iter().all(|id| *id < bert.types);
	if inputs.types.as_ref().is_some_and(|types| !same(types, DType::I32) || !known(types)) {
		return request(format!("token types must be I32 of the shape of the ids, each below {}", bert.types));
	}
	Ok(())
}

fn is_binary(value: &f32) -> bool {
	*value == 0.0 || *value == 1.0
}

/// Ids of the vocabulary, and `length` positions that the model has.
pub(crate) fn check_ids(family: &Family, ids: &Tensor, length: u32) -> Result<(), ImportError> {
	let (spec, request) = (ids.spec(), |problem: String| Err(ImportError::Request(problem)));
	if spec.dtype != DType::I32 {
		return request("token ids must be I32".into());
	}
	if spec.elements() > MAX_ROWS {
		return request(format!("{} tokens at once; split them over several programs", spec.elements()));
	}
	let context = family.context();
	if length > context {
		return request(format!("sequences of {length} positions; the model has {context}"));
	}
	let vocabulary = family.vocabulary();
	match ids.bits().iter().find(|id| **id >= vocabulary) {
		Some(id) => request(format!("token {} is outside of the vocabulary of {vocabulary}", *id as i32)),
		None => Ok(()),
	}
}
