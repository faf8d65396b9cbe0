//! Parts of tensors, and tensors of parts.

use crate::onnx::{
	array::{elements, matrix_of, Array, Held, Lowering, Refusal},
	node::{axis, Call},
};

pub(super) fn gather(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let (data, indices) = (call.input(0)?, call.input(1)?);
	let at = axis(call.int("axis", 0)?, data.shape().len())?;
	let extent = data.shape().get(at).copied().unwrap_or(1);
	let index = |index: &i64| {
		let from_start = if *index < 0 { index.checked_add(extent as i64) } else { Some(*index) };
		let inside = from_start.and_then(|index| usize::try_from(index).ok()).filter(|index| *index < extent);
		inside.ok_or_else(|| format!("index {index} on an axis of {extent}"))
	};
	let picked = indices.ints()?.iter().map(index).collect::<Result<Vec<_>, _>>()?;
	along(to, &data, at, &picked, indices.shape())
}

/// The slices `picked` of an axis; `shape` is what takes the axis's place.
fn along(to: &mut Lowering, data: &Held, at: usize, picked: &[usize], shape: &[usize]) -> Result<Held, Refusal> {
	if let (Some(cut), [_]) = (data.cut(), shape) {
		let (stored, at) = (to.stored_as(data, cut)?, cut.axis(at, data.shape().len()));
		let picked = along(to, &stored, at, picked, shape)?;
		return to.read_as(picked, cut);
	}
	let (before, rest) = data.shape().split_at(at);
	let (extent, after) = rest.split_first().ok_or("a scalar has no axis")?;
	let result = [before, shape, after].concat();
	let (outer, inner) = (elements(before), elements(after));
	let rows = outer.saturating_mul(picked.len() as u64);
	to.spend(rows)?;
	let row = move |row: u64| {
		let index = picked.get((row % picked.len() as u64) as usize).copied().unwrap_or(0);
		row / picked.len() as u64 * *extent as u64 + index as u64
	};
	match data {
		Held::Known(constant, _) => {
			to.spend(elements(&result))?;
			let places = (0..rows).flat_map(|at| (0..inner).map(move |column| (row(at) * inner + column) as usize));
			Ok(constant.picked(result.clone(), places).into())
		}
		Held::Array(array) => {
			matrix_of(&result)?;
			let array = to.in_order(array)?;
			let cols = u32::try_from(inner).map_err(|_| "too large".to_owned())?;
			let table = to.with_columns(array.stored, cols);
			let ids = (0..rows).map(|at| u32::try_from(row(at)).map_err(|_| "too large".to_owned()));
			let ids = ids.collect::<Result<_, _>>()?;
			let ids = to.ids(ids)?;
			Ok(Held::Array(Array::new(to.graph.lookup(table, ids), result)))
		}
	}
}

/// `count` slices of an axis from `first` on, every `step`-th.
fn run_of(
	to: &mut Lowering,
	data: &Held,
	at: usize,
	(first, count, step): (usize, usize, i64),
) -> Result<Held, Refusal> {
	if let Some(cut) = data.cut() {
		let (stored, at) = (to.stored_as(data, cut)?, cut.axis(at, data.shape().len()));
		let run = run_of(to, &stored, at, (first, count, step))?;
		return to.read_as(run, cut);
	}
	let mut shape = data.shape().to_vec();
	if let Some(extent) = shape.get_mut(at) {
		*extent = count;
	}
	match data {
		// Columns are taken as they are.
		Held::Array(array) if step == 1 && at + 1 == data.shape().len() => {
			matrix_of(&shape)?;
			let matrix = to.matrix(array)?;
			let stored = to.graph.columns(matrix, first as u32, count as u32);
			Ok(Held::Array(Array::new(stored, shape)))
		}
		_ => {
			to.spend(count as u64)?;
			let place = |index: usize| (first as i64 + index as i64 * step) as usize;
			let picked: Vec<usize> = (0..count).map(place).collect();
			along(to, data, at, &picked, &[count])
		}
	}
}

