//! A network under construction, and the layers that families share.

use std::collections::BTreeMap;

use assay_engine::Tensor;
use assay_models::{gelu, gelu_erf, Graph, Value};
use assay_program::{Axis, DType, TensorId};
use codec::{Decode, Encode};

use super::{
	lora::{Adaptation, Products},
	walk::Walk,
	weights::Loader,
};
use crate::{error::FieldProblem, hf::Fields, ImportError};

/// A graph, the weights it reads, and the batch it is for: `batch` sequences of `length` positions. Activations have one
/// row per position, sequence after sequence.
#[derive(Debug)]
pub(crate) struct Net<'a> {
	pub(crate) graph: Graph,
	pub(crate) weights: Loader<'a>,
	pub(crate) batch: u32,
	pub(crate) length: u32,
	/// Which positions a step computes.
	pub(crate) walk: Walk,
	/// How linear layers are computed and trained.
	pub(crate) adaptation: Adaptation,
	/// Position of each row, once asked for.
	positions: Option<Value>,
	/// By activation: itself in int8, and its scales.
	int8: BTreeMap<TensorId, (Value, Value)>,
}

/// Most rows that an op over all positions and heads works on.
const MAX_IDS: u32 = 1 << 26;

/// A nonlinearity that configurations name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Nonlinearity {
	/// `max(x, 0)`.
	Relu,
	/// Hyperbolic tangent.
	Tanh,
	/// `x * sigmoid(x)`.
	Silu,
	/// GELU, tanh form.
	GeluTanh,
	/// GELU, exact form.
	GeluErf,
}

impl Nonlinearity {
	pub(crate) fn from_fields(fields: &mut Fields, name: &str) -> Result<Self, ImportError> {
		let found = fields.text(name)?;
		Ok(match found.as_str() {
			"relu" => Nonlinearity::Relu,
			"tanh" => Nonlinearity::Tanh,
			"silu" | "swish" => Nonlinearity::Silu,
			"gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Nonlinearity::GeluTanh,
			"gelu" | "gelu_python" => Nonlinearity::GeluErf,
			_ => {
				let supported = "relu, tanh, silu, gelu, gelu_new, gelu_pytorch_tanh";
				let found = crate::error::shortened(&found);
				return Err(fields.error(name, FieldProblem::Unsupported { found, supported }));
			}
		})
	}

	fn apply(self, graph: &mut Graph, x: Value) -> Value {
		match self {
			Nonlinearity::Relu => graph.relu(x),
			Nonlinearity::Tanh => graph.tanh(x),
			Nonlinearity::GeluTanh => gelu(graph, x),
			Nonlinearity::GeluErf => gelu_erf(graph, x),
			Nonlinearity::Silu => {
				let gate = graph.sigmoid(x);
				graph.mul(x, gate)
			}
		}
	}
}

/// How a linear layer's weight is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
	/// `[inputs, outputs]`.
	InputsFirst,
	/// `[outputs, inputs]`.
	OutputsFirst,
}

impl<'a> Net<'a> {
	pub(crate) fn new(weights: Loader<'a>, batch: u32, length: u32) -> Self {
		Self {
			graph: Graph::new(batch),
			weights,
			batch,
			length,
			walk: Walk::Whole,
			adaptation: Adaptation::default(),
			positions: None,
			int8: BTreeMap::new(),
		}
	}

	pub(crate) fn weight(&mut self, name: &str, shape: &[u32]) -> Result<Value, ImportError> {
		self.weights.weight(&mut self.graph, name, shape)
	}

	pub(crate) fn constant(&mut self, name: &str, tensor: Tensor) -> Value {
		self.weights.constant(&mut self.graph, name, tensor)
	}

	/// `rows` ids, `id` of each row, as an I32 column.
	pub(crate) fn ids(&mut self, name: &str, rows: u32, id: impl Fn(u32) -> u32) -> Result<Value, ImportError> {
		if rows > MAX_IDS {
			return Err(ImportError::Request(format!("{name}: {rows} rows; take fewer or shorter sequences")));
		}
		let tensor = Tensor::new(DType::I32, rows, 1, (0..rows).map(id).collect());
		let tensor = tensor.map_err(|error| ImportError::Request(format!("{name}: {error}")))?;
		Ok(self.constant(name, tensor))
	}

	/// Rows of an activation. [`super::forward`] bounds the product.
	pub(crate) fn rows(&self) -> u32 {
		self.batch.saturating_mul(self.length)
	}

	/// The position of each row.
	pub(crate) fn positions(&mut self) -> Result<Value, ImportError> {
		if let Walk::Stepwise(step) = &self.walk {
			return Ok(step.position);
		}
		if let Some(positions) = self.positions {
			return Ok(positions);
		}
		let length = self.length.max(1);
		let positions = self.ids("positions", self.rows(), |row| row % length)?;
		self.positions = Some(positions);
		Ok(positions)
	}

