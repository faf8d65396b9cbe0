//! Operators whose result is known when the program is built.

use crate::onnx::{
	array::{Held, Refusal},
	node::Call,
	tensor::{type_name, Constant},
};

pub(super) fn constant(call: &mut Call<'_>) -> Result<Held, Refusal> {
	if let Some(tensor) = call.tensor("value")? {
		return tensor.constant().map(Held::from).map_err(|problem| problem.to_string());
	}
	if let Some(values) = call.int_list("value_ints")? {
		return Ok(Constant::Ints { shape: vec![values.len()], values }.into());
	}
	if call.attributes.iter().any(|attribute| attribute.name == "value_int") {
		return Ok(Constant::Ints { shape: Vec::new(), values: vec![call.int("value_int", 0)?] }.into());
	}
	if call.attributes.iter().any(|attribute| attribute.name == "value_float") {
		let bits = vec![call.float("value_float", 0.0)?.to_bits()];
		return Ok(Constant::Floats { shape: Vec::new(), bits }.into());
	}
	Err("only a tensor, a number, an integer or integers are known".into())
}

pub(super) fn shape(call: &mut Call<'_>) -> Result<Held, Refusal> {
	let x = call.input(0)?;
	let rank = x.shape().len() as i64;
	let bound = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank) as usize;
	let (start, end) = (bound(call.int("start", 0)?), bound(call.int("end", rank)?));
	let part = x.shape().get(start..end).unwrap_or_default();
	let values: Vec<i64> = part.iter().map(|extent| *extent as i64).collect();
	Ok(Constant::Ints { shape: vec![values.len()], values }.into())
}

/// Between types that hold the same numbers.
pub(super) fn cast(call: &mut Call<'_>) -> Result<Held, Refusal> {
	let x = call.input(0)?;
	let to = call.int("to", 0)?;
	match (&x, to) {
		(Held::Array(_), 1) => Ok(x),
		(Held::Known(constant, _), _) => match (&**constant, to) {
			(Constant::Floats { .. }, 1) | (Constant::Ints { .. }, 7) => Ok(x),
			(Constant::Ints { values, .. }, 6) if values.iter().all(|value| i32::try_from(*value).is_ok()) => Ok(x),
			(Constant::Ints { shape, values }, 9) => {
				let values = values.iter().map(|value| i64::from(*value != 0)).collect();
				Ok(Constant::Ints { shape: shape.clone(), values }.into())
			}
			(Constant::Ints { shape, values }, 1) if values.iter().all(|value| value.unsigned_abs() < 1 << 24) => {
				let bits = values.iter().map(|value| (*value as f32).to_bits()).collect();
				Ok(Constant::Floats { shape: shape.clone(), bits }.into())
			}
			_ => Err(format!("these values are not converted to {}", type_name(to))),
		},
		_ => Err(format!("what the program computes is not converted to {}", type_name(to))),
	}
}

/// Outside of training it keeps everything.
pub(super) fn dropout(call: &mut Call<'_>) -> Result<Held, Refusal> {
	call.take("seed");
	call.take("ratio");
	if call.optional(2).is_some() {
		return Err("an input that says whether to train has no equivalent".into());
	}
	call.input(0)
}
