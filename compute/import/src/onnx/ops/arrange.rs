//! Other shapes for the same elements, and other orders.

use crate::onnx::{
	array::{elements, matrix_of, Array, Held, Lowering, Refusal},
	node::{axes, axis, Call},
};

pub(super) fn reshape(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let (x, wanted) = (call.input(0)?, call.input(1)?);
	let zero_is_zero = call.int("allowzero", 0)? != 0;
	let old = x.shape().to_vec();
	let mut unknown = None;
	let mut shape = Vec::new();
	for (at, extent) in wanted.ints()?.iter().enumerate() {
		shape.push(match *extent {
			-1 if unknown.replace(at).is_none() => 1,
			0 if !zero_is_zero => *old.get(at).ok_or("a 0 beyond the dimensions of the input")?,
			extent => usize::try_from(extent).map_err(|_| format!("extent {extent}"))?,
		});
	}
	if let Some(extent) = unknown.and_then(|at| shape.get_mut(at)) {
		*extent = 0;
		let known = elements(&shape.iter().copied().filter(|extent| *extent != 0).collect::<Vec<_>>());
		let rest = elements(&old).checked_div(known).unwrap_or(0);
		if let Some(extent) = unknown.and_then(|at| shape.get_mut(at)) {
			*extent = rest as usize;
		}
	}
	reshaped(to, &x, shape)
}

pub(super) fn flatten(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let x = call.input(0)?;
	let at = call.int("axis", 1)?;
	let rank = x.shape().len();
	let at = if at == rank as i64 { rank } else { axis(at, rank)? };
	let (rows, cols) = x.shape().split_at(at);
	let shape = vec![elements(rows) as usize, elements(cols) as usize];
	reshaped(to, &x, shape)
}

pub(super) fn squeeze(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let x = call.input(0)?;
	let old = x.shape().to_vec();
	let drop = match call.ints("axes", 1)? {
		Some(list) => axes(&list, old.len())?,
		None => (0..old.len()).filter(|at| old.get(*at) == Some(&1)).collect(),
	};
	if drop.iter().any(|at| old.get(*at) != Some(&1)) {
		return Err(format!("axes {drop:?} of {old:?} are not all 1"));
	}
	let kept = old.iter().enumerate().filter(|(at, _)| !drop.contains(at)).map(|(_, extent)| *extent);
	reshaped(to, &x, kept.collect())
}

pub(super) fn unsqueeze(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let x = call.input(0)?;
	let list = call.ints("axes", 1)?.ok_or("`axes` is missing")?;
	let added = axes(&list, x.shape().len() + list.len())?;
	let mut shape = x.shape().to_vec();
	added.iter().for_each(|at| shape.insert((*at).min(shape.len()), 1));
	reshaped(to, &x, shape)
}

/// The same elements in another shape.
pub(super) fn reshaped(to: &mut Lowering, x: &Held, shape: Vec<usize>) -> Result<Held, Refusal> {
	if elements(&shape) != elements(x.shape()) {
		return Err(format!("{:?} cannot be reshaped to {shape:?}", x.shape()));
	}
	match x {
		Held::Known(constant, _) => {
			to.spend(elements(&shape))?;
			let all = 0..elements(&shape) as usize;
			Ok(constant.picked(shape, all).into())
		}
		Held::Array(array) => {
			matrix_of(&shape)?;
			let array = to.in_order(array)?;
			Ok(Held::Array(Array { shape, ..array }))
		}
	}
}

pub(super) fn transpose(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let x = call.input(0)?;
	let rank = x.shape().len();
	let order = match call.int_list("perm")? {
		Some(list) => list.iter().map(|at| axis(*at, rank)).collect::<Result<Vec<_>, _>>()?,
		None => (0..rank).rev().collect(),
	};
	let mut sorted = order.clone();
	sorted.sort_unstable();
	if !sorted.into_iter().eq(0..rank) {
		return Err(format!("`perm` {order:?} is not an order of {rank} axes"));
	}
	let shape: Vec<usize> = order.iter().filter_map(|at| x.shape().get(*at).copied()).collect();
	match &x {
		Held::Known(constant, _) => {
			matrix_of(&shape)?;
			to.spend(elements(&shape))?;
			let places = places(constant.shape(), &order);
			Ok(constant.picked(shape, places).into())
		}
		Held::Array(array) => Ok(Held::Array(permuted(to, array, &order, shape)?)),
	}
}

/// Where each element of the permuted tensor is in the original, ascending.
fn places<'a>(old: &'a [usize], order: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
	let mut strides = vec![1usize; old.len()];
	for at in (1..old.len()).rev() {
		strides[at - 1] = strides[at] * old[at];
	}
	let total: usize = old.iter().product();
	(0..total).map(move |mut index| {
		let mut place = 0;
		for at in order.iter().rev() {
			place += index % old[*at] * strides[*at];
			index /= old[*at];
		}
		place
	})
}

/// Orders of what the program computes: those that move only extents of 1, that exchange the last two, or the middle two
/// of four, which is how heads are split and merged.
fn permuted(to: &mut Lowering, array: &Array, order: &[usize], shape: Vec<usize>) -> Result<Array, Refusal> {
	let moved: Vec<usize> = order.iter().copied().filter(|at| array.shape.get(*at) != Some(&1)).collect();
	if moved.is_sorted() {
		return Ok(Array { shape, ..to.in_order(array)? });
	}
	let rank = order.len();
	let mut swap = (0..rank).collect::<Vec<_>>();
	swap.swap(rank - 1, rank - 2);
	if order == swap {
		return Ok(Array { stored: array.stored, shape, swapped: !array.swapped });
	}
	match order {
		[0, 2, 1, 3] => heads(to, array, shape),
		[0, 2, 3, 1] => {
			let split = heads(to, array, vec![shape[0], shape[1], shape[3], shape[2]])?;
			Ok(Array { shape, swapped: true, ..split })
		}
		_ => Err(format!("`perm` {order:?} of {:?}: known are the last two axes, and [0, 2, 1, 3]", array.shape)),
	}
}

/// `[batch, rows, heads, width]` to `[batch, heads, rows, width]`; the inverse is the same with the names exchanged.
fn heads(to: &mut Lowering, array: &Array, shape: Vec<usize>) -> Result<Array, Refusal> {
	let array = to.in_order(array)?;
	let [_, heads, rows, width] = shape.as_slice() else { return Err("four axes are needed".into()) };
	let small = |extent: usize| u32::try_from(extent).map_err(|_| "too large".to_owned());
	let (heads, rows, width) = (small(*heads)?, small(*rows)?, small(*width)?);
	let merged = heads.checked_mul(width).ok_or("too large")?;
	// Where the last op merged or split heads, the columns are there already.
	let stored = to.with_columns(array.stored, merged)?;
	let stored = to.graph.split_heads(stored, rows, heads);
	Ok(Array { stored, shape, swapped: false })
}
