//! Pooling, and means over all pixels of an image.

use assay_engine::Tensor;
use assay_models::Value;
use assay_program::{BinaryKind, DType};

use super::{
	images::Images,
	window::{Outside, Sliding},
};
use crate::onnx::{
	array::{Held, Lowering, Refusal},
	node::Call,
};

/// The largest or the mean of each channel under a window.
pub(super) fn pool(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let x = call.input(0)?;
	let [_, _, extents @ ..] = x.shape() else {
		return Err(format!("shape {:?} where images, their channels and their pixels are needed", x.shape()));
	};
	let kernel = call.int_list("kernel_shape")?.ok_or("`kernel_shape` is missing")?;
	let ceil = call.int("ceil_mode", 0)? != 0;
	let (is_max, padded) = (call.op == "MaxPool", call.int("count_include_pad", 0)? != 0);
	if is_max {
		// The order of indices, which are another output.
		call.take("storage_order");
	}
	let window = Sliding::of(call, extents, &kernel, ceil)?;
	let images = Images::of(to, &x)?;
	if window.is_whole() {
		let stored = over_pixels(to, images.value, images.pixels(), if is_max { "ReduceMax" } else { "ReduceMean" })?;
		return Ok(Images::array(images.images, images.channels, &window.positions(), stored));
	}
	window.check_touches(to)?;
	let stored = if is_max { largest(to, &images, &window)? } else { mean(to, &images, &window, padded)? };
	Ok(Images::array(images.images, images.channels, &window.positions(), stored))
}

fn largest(to: &mut Lowering, images: &Images, window: &Sliding) -> Result<Value, Refusal> {
	let is_not_negative = to.is_not_negative(images.value);
	let columns = window.under(to, images, if is_not_negative { Outside::Zero } else { Outside::Nearest })?;
	let join = |graph: &mut assay_models::Graph, a, b| graph.binary(BinaryKind::Max, a, b);
	let stored = to.graph.fold_places(columns, images.channels, join);
	if is_not_negative {
		to.mark_not_negative(stored);
	}
	Ok(stored)
}

/// The sum, ascending, over the number of pixels.
fn mean(to: &mut Lowering, images: &Images, window: &Sliding, padded: bool) -> Result<Value, Refusal> {
	let columns = window.under(to, images, Outside::Zero)?;
	let sums = to.graph.fold_places(columns, images.channels, |graph, a, b| graph.add(a, b));
	let Some(counts) = window.counts(to, padded)? else {
		return Ok(to.graph.div(sums, window.places() as f32));
	};
	let bits: Vec<u32> = counts.iter().map(|count| (*count as f32).to_bits()).collect();
	to.spend((bits.len() as u64).saturating_mul(images.images.into()))?;
	let bits = bits.repeat(images.images as usize);
	let rows = u32::try_from(bits.len()).map_err(|_| "too many positions of the window".to_owned())?;
	let counts = Tensor::new(DType::F32, rows, 1, bits).map_err(|error| error.to_string())?;
	let counts = to.declare(None, counts);
	Ok(to.graph.div(sums, counts))
}

pub(super) fn global(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let images = Images::of(to, &call.input(0)?)?;
	let op = if call.op == "GlobalMaxPool" { "ReduceMax" } else { "ReduceMean" };
	let stored = over_pixels(to, images.value, images.pixels(), op)?;
	Ok(Images::array(images.images, images.channels, &vec![1; images.extents.len()], stored))
}

/// `[images * pixels, channels]` to `[images, channels]`.
pub(super) fn over_pixels(to: &mut Lowering, value: Value, pixels: u32, op: &str) -> Result<Value, Refusal> {
	let spec = to.graph.spec(value);
	let images = spec.rows.checked_div(pixels).unwrap_or(0);
	if op == "ReduceMax" {
		return Ok(largest_pixel(to, value, (images, pixels)));
	}
	to.spend(spec.rows.into())?;
	let ones = vec![1f32.to_bits(); spec.rows as usize];
	let ones = Tensor::new(DType::F32, images, pixels, ones).map_err(|error| error.to_string())?;
	let ones = to.declare(None, ones);
	let sums = to.graph.block_matmul((ones, false), (value, false), images, 1);
	Ok(if op == "ReduceMean" { to.graph.div(sums, pixels as f32) } else { sums })
}

/// Halves of the pixels against each other, until one is left.
fn largest_pixel(to: &mut Lowering, value: Value, (images, pixels): (u32, u32)) -> Value {
	let channels = to.graph.spec(value).cols;
	let graph = &mut to.graph;
	let mut largest = graph.reshape(value, images, pixels.saturating_mul(channels));
	let mut left = pixels;
	while left > 1 {
		// Of an odd number the middle one is on both sides.
		let half = left.div_ceil(2);
		let top = graph.columns(largest, 0, half.saturating_mul(channels));
		let rest = graph.columns(largest, (left - half).saturating_mul(channels), half.saturating_mul(channels));
		largest = graph.binary(BinaryKind::Max, top, rest);
		left = half;
	}
	largest
}