	/// `x W + b`, with `{name}.weight` and, if `bias`, `{name}.bias`.
	pub(crate) fn linear(
		&mut self,
		name: &str,
		x: Value,
		outputs: u32,
		stored: Stored,
		bias: bool,
	) -> Result<Value, ImportError> {
		let inputs = self.graph.spec(x).cols;
		let shape = match stored {
			Stored::InputsFirst => [inputs, outputs],
			Stored::OutputsFirst => [outputs, inputs],
		};
		let mut product = self.product(&format!("{name}.weight"), x, shape, stored)?;
		if let Some(terms) = self.adaptation.lora {
			product = self.low_rank(name, terms, x, product);
		}
		if !bias {
			return Ok(product);
		}
		let b = self.weight(&format!("{name}.bias"), &[outputs])?;
		Ok(self.graph.add(product, b))
	}

	fn product(&mut self, name: &str, x: Value, shape: [u32; 2], stored: Stored) -> Result<Value, ImportError> {
		let transposed = stored == Stored::OutputsFirst;
		if self.adaptation.products == Products::Int8Weights {
			let (bytes, columns) = self.weights.int8_weight(&mut self.graph, name, shape, stored)?;
			let (x, rows) = self.int8_rows(x);
			let sums = self.graph.int8_matmul(x, false, bytes, transposed);
			return Ok(self.graph.dequantise(sums, rows, columns));
		}
		let w = self.weight(name, &shape)?;
		Ok(match self.adaptation.products {
			Products::Int8 => self.graph.matmul_i8_transposed(x, false, w, transposed),
			_ => self.graph.matmul_transposed(x, false, w, transposed),
		})
	}

	/// An activation in int8, once however many layers read it, and the scale of each row.
	fn int8_rows(&mut self, x: Value) -> (Value, Value) {
		let known = x.tensor().and_then(|id| self.int8.get(&id)).copied();
		let found = known.unwrap_or_else(|| self.graph.quantise_rows(x));
		self.int8.extend(x.tensor().map(|id| (id, found)));
		found
	}

	/// Logits: `x W^T` with the weight `name`, `[tokens there are, columns of x]`, without a low-rank part. In training they are
	/// in f32.
	pub(crate) fn output_layer(&mut self, name: &str, x: Value, vocabulary: u32) -> Result<Value, ImportError> {
		let shape = [vocabulary, self.graph.spec(x).cols];
		if self.adaptation.products == Products::Int8Weights {
			return self.product(name, x, shape, Stored::OutputsFirst);
		}
		let w = self.weight(name, &shape)?;
		Ok(self.graph.matmul_transposed(x, false, w, true))
	}

	/// `(x - mean) / sqrt(variance + epsilon) * weight + bias`, by rows.
	pub(crate) fn layer_norm(&mut self, name: &str, x: Value, epsilon: f32) -> Result<Value, ImportError> {
		let cols = self.graph.spec(x).cols;
		// Checkpoints of 2018 call them gamma and beta.
		let older = self.weights.has(&format!("{name}.gamma"));
		let (gain, bias) = if older { ("gamma", "beta") } else { ("weight", "bias") };
		let gain = self.weight(&format!("{name}.{gain}"), &[cols])?;
		let bias = self.weight(&format!("{name}.{bias}"), &[cols])?;
		let graph = &mut self.graph;
		let sum = graph.sum(x, Axis::Cols);
		let mean = graph.mul(sum, 1.0 / cols as f32);
		let centred = graph.sub(x, mean);
		let scaled = over_root_mean_square(graph, centred, epsilon);
		Ok(graph.fma(scaled, gain, bias))
	}

	/// `x / sqrt(mean(x^2) + epsilon) * weight`, by rows.
	pub(crate) fn rms_norm(&mut self, name: &str, x: Value, epsilon: f32) -> Result<Value, ImportError> {
		let cols = self.graph.spec(x).cols;
		let gain = self.weight(&format!("{name}.weight"), &[cols])?;
		let scaled = over_root_mean_square(&mut self.graph, x, epsilon);
		Ok(self.graph.mul(scaled, gain))
	}

	pub(crate) fn activate(&mut self, nonlinearity: Nonlinearity, x: Value) -> Value {
		nonlinearity.apply(&mut self.graph, x)
	}
}

/// `x / sqrt(mean(x^2) + epsilon)`, by rows.
pub(crate) fn over_root_mean_square(graph: &mut Graph, x: Value, epsilon: f32) -> Value {
	let cols = graph.spec(x).cols;
	let squares = graph.mul(x, x);
	let sum = graph.sum(squares, Axis::Cols);
	let mean = graph.fma(sum, 1.0 / cols as f32, epsilon);
	let root = graph.sqrt(mean);
	graph.div(x, root)
}

/// `e^x / sum(e^x)`, by rows; each row's maximum is taken away first.
pub(crate) fn softmax(graph: &mut Graph, x: Value) -> Value {
	softmax_of(graph, x, |_, powers| powers)
}

/// As [`softmax`]; `mask` changes the powers before they are summed.
pub(crate) fn softmax_of(graph: &mut Graph, x: Value, mask: impl FnOnce(&mut Graph, Value) -> Value) -> Value {
	let largest = graph.max(x, Axis::Cols);
	let largest = graph.stop_gradient(largest);
	let shifted = graph.sub(x, largest);
	let powers = graph.exp(shifted);
	let powers = mask(graph, powers);
	let sums = graph.sum(powers, Axis::Cols);
	graph.div(powers, sums)
}
