//! Functions of elements that stand between the layers of convolutional networks.

use assay_models::{Graph, Value};
use assay_program::BinaryKind;

use super::elementwise::{broadcast, each_of_two};
use crate::onnx::{
	array::{Array, Held, Lowering, Refusal},
	node::Call,
};

/// Between two bounds, each of which may be missing: a maximum, then a minimum.
pub(super) fn clip(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let mut bound = |name: &str, index: usize| -> Result<Option<f32>, Refusal> {
		match call.optional(index) {
			Some(held) => held.scalar().map(Some).ok_or_else(|| format!("input {index} is not a number that is known")),
			None if call.attributes.iter().any(|attribute| attribute.name == name) => call.float(name, 0.0).map(Some),
			None => Ok(None),
		}
	};
	let (least, most) = (bound("min", 1)?, bound("max", 2)?);
	let x = to.array(&call.input(0)?)?;
	let stored = between(&mut to.graph, x.stored, least, most);
	if least.is_some_and(|least| least >= 0.0) && most.is_none_or(|most| most >= 0.0) {
		to.mark_not_negative(stored);
	}
	Ok(Held::Array(Array { stored, ..x }))
}

fn between(graph: &mut Graph, x: Value, least: Option<f32>, most: Option<f32>) -> Value {
	let above = least.map_or(x, |least| graph.binary(BinaryKind::Max, x, least));
	most.map_or(above, |most| graph.binary(BinaryKind::Min, above, most))
}

/// `x * slope` below zero, exact above.
pub(super) fn leaky(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let slope = call.float("alpha", 0.01)?;
	let x = to.array(&call.input(0)?)?;
	let stored = sloped(&mut to.graph, x.stored, slope);
	Ok(Held::Array(Array { stored, ..x }))
}

/// The same with slopes that are broadcast to `x`.
pub(super) fn prelu(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let (x, slope) = (call.input(0)?, call.input(1)?);
	if broadcast(x.shape(), slope.shape())? != x.shape() {
		return Err(format!("slopes of shape {:?} for {:?}", slope.shape(), x.shape()));
	}
	each_of_two(to, (&x, &slope), sloped)
}

fn sloped(graph: &mut Graph, x: Value, slope: impl Into<Value>) -> Value {
	let (above, below) = (graph.relu(x), graph.binary(BinaryKind::Min, x, 0.0));
	// One of the two is zero.
	graph.fma(below, slope, above)
}

/// `alpha * x + beta`, one fma, between 0 and 1; of HardSwish times `x`.
pub(super) fn hard(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let is_swish = call.op == "HardSwish";
	let (slope, middle) =
		if is_swish { (1.0 / 6.0, 0.5) } else { (call.float("alpha", 0.2)?, call.float("beta", 0.5)?) };
	let x = to.array(&call.input(0)?)?;
	let line = to.graph.fma(x.stored, slope, middle);
	let gate = between(&mut to.graph, line, Some(0.0), Some(1.0));
	let stored = if is_swish { to.graph.mul(x.stored, gate) } else { gate };
	if !is_swish {
		to.mark_not_negative(stored);
	}
	Ok(Held::Array(Array { stored, ..x }))
}
