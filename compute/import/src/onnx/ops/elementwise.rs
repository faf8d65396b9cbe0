//! Operators on elements.

use std::rc::Rc;

use assay_models::{gelu, gelu_erf, Graph, Value};
use assay_program::{BinaryKind, UnaryKind};

use crate::onnx::{
	array::{elements, matrix_of, Array, Held, Lowering, Refusal},
	node::Call,
};

pub(super) fn unary(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let x = to.array(&call.input(0)?)?;
	// The order of elements does not matter, so none is rearranged.
	let (stored, graph) = (x.stored, &mut to.graph);
	let stored = match call.op {
		"Relu" => graph.relu(stored),
		"Tanh" => graph.tanh(stored),
		"Sigmoid" => graph.sigmoid(stored),
		"Erf" => graph.erf(stored),
		"Sqrt" => graph.sqrt(stored),
		"Exp" => graph.exp(stored),
		"Log" => graph.log(stored),
		"Neg" => graph.neg(stored),
		"Abs" => graph.unary(UnaryKind::Abs, stored),
		"Reciprocal" => graph.div(1.0, stored),
		"Gelu" => match call.text("approximate")? {
			None | Some(b"none") => gelu_erf(graph, stored),
			Some(b"tanh") => gelu(graph, stored),
			Some(_) => return Err("attribute `approximate` is neither none nor tanh".into()),
		},
		other => return Err(format!("{other} is not a function of one input")),
	};
	if matches!(call.op, "Relu" | "Sigmoid") {
		to.mark_not_negative(stored);
	}
	Ok(Held::Array(Array { stored, ..x }))
}

pub(super) fn binary(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let kind = match call.op {
		"Add" => BinaryKind::Add,
		"Sub" => BinaryKind::Sub,
		"Mul" => BinaryKind::Mul,
		"Div" => BinaryKind::Div,
		"Max" => BinaryKind::Max,
		_ => BinaryKind::Min,
	};
	if call.inputs.len() != 2 {
		return Err(format!("{} inputs; two are known", call.inputs.len()));
	}
	let (a, b) = (call.input(0)?, call.input(1)?);
	each_of_two(to, (&a, &b), |graph, a, b| graph.binary(kind, a, b))
}

/// A function of the elements of two tensors, broadcast.
pub(super) fn each_of_two(
	to: &mut Lowering,
	(a, b): (&Held, &Held),
	function: impl FnOnce(&mut Graph, Value, Value) -> Value,
) -> Result<Held, Refusal> {
	let shape = broadcast(a.shape(), b.shape())?;
	let both_scalar = a.scalar().is_some() && b.scalar().is_some();
	// As the larger one is stored, unless it is in order.
	let cut = [a, b].into_iter().filter(|held| held.shape() == shape).find_map(Held::cut);
	let stored_shape = cut.map_or_else(|| shape.clone(), |cut| cut.stored_shape(&shape));
	let mut operand = |held: &Held| match (held.scalar(), cut) {
		(Some(scalar), _) if !both_scalar => Ok(Value::from(scalar)),
		(_, Some(cut)) => {
			let held = to.stored_as(&of_rank(held, shape.len()), cut)?;
			let array = to.array(&held)?;
			expanded(to, &array, &stored_shape)
		}
		(_, None) => {
			let array = to.array(held)?;
			expanded(to, &array, &stored_shape)
		}
	};
	let (a, b) = (operand(a)?, operand(b)?);
	let stored = Held::Array(Array::new(function(&mut to.graph, a, b), stored_shape));
	match cut {
		Some(cut) => to.read_as(stored, cut),
		None => Ok(stored),
	}
}

/// The tensor with extents of 1 before its own.
fn of_rank(held: &Held, rank: usize) -> Held {
	let missing = vec![1; rank.saturating_sub(held.shape().len())];
	if missing.is_empty() {
		return held.clone();
	}
	let shape = [missing.as_slice(), held.shape()].concat();
	match held {
		Held::Known(constant, name) => Held::Known(Rc::new(constant.in_shape(shape)), name.clone()),
		Held::Array(array) => Held::Array(Array { shape, ..array.clone() }),
	}
}

/// Powers that are products or roots.
pub(super) fn power(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let x = to.array(&call.input(0)?)?;
	let exponent = call.input(1)?;
	let whole = exponent.ints().ok().and_then(|ints| ints.first().map(|int| *int as f32));
	let one = elements(exponent.shape()) == 1 && exponent.shape().len() <= x.shape.len();
	let (stored, graph) = (x.stored, &mut to.graph);
	let stored = match exponent.scalar().or(whole).filter(|_| one) {
		Some(1.0) => stored,
		Some(2.0) => graph.mul(stored, stored),
		Some(3.0) => {
			let square = graph.mul(stored, stored);
			graph.mul(square, stored)
		}
		Some(0.5) => graph.sqrt(stored),
		_ => return Err("only the powers 0.5, 1, 2 and 3 are known".into()),
	};
	Ok(Held::Array(Array { stored, ..x }))
}

/// The shape to which two can be broadcast.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Refusal> {
	let rank = a.len().max(b.len());
	let extent = |shape: &[usize], axis: usize| {
		let missing = rank.saturating_sub(shape.len());
		axis.checked_sub(missing).and_then(|axis| shape.get(axis).copied()).unwrap_or(1)
	};
	let both = |axis| match (extent(a, axis), extent(b, axis)) {
		(1, other) | (other, 1) => Ok(other),
		(a, b) if a == b => Ok(a),
		_ => Err(format!("shapes {a:?} and {b:?} do not broadcast")),
	};
	(0..rank).map(both).collect()
}

/// The matrix of an array that an elementwise op of this output shape can read: it has the output's rows or one, and the
/// output's columns or one. Rows that repeat in another way are looked up.
pub(super) fn expanded(to: &mut Lowering, array: &Array, shape: &[usize]) -> Result<Value, Refusal> {
	let matrix = to.matrix(array)?;
	let (rows, _) = matrix_of(shape)?;
	let leading = shape.split_last().map_or(&[][..], |(_, leading)| leading);
	let own = array.shape.split_last().map_or(&[][..], |(_, leading)| leading);
	let missing = leading.len().saturating_sub(own.len());
	let all_one = elements(own) == 1;
	if all_one || elements(own) == u64::from(rows) {
		return Ok(matrix);
	}
	to.spend(rows.into())?;
	let row_of = |mut row: u32| {
		let (mut source, mut stride) = (0u64, 1u64);
		for (axis, extent) in leading.iter().enumerate().rev() {
			let position = row % *extent as u32;
			row /= *extent as u32;
			let extent = axis.checked_sub(missing).and_then(|axis| own.get(axis)).copied().unwrap_or(1);
			if extent > 1 {
				source += u64::from(position) * stride;
			}
			stride *= extent as u64;
		}
		source as u32
	};
	let ids = to.ids((0..rows).map(row_of).collect())?;
	Ok(to.graph.lookup(matrix, ids))
}
