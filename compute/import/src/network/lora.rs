//! Low-rank adaptation (Hu and others, 2021) of imported networks.

use assay_engine::{Engine, State, Tensor};
use assay_models::Value;
use assay_program::{DType, Init, Lane};

use super::{layers::Net, Family, FineTuning};
use crate::{error::TensorProblem, hf::Checkpoint, ImportError};

/// A low-rank part beside each linear layer of attention and feed-forward: `x W + (x A) B * (alpha / rank)`, of which only
/// `A` and `B` are trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoraTerms {
	/// Columns of `A` and rows of `B`.
	pub rank: u32,
	/// Times `1 / rank`, the scale of the part.
	pub alpha: f32,
}

impl LoraTerms {
	pub(crate) fn check(&self) -> Result<(), ImportError> {
		if self.rank == 0 || self.rank > 1 << 16 {
			return Err(ImportError::Request(format!("rank {} of the low-rank parts; use 1 to 65536", self.rank)));
		}
		if !(self.alpha.is_finite() && self.alpha > 0.0) {
			return Err(ImportError::Request(format!("alpha {} is not a number above 0", self.alpha)));
		}
		Ok(())
	}

	fn scale(&self) -> f32 {
		self.alpha / self.rank as f32
	}
}

/// How linear layers of attention and feed-forward are computed and trained.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Adaptation {
	pub(crate) lora: Option<LoraTerms>,
	/// Of their products. Low-rank parts are in f32.
	pub(crate) products: Products,
}

/// How products with weights are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Products {
	/// In f32.
	#[default]
	Floats,
	/// In int8, weights quantised in each step: they may change.
	Int8,
	/// In int8, weights quantised when the program is built; the logits too.
	Int8Weights,
}

impl Products {
	/// Of weights that stay.
	pub(crate) fn inference(lane: Lane) -> Self {
		match lane {
			Lane::F32 => Self::Floats,
			Lane::I8 => Self::Int8Weights,
		}
	}
}

impl Net<'_> {
	/// `product`, which is `x W` of the layer `name`, with the layer's low-rank part. `{name}.lora_b` is zero at first, so
	/// that training starts from the layer as it is.
	pub(crate) fn low_rank(&mut self, name: &str, terms: LoraTerms, x: Value, product: Value) -> Value {
		let graph = &mut self.graph;
		let (inputs, outputs) = (graph.spec(x).cols, graph.spec(product).cols);
		let bound = (3.0 / inputs as f32).sqrt();
		let a = graph.uniform_param(&format!("{name}.lora_a"), inputs, terms.rank, bound);
		let b = graph.param(&format!("{name}.lora_b"), terms.rank, outputs, Init::Zeros);
		let inner = graph.matmul(x, a);
		let part = graph.matmul(inner, b);
		self.weights.params.extend([a, b]);
		self.graph.fma(part, terms.scale(), product)
	}
}

/// The tensors of the checkpoint as `config` has trained them in `state`, a state of `trained`: the parameters themselves, or
/// the weights with their low-rank parts added, `W + A B * (alpha / rank)`. They are what to export.
///
/// # Errors
/// As of [`Checkpoint::read`]; [`ImportError::Request`] if a low-rank part does not fit its weight.
pub fn fine_tuned(
	family: &Family,
	checkpoint: &Checkpoint,
	config: &FineTuning,
	trained: &Engine,
	state: &State,
) -> Result<Vec<(String, Tensor)>, ImportError> {
	let named = |name: &str| trained.state_tensor_named(state, name);
	let mut tensors = Vec::new();
	for name in checkpoint.names() {
		let tensor = match (config.lora, name.strip_suffix(".weight")) {
			(None, _) => named(name).map_or_else(|| checkpoint.read(name), Ok)?,
			(Some(terms), Some(layer)) => {
				let weight = checkpoint.read(name)?;
				match (named(&format!("{layer}.lora_a")), named(&format!("{layer}.lora_b"))) {
					(Some(a), Some(b)) => merged(family, name, &weight, &a, &b, terms.scale())?,
					_ => weight,
				}
			}
			(Some(_), None) => checkpoint.read(name)?,
		};
		tensors.push((name.to_owned(), tensor));
	}
	Ok(tensors)
}

/// `weight + a b * scale`; of a decoder of Llama's family the weight is stored transposed.
fn merged(
	family: &Family,
	name: &str,
	weight: &Tensor,
	a: &Tensor,
	b: &Tensor,
	scale: f32,
) -> Result<Tensor, ImportError> {
	let transposed = !matches!(family, Family::Gpt2(_));
	let (inputs, outputs) = (a.spec().rows as usize, b.spec().cols as usize);
	let rank = b.spec().rows as usize;
	let spec = weight.spec();
	let stored = if transposed { (outputs, inputs) } else { (inputs, outputs) };
	if (spec.rows as usize, spec.cols as usize) != stored || a.spec().cols as usize != rank {
		return Err(ImportError::Request(format!("the low-rank part of `{name}` is not of this model")));
	}
	let (mut sums, a, b) = (weight.to_f32(), a.to_f32(), b.to_f32());
	let mut row = vec![0f64; outputs];
	for (input, terms) in a.chunks(rank).enumerate() {
		row.fill(0.0);
		for (term, b) in terms.iter().zip(b.chunks(outputs)) {
			for (sum, b) in row.iter_mut().zip(b) {
				*sum += f64::from(*term) * f64::from(*b);
			}
		}
		let (first, stride) = if transposed { (input, inputs) } else { (input * outputs, 1) };
		for (element, sum) in sums.iter_mut().skip(first).step_by(stride).zip(&row) {
			*element = (f64::from(*element) + sum * f64::from(scale)) as f32;
		}
	}
	let bits = sums.into_iter().map(f32::to_bits).collect();
	Tensor::new(DType::F32, spec.rows, spec.cols, bits)
		.map_err(|_| ImportError::Request(format!("{name}: {}", TensorProblem::Memory(spec.elements()))))
}