pub(super) fn slice(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let mut data = call.input(0)?;
	let starts = call.ints("starts", 1)?.ok_or("`starts` is missing")?;
	let ends = call.ints("ends", 2)?.ok_or("`ends` is missing")?;
	let all = || (0..starts.len() as i64).collect();
	let at = call.ints("axes", 3)?.unwrap_or_else(all);
	let steps = match call.optional(4) {
		Some(steps) => steps.ints()?.to_vec(),
		None => vec![1; starts.len()],
	};
	if [ends.len(), at.len(), steps.len()] != [starts.len(); 3] {
		return Err("starts, ends, axes and steps differ in number".into());
	}
	for (((start, end), at), step) in starts.iter().zip(&ends).zip(&at).zip(&steps) {
		let at = axis(*at, data.shape().len())?;
		let extent = data.shape().get(at).copied().unwrap_or(1) as i64;
		if *step == 0 || *step == i64::MIN || extent == 0 {
			return Err(format!("step {step} on an axis of {extent}"));
		}
		let from_start = |bound: i64| if bound < 0 { bound.saturating_add(extent) } else { bound };
		let (low, high) = if *step > 0 { (0, extent) } else { (-1, extent - 1) };
		let first = from_start(*start).clamp(low.max(0), high);
		let end = from_start(*end).clamp(low, high);
		let span = if *step > 0 { end - first } else { first - end };
		if span <= 0 {
			return Err("the slice is empty".into());
		}
		let count = (span as u64).div_ceil(step.unsigned_abs());
		data = run_of(to, &data, at, (first as usize, count as usize, *step))?;
	}
	Ok(data)
}

pub(super) fn split(to: &mut Lowering, call: &mut Call<'_>) -> Result<Vec<Held>, Refusal> {
	let data = call.input(0)?;
	let at = axis(call.int("axis", 0)?, data.shape().len())?;
	let extent = data.shape().get(at).copied().unwrap_or(1);
	let parts = call.int("num_outputs", call.outputs as i64)?;
	let sizes = match call.ints("split", 1)? {
		Some(sizes) => sizes,
		None => {
			let parts = usize::try_from(parts).ok().filter(|parts| (1..=64).contains(parts)).ok_or("no outputs")?;
			let size = extent.div_ceil(parts);
			(0..parts).map(|part| extent.saturating_sub(part * size).min(size) as i64).collect()
		}
	};
	let mut first = 0usize;
	let mut held = Vec::new();
	for size in &sizes {
		let size = usize::try_from(*size).ok().filter(|size| *size > 0).ok_or("a part is empty")?;
		let end = first.checked_add(size).filter(|end| *end <= extent);
		let end = end.ok_or_else(|| format!("parts of {sizes:?} on an axis of {extent}"))?;
		held.push(run_of(to, &data, at, (first, size, 1))?);
		first = end;
	}
	Ok(held)
}

/// Along the last axis or the channels of images, or of what is known along the first.
pub(super) fn concat(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let parts = (0..call.inputs.len()).map(|index| call.input(index)).collect::<Result<Vec<_>, _>>()?;
	let first = parts.first().ok_or("no input")?.shape().to_vec();
	let at = axis(call.take("axis").ok_or("`axis` is missing")?.int, first.len())?;
	let mut shape = first.clone();
	let mut total = 0usize;
	for part in &parts {
		let others =
			|shape: &[usize]| shape.iter().enumerate().filter(|(axis, _)| *axis != at).map(|(_, e)| *e).collect();
		let (own, wanted): (Vec<usize>, Vec<usize>) = (others(part.shape()), others(&first));
		if own != wanted || part.shape().len() != first.len() {
			return Err(format!("shapes {first:?} and {:?} do not fit together", part.shape()));
		}
		total = total.checked_add(part.shape().get(at).copied().unwrap_or(0)).ok_or("too large")?;
	}
	if let Some(extent) = shape.get_mut(at) {
		*extent = total;
	}
	if at == 0 && first.len() == 1 && parts.iter().all(|part| part.ints().is_ok()) {
		let mut values = Vec::new();
		for part in &parts {
			to.spend(part.ints()?.len() as u64)?;
			values.extend_from_slice(part.ints()?);
		}
		return Ok(crate::onnx::tensor::Constant::Ints { shape, values }.into());
	}
	let cut = parts.iter().find_map(Held::cut);
	let last = cut.map_or(at, |cut| cut.axis(at, first.len()));
	if last + 1 != first.len() {
		return Err(format!("axis {at} of {first:?}: only the last is known, and the channels of images"));
	}
	let shape = cut.map_or(shape.clone(), |cut| cut.stored_shape(&shape));
	let (_, cols) = matrix_of(&shape)?;
	let (mut column, mut sum) = (0u32, None);
	for part in &parts {
		let part = match cut {
			Some(cut) => to.stored_as(part, cut)?,
			None => part.clone(),
		};
		let array = to.array(&part)?;
		let matrix = to.matrix(&array)?;
		let width = to.graph.spec(matrix).cols;
		let padded = to.graph.pad_columns(matrix, column, cols);
		column = column.saturating_add(width);
		sum = Some(match sum {
			Some(sum) => to.graph.add(sum, padded),
			None => padded,
		});
	}
	let joined = Held::Array(Array::new(sum.ok_or("no input")?, shape));
	match cut {
		Some(cut) => to.read_as(joined, cut),
		None => Ok(joined),
	}
}
