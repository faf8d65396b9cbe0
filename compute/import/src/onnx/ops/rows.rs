//! Reductions, and what is made of them.

use assay_models::Value;
use assay_program::Axis;

use super::pool::over_pixels;
use crate::{
	network::{over_root_mean_square, softmax as softmax_rows},
	onnx::{
		array::{elements, Array, Held, Lowering, Refusal},
		node::{axes, axis, Call},
	},
};

pub(super) fn softmax(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	// Before version 13 everything from the axis on was one row.
	let (input, old) = (call.input(0)?, call.opset < 13);
	let rank = input.shape().len();
	let at = axis(call.int("axis", if old { 1 } else { -1 })?, rank)?;
	// Where the axis is the last of what is stored, as channels of images are.
	let cut = input.cut().filter(|cut| !old && at + 1 != rank && cut.axis(at, rank) + 1 == rank);
	let (input, at) = match cut {
		Some(cut) => (to.stored_as(&input, cut)?, rank - 1),
		None => (input, at),
	};
	let x = to.array(&input)?;
	let last = x.shape.last().copied().unwrap_or(1) as u64;
	let is_last = at + 1 == x.shape.len() || (old && x.shape.get(at..).map(elements) == Some(last));
	if !is_last {
		return Err(format!("axis {at} of {:?}: only the last is known", x.shape));
	}
	let matrix = to.matrix(&x)?;
	let graph = &mut to.graph;
	let stored = if call.op == "Softmax" {
		softmax_rows(graph, matrix)
	} else {
		let largest = graph.max(matrix, Axis::Cols);
		let largest = graph.stop_gradient(largest);
		let shifted = graph.sub(matrix, largest);
		let powers = graph.exp(shifted);
		let sums = graph.sum(powers, Axis::Cols);
		let logs = graph.log(sums);
		graph.sub(shifted, logs)
	};
	let shares = Held::Array(Array::new(stored, x.shape));
	match cut {
		Some(cut) => to.read_as(shares, cut),
		None => Ok(shares),
	}
}

pub(super) fn layer_norm(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let x = to.array(&call.input(0)?)?;
	let at = axis(call.int("axis", -1)?, x.shape.len())?;
	if at + 1 != x.shape.len() {
		return Err(format!("axis {at} of {:?}: only the last is known", x.shape));
	}
	if call.int("stash_type", 1)? != 1 {
		return Err("attribute `stash_type`: means are kept in f32 only".into());
	}
	let epsilon = call.float("epsilon", 1e-5)?;
	let matrix = to.matrix(&x)?;
	let cols = to.graph.spec(matrix).cols;
	let row = |to: &mut Lowering, held: &Held| -> Result<Value, Refusal> {
		let array = to.array(held)?;
		let row = to.matrix(&array)?;
		let spec = to.graph.spec(row);
		match (spec.rows, spec.cols) == (1, cols) || spec.elements() == 1 {
			true => Ok(row),
			false => Err(format!("scale or bias of shape {:?} for rows of {cols}", array.shape)),
		}
	};
	let scale = row(to, &call.input(1)?)?;
	let bias = call.optional(2).map(|bias| row(to, &bias)).transpose()?;
	let graph = &mut to.graph;
	let sum = graph.sum(matrix, Axis::Cols);
	let mean = graph.mul(sum, 1.0 / cols as f32);
	let centred = graph.sub(matrix, mean);
	let scaled = over_root_mean_square(graph, centred, epsilon);
	let stored = match bias {
		Some(bias) => graph.fma(scaled, scale, bias),
		None => graph.mul(scaled, scale),
	};
	Ok(Held::Array(Array::new(stored, x.shape)))
}

pub(super) fn reduce(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let x = to.array(&call.input(0)?)?;
	let keep = call.int("keepdims", 1)? != 0;
	let noop = call.int("noop_with_empty_axes", 0)? != 0;
	let rank = x.shape.len();
	let list = call.ints("axes", 1)?.unwrap_or_default();
	if list.is_empty() && noop {
		return Ok(Held::Array(x));
	}
	let over = if list.is_empty() { (0..rank).collect() } else { axes(&list, rank)? };
	let count = over.len();
	let kept = |at: usize, extent: usize| match over.contains(&at) {
		true => keep.then_some(1),
		false => Some(extent),
	};
	let shape: Vec<usize> = x.shape.iter().enumerate().filter_map(|(at, extent)| kept(at, *extent)).collect();
	// The pixels of images, which are stored as rows.
	if let Some(turned) = x.turned.filter(|turned| {
		over.iter().copied().eq(rank - count..rank)
			&& x.shape.get(rank - count..).map_or(1, elements) == turned.cols as u64
	}) {
		let channels = to.with_columns(x.stored, turned.rows as u32);
		let stored = over_pixels(to, channels, turned.cols as u32, call.op)?;
		return Ok(Held::Array(Array::new(stored, shape)));
	}
	let x = to.in_order(&x)?;
	let (stored, reduced) = if over.iter().copied().eq(rank - count..rank) {
		let inner = x.shape.get(rank - count..).map_or(1, elements);
		(fold(to, &x, inner, Axis::Cols, call.op)?, inner)
	} else if over.iter().copied().eq(0..count) {
		let (outer, rest) = x.shape.split_at(count);
		(fold(to, &x, elements(rest), Axis::Rows, call.op)?, elements(outer))
	} else {
		return Err(format!("axes {over:?} of {:?}: only the first ones or the last ones are known", x.shape));
	};
	let stored = if call.op == "ReduceMean" { to.graph.div(stored, reduced as f32) } else { stored };
	Ok(Held::Array(Array::new(stored, shape)))
}

/// The array as a matrix of `cols` columns, reduced over an axis.
fn fold(to: &mut Lowering, x: &Array, cols: u64, axis: Axis, op: &str) -> Result<Value, Refusal> {
	let cols = u32::try_from(cols).map_err(|_| "too many elements".to_owned())?;
	let matrix = to.with_columns(x.stored, cols);
	Ok(match op {
		"ReduceMax" => to.graph.max(matrix, axis),
		_ => to.graph.sum(matrix, axis),
	})
}
