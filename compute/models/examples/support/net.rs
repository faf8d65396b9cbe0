//! Nets that only run forward: the transformer of `tools/compare/net.py`, to logits or as an encoder.

use assay_engine::Tensor;
use assay_models::{gelu, Graph, Model, Value};
use assay_program::{Axis, DType, Header, Init, Lane};

/// Shape of a net.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
	pub(crate) vocabulary: u32,
	pub(crate) context: u32,
	pub(crate) layers: u32,
	pub(crate) heads: u32,
	pub(crate) width: u32,
	pub(crate) batch: u32,
	/// One vector for each sequence, without a causal mask, in place of logits.
	pub(crate) encode: bool,
	/// Linear layers in int8: weights by column, known; activations by row, scaled as they come.
	pub(crate) lane: Lane,
}

impl Shape {
	pub(crate) fn settings(&self, threads: u32) -> Vec<(&'static str, u32)> {
		vec![
			("vocabulary", self.vocabulary),
			("context", self.context),
			("layers", self.layers),
			("heads", self.heads),
			("width", self.width),
			("batch", self.batch),
			("threads", threads),
		]
	}

	/// The net as a program of which each step is a run. A step has to change something: its state is what the net gave last, so
	/// that is written to memory as anybody who asks for it needs.
	pub(crate) fn build(&self) -> Result<Model, Box<dyn std::error::Error>> {
		let (rows, cols) = (self.batch, self.context);
		let ids: Vec<u32> = (0..rows * cols).map(|i| i.wrapping_mul(2_654_435_761) % self.vocabulary).collect();
		let ids = Tensor::new(DType::I32, rows * cols, 1, ids)?;
		let places = Tensor::new(DType::I32, rows * cols, 1, (0..rows).flat_map(|_| 0..cols).collect())?;
		let mut graph = Graph::new(rows);
		let (given, at) =
			(graph.data("ids", ids.spec(), ids.root()), graph.data("places", places.spec(), places.root()));
		let data =
			[(given, ids), (at, places)].into_iter().filter_map(|(value, tensor)| Some((value.tensor()?, tensor)));
		let data = data.collect();
		let mut net = Net { graph: &mut graph, shape: *self, count: 0 };
		let given = net.forward(given, at);
		let spec = graph.spec(given);
		let last = graph.state("given", spec.rows, spec.cols, Init::Zeros);
		graph.update(last, given);
		let header =
			Header { version: 1, lane: self.lane, seed: [1; 32], steps: 1 << 20, batch: rows, segment_steps: 1 };
		Ok(Model { program: graph.finish(header)?, data })
	}
}

struct Net<'a> {
	graph: &'a mut Graph,
	shape: Shape,
	count: u32,
}

impl Net<'_> {
	fn forward(&mut self, ids: Value, places: Value) -> Value {
		let Shape { vocabulary, context, layers, width, batch, encode, .. } = self.shape;
		let tokens = self.graph.uniform_param("tokens", vocabulary, width, 0.02);
		let positions = self.graph.uniform_param("positions", context, width, 0.02);
		let (by_token, by_place) = (self.graph.lookup(tokens, ids), self.graph.lookup(positions, places));
		let mut x = self.graph.add(by_token, by_place);
		for _ in 0..layers {
			x = self.block(x);
		}
		let x = self.norm(x);
		if encode {
			// The mean over positions, as a product with one row for each sequence.
			let weights = self.graph.state("mean", batch, context, Init::Constant((1.0 / context as f32).to_bits()));
			self.graph.block_matmul((weights, false), (x, false), batch, 1)
		} else {
			match self.shape.lane {
				Lane::F32 => self.graph.matmul_transposed(x, false, tokens, true),
				Lane::I8 => {
					let table = self.graph.int8_state("table", vocabulary, width, 3);
					let (bytes, scale) = self.bytes(x);
					let sums = self.graph.int8_matmul(bytes, false, table, true);
					let scales = self.vector(vocabulary, 1e-4);
					self.graph.dequantise(sums, scale, scales)
				}
			}
		}
	}

	fn block(&mut self, x: Value) -> Value {
		let Shape { context, heads, width, batch, encode, .. } = self.shape;
		let normed = self.norm(x);
		let [q, k, v] = [(); 3].map(|()| {
			let rows = self.linear(normed, width);
			self.graph.split_heads(rows, context, heads)
		});
		let scores = self.graph.block_matmul((q, false), (k, true), batch * heads, 1);
		let mut scores = self.graph.mul(scores, 1.0 / ((width / heads) as f32).sqrt());
		if !encode {
			scores = self.graph.causal(scores, context, 0, -1e30);
		}
		let largest = self.graph.max(scores, Axis::Cols);
		let shifted = self.graph.sub(scores, largest);
		let powers = self.graph.exp(shifted);
		let sums = self.graph.sum(powers, Axis::Cols);
		let weights = self.graph.div(powers, sums);
		let mixed = self.graph.block_matmul((weights, false), (v, false), batch * heads, 1);
		let merged = self.graph.merge_heads(mixed, context, heads);
		let out = self.linear(merged, width);
		let x = self.graph.add(x, out);
		let normed = self.norm(x);
		let inner = self.linear(normed, 4 * width);
		let inner = gelu(self.graph, inner);
		let out = self.linear(inner, width);
		self.graph.add(x, out)
	}

	fn norm(&mut self, x: Value) -> Value {
		let cols = self.graph.spec(x).cols;
		let (gain, bias) = (self.vector(cols, 1.0), self.vector(cols, 0.0));
		let share = 1.0 / cols as f32;
		let sum = self.graph.sum(x, Axis::Cols);
		let mean = self.graph.mul(sum, share);
		let centred = self.graph.sub(x, mean);
		let squares = self.graph.mul(centred, centred);
		let sum = self.graph.sum(squares, Axis::Cols);
		let variance = self.graph.fma(sum, share, 1e-5);
		let deviation = self.graph.sqrt(variance);
		let scaled = self.graph.div(centred, deviation);
		self.graph.fma(scaled, gain, bias)
	}

	fn linear(&mut self, x: Value, width: u32) -> Value {
		let cols = self.graph.spec(x).cols;
		let name = self.name();
		let product = match self.shape.lane {
			Lane::F32 => {
				let w = self.graph.uniform_param(&name, cols, width, 0.02);
				self.graph.matmul(x, w)
			}
			Lane::I8 => {
				let w = self.graph.int8_state(&name, cols, width, 3);
				let scales = self.vector(width, 1e-4);
				let (bytes, scale) = self.bytes(x);
				let sums = self.graph.int8_matmul(bytes, false, w, false);
				self.graph.dequantise(sums, scale, scales)
			}
		};
		let bias = self.vector(width, 0.0);
		self.graph.add(product, bias)
	}

	/// In int8, and the scale of each row.
	fn bytes(&mut self, x: Value) -> (Value, Value) {
		let magnitude = self.graph.abs(x);
		let largest = self.graph.max(magnitude, Axis::Cols);
		let scale = self.graph.mul(largest, 1.0 / 127.0);
		(self.graph.quantise(x, scale), scale)
	}

	fn vector(&mut self, cols: u32, value: f32) -> Value {
		let name = self.name();
		self.graph.state(&name, 1, cols, Init::Constant(value.to_bits()))
	}

	fn name(&mut self) -> String {
		self.count += 1;
		format!("weight{}", self.count)
	}
}
