//! Other shapes for the same elements, and other orders.

use assay_program::shape::MIN_HEAD;

use crate::onnx::{
	array::{elements, matrix_of, Array, Held, Lowering, Refusal},
	node::{axes, axis, Call},
	turn::Turned,
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
			Ok(Held::Array(Array { shape, ..array.clone() }))
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

/// Orders of what the program computes: those that move only extents of 1, that exchange two groups of neighbouring axes,
/// counted from how the elements are stored, and the middle two of four, which is how heads are split and merged.
fn permuted(to: &mut Lowering, array: &Array, order: &[usize], shape: Vec<usize>) -> Result<Array, Refusal> {
	let rank = order.len();
	let by_stored = array.cut().map_or_else(
		|| (0..rank).collect(),
		|cut| {
			let axes: Vec<usize> = (0..rank).collect();
			cut.stored_shape(&axes)
		},
	);
	// Where whole axes are not what is turned, nothing is known of what is stored.
	let array = if array.turned.is_some() && array.cut().is_none() { &to.in_order(array)? } else { array };
	// Keys of attention, whose heads the product that follows needs below each other.
	let is_heads = match (order, shape.as_slice()) {
		([0, 2, 3, 1], [_, heads, width, _]) => array.turned.is_none() && *heads > 1 && *width >= MIN_HEAD as usize,
		_ => false,
	};
	if let Some((rows, cols)) =
		exchanged(&by_stored, order, &array.shape).filter(|groups| *groups == (1, 1) || !is_heads)
	{
		return Ok(Array { stored: array.stored, shape, turned: Turned::new(rows, cols) });
	}
	match order {
		[0, 2, 1, 3] => heads(to, array, shape),
		[0, 2, 3, 1] => {
			let split = heads(to, array, vec![shape[0], shape[1], shape[3], shape[2]])?;
			let turned = Turned::new(shape[2], shape[3]);
			Ok(Array { shape, turned, ..split })
		}
		_ => Err(format!(
			"`perm` {order:?} of {:?}: known are orders that exchange two groups of neighbouring axes, and [0, 2, 1, 3]",
			array.shape
		)),
	}
}

/// How an array is turned whose elements are stored by the axes `stored` and whose own order of them is `order`: the extents of
/// two neighbouring groups of axes that are exchanged, 1 and 1 where none are; nothing if more than that differs.
fn exchanged(stored: &[usize], order: &[usize], shape: &[usize]) -> Option<(usize, usize)> {
	let moved =
		|axes: &[usize]| -> Vec<usize> { axes.iter().copied().filter(|at| shape.get(*at) != Some(&1)).collect() };
	let (stored, order) = (moved(stored), moved(order));
	let extent = |axes: &[usize]| -> usize { axes.iter().filter_map(|at| shape.get(*at)).product() };
	let same = stored.iter().zip(&order).take_while(|(a, b)| a == b).count();
	let (stored, order) = (stored.get(same..)?, order.get(same..)?);
	let Some(first) = order.first() else { return Some((1, 1)) };
	// What comes first in the order begins here in what is stored.
	let at = stored.iter().position(|axis| axis == first)?;
	let (before, after) = stored.split_at(at);
	let is_exchange = order.iter().eq(after.iter().chain(before));
	is_exchange.then(|| (extent(after), extent(before)))
}

/// `[batch, rows, heads, width]` to `[batch, heads, rows, width]`; the inverse is the same with the names exchanged.
fn heads(to: &mut Lowering, array: &Array, shape: Vec<usize>) -> Result<Array, Refusal> {
	let array = to.in_order(array)?;
	let [_, heads, rows, width] = shape.as_slice() else { return Err("four axes are needed".into()) };
	let small = |extent: usize| u32::try_from(extent).map_err(|_| "too large".to_owned());
	let (heads, rows, width) = (small(*heads)?, small(*rows)?, small(*width)?);
	let merged = heads.checked_mul(width).ok_or("too large")?;
	// Where the last op merged or split heads, the columns are there already.
	let stored = to.with_columns(array.stored, merged);
	Ok(Array::new(to.graph.split_heads(stored, rows, heads), shape))
}
