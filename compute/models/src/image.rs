//! Convolution and pooling.
//!
//! Images are stacked by rows: a pixel is a row, its channels are columns (batch, height, width, channels). A convolution is
//! a matrix product over the pixels under the window.

use assay_program::{BinaryKind, Init, OpKind, Window};

use crate::{BuildError, Graph, Value};

/// Images of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pixels {
	/// `[images * height * width, channels]`.
	pub value: Value,
	/// Rows of pixels of an image.
	pub height: u32,
	/// Columns of pixels of an image.
	pub width: u32,
}

impl Pixels {
	/// Images that are one row each, `[images, height * width * channels]`.
	pub fn from_rows(graph: &mut Graph, rows: Value, height: u32, width: u32, channels: u32) -> Self {
		let images = graph.spec(rows).rows;
		let pixels = images.checked_mul(height).and_then(|rows| rows.checked_mul(width)).unwrap_or(0);
		Self { value: graph.reshape(rows, pixels, channels), height, width }
	}

	/// One row for each image, `[images, height * width * channels]`.
	pub fn to_rows(self, graph: &mut Graph) -> Value {
		let (spec, pixels) = (graph.spec(self.value), self.height.saturating_mul(self.width).max(1));
		graph.reshape(self.value, spec.rows / pixels, pixels.saturating_mul(spec.cols))
	}

	/// A function of every pixel.
	pub fn map(self, value: impl FnOnce(Value) -> Value) -> Self {
		Self { value: value(self.value), ..self }
	}

	/// The pixels under a square window at each position, side by side, and the window.
	pub fn under(self, graph: &mut Graph, kernel: u32, stride: u32, padding: u32) -> (Pixels, Window) {
		let Pixels { value, height, width } = self;
		let window = Window { height, width, kernel_height: kernel, kernel_width: kernel, stride, padding };
		let Some((height, width)) = window.positions() else {
			graph.fail(BuildError::Window(window));
			return (self, window);
		};
		(Pixels { value: graph.im2col(value, window), height, width }, window)
	}
}

impl Graph {
	/// The pixels under the window at each position, side by side.
	pub fn im2col(&mut self, x: Value, window: Window) -> Value {
		self.op(OpKind::Im2col(window), &[x], None)
	}

	/// The pixels of `channels` columns that lie side by side, as [`Graph::im2col`] puts them, joined from the first on.
	pub fn fold_places(
		&mut self,
		columns: Value,
		channels: u32,
		join: impl Fn(&mut Self, Value, Value) -> Value,
	) -> Value {
		let places = self.spec(columns).cols.checked_div(channels).unwrap_or(0);
		let mut joined: Option<Value> = None;
		for place in 0..places {
			let part = self.columns(columns, place.saturating_mul(channels), channels);
			joined = Some(joined.map_or(part, |so_far| join(self, so_far, part)));
		}
		joined.unwrap_or(columns)
	}

	/// The sum of what windows over each pixel hold for it.
	pub fn col2im(&mut self, x: Value, window: Window) -> Value {
		self.op(OpKind::Col2im(window), &[x], None)
	}
}

/// Convolution with a square kernel, `stride` and `padding` on all sides, to `channels`; uniform weights of variance
/// `2 / (kernel^2 * channels of x)` (He and others, 2015), zero biases. Returns output, weights
/// `[kernel^2 * channels of x, channels]` and biases `[1, channels]`.
pub fn conv2d(
	graph: &mut Graph,
	name: &str,
	x: Pixels,
	channels: u32,
	kernel: u32,
	strides: (u32, u32),
) -> (Pixels, Value, Value) {
	convolution(graph, name, x, (channels, kernel), strides, Graph::matmul)
}

/// As [`conv2d`], with the product and both products of its gradient in int8; see [`Graph::matmul_i8`].
pub fn conv2d_i8(
	graph: &mut Graph,
	name: &str,
	x: Pixels,
	channels: u32,
	kernel: u32,
	strides: (u32, u32),
) -> (Pixels, Value, Value) {
	convolution(graph, name, x, (channels, kernel), strides, Graph::matmul_i8)
}

fn convolution(
	graph: &mut Graph,
	name: &str,
	x: Pixels,
	(channels, kernel): (u32, u32),
	(stride, padding): (u32, u32),
	product: fn(&mut Graph, Value, Value) -> Value,
) -> (Pixels, Value, Value) {
	let (columns, _) = x.under(graph, kernel, stride, padding);
	let inner = graph.spec(columns.value).cols;
	let w = graph.uniform_param(&format!("{name}.weight"), inner, channels, (6.0 / inner as f32).sqrt());
	let b = graph.param(&format!("{name}.bias"), 1, channels, Init::Zeros);
	let product = product(graph, columns.value, w);
	(Pixels { value: graph.add(product, b), ..columns }, w, b)
}

/// The largest of each channel under a square window without padding; the first of equal ones takes the gradient.
pub fn max_pool(graph: &mut Graph, x: Pixels, kernel: u32, stride: u32) -> Pixels {
	pool(graph, x, kernel, stride, |graph, a, b| graph.binary(BinaryKind::Max, a, b))
}

/// The mean of each channel under a square window without padding: the sum, ascending, times `1 / kernel^2`.
pub fn avg_pool(graph: &mut Graph, x: Pixels, kernel: u32, stride: u32) -> Pixels {
	let sums = pool(graph, x, kernel, stride, |graph, a, b| graph.add(a, b));
	sums.map(|value| graph.mul(value, 1.0 / (kernel as f32 * kernel as f32)))
}

fn pool(
	graph: &mut Graph,
	x: Pixels,
	kernel: u32,
	stride: u32,
	join: impl Fn(&mut Graph, Value, Value) -> Value,
) -> Pixels {
	let channels = graph.spec(x.value).cols;
	let (columns, _) = x.under(graph, kernel, stride, 0);
	columns.map(|value| graph.fold_places(value, channels, join))
}
