//! Masks: conditions over what is known, truth as 0 and 1.

use super::elementwise::broadcast;
use crate::onnx::{
	array::{elements, Held, Lowering, Refusal},
	node::Call,
	tensor::Constant,
};

pub(super) fn connective(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let a = call.input(0)?;
	if call.op == "Not" {
		let values = a.ints()?.iter().map(|value| i64::from(*value == 0)).collect();
		return Ok(Constant::Ints { shape: a.shape().to_vec(), values }.into());
	}
	let b = call.input(1)?;
	let shape = broadcast(a.shape(), b.shape())?;
	let (a, b) = (spread(to, &a, &shape)?, spread(to, &b, &shape)?);
	let both = |(a, b): (&i64, &i64)| match call.op {
		"And" => i64::from(*a != 0 && *b != 0),
		"Or" => i64::from(*a != 0 || *b != 0),
		_ => i64::from(a == b),
	};
	let values = a.ints()?.iter().zip(b.ints()?).map(both).collect();
	Ok(Constant::Ints { shape, values }.into())
}

/// Between two tensors that are known.
pub(super) fn choose(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let parts = [call.input(0)?, call.input(1)?, call.input(2)?];
	let [condition, yes, no] = &parts;
	let shape = broadcast(&broadcast(condition.shape(), yes.shape())?, no.shape())?;
	let (condition, yes, no) = (spread(to, condition, &shape)?, spread(to, yes, &shape)?, spread(to, no, &shape)?);
	let condition = condition.ints()?;
	match (&yes, &no) {
		(Held::Known(yes, _), Held::Known(no, _)) => match (&**yes, &**no) {
			(Constant::Floats { bits: yes, .. }, Constant::Floats { bits: no, .. }) => {
				let bits = condition.iter().zip(yes.iter().zip(no)).map(|(c, (y, n))| if *c != 0 { *y } else { *n });
				Ok(Constant::Floats { shape, bits: bits.collect() }.into())
			}
			(Constant::Ints { values: yes, .. }, Constant::Ints { values: no, .. }) => {
				let values = condition.iter().zip(yes.iter().zip(no)).map(|(c, (y, n))| if *c != 0 { *y } else { *n });
				Ok(Constant::Ints { shape, values: values.collect() }.into())
			}
			_ => Err("the two choices have different types".into()),
		},
		_ => Err("only a choice between tensors that are known is".into()),
	}
}

pub(super) fn gather_nd(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let (data, indices) = (call.input(0)?, call.input(1)?);
	if call.int("batch_dims", 0)? != 0 {
		return Err("attribute `batch_dims` other than 0".into());
	}
	let Held::Known(constant, _) = &data else { return Err("only of a tensor that is known".into()) };
	let (leading, depth) = match indices.shape() {
		[leading @ .., depth] if (1..=data.shape().len()).contains(depth) => (leading, *depth),
		other => return Err(format!("indices of shape {other:?} into {:?}", data.shape())),
	};
	let (indexed, rest) = data.shape().split_at(depth);
	let shape = [leading, rest].concat();
	to.spend(elements(&shape))?;
	let inner = elements(rest) as usize;
	let mut starts = Vec::new();
	for index in indices.ints()?.chunks_exact(depth) {
		let mut place = 0usize;
		for (at, extent) in index.iter().zip(indexed) {
			let from_start = if *at < 0 { at.checked_add(*extent as i64) } else { Some(*at) };
			let inside = from_start.and_then(|at| usize::try_from(at).ok()).filter(|at| at < extent);
			place = place * extent + inside.ok_or_else(|| format!("index {at} on an axis of {extent}"))?;
		}
		starts.push(place * inner);
	}
	let places = starts.into_iter().flat_map(|start| start..start + inner);
	Ok(constant.picked(shape, places).into())
}

/// A known tensor, broadcast.
fn spread(to: &mut Lowering, held: &Held, shape: &[usize]) -> Result<Held, Refusal> {
	let Held::Known(constant, _) = held else { return Err("only conditions that are known when it is built".into()) };
	if constant.shape() == shape {
		return Ok(held.clone());
	}
	let total = elements(shape);
	to.spend(total)?;
	let missing = shape.len().saturating_sub(constant.shape().len());
	let place = |mut index: u64| {
		let (mut place, mut stride) = (0u64, 1u64);
		for (axis, extent) in shape.iter().enumerate().rev() {
			let own =
				axis.checked_sub(missing).and_then(|axis| constant.shape().get(axis)).copied().unwrap_or(1) as u64;
			let position = index % *extent as u64;
			index /= *extent as u64;
			place += if own > 1 { position * stride } else { 0 };
			stride = stride.saturating_mul(own);
		}
		place as usize
	};
	Ok(constant.picked(shape.to_vec(), (0..total).map(place)).into())
}
