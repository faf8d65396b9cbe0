//! Products.

use assay_engine::Tensor;
use assay_models::{quantised, Value};
use assay_program::{Axis, DType, Lane};

use super::elementwise::expanded;
use crate::onnx::{
	array::{elements, matrix_of, Array, Held, Lowering, Refusal},
	node::Call,
	tensor::Constant,
};

pub(super) fn matmul(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let a = to.array(&call.input(0)?)?;
	if let Some(product) = product_i8(to, &a, &call.input(1)?, false)? {
		return Ok(product);
	}
	let b = to.array(&call.input(1)?)?;
	let ([lead_a @ .., rows, inner], [lead_b @ .., inner_b, cols]) = (a.shape.as_slice(), b.shape.as_slice()) else {
		return Err(format!("shapes {:?} and {:?}: both need two dimensions", a.shape, b.shape));
	};
	if inner != inner_b {
		return Err(format!("shapes {:?} and {:?}: the inner dimensions differ", a.shape, b.shape));
	}
	let shape = [lead_a, &[*rows, *cols]].concat();
	matrix_of(&shape)?;
	let stored = if lead_b.is_empty() {
		// One matrix for all rows; transposed rows of several matrices would have to be rearranged.
		let (a, trans_a) = if lead_a.is_empty() { as_stored(to, &a)? } else { (to.matrix(&a)?, false) };
		let (b, trans_b) = as_stored(to, &b)?;
		to.graph.matmul_transposed(a, trans_a, b, trans_b)
	} else if lead_a == lead_b {
		let blocks = u32::try_from(elements(lead_a)).map_err(|_| "too many matrices".to_owned())?;
		let (a, b) = (as_stored(to, &a)?, as_stored(to, &b)?);
		to.graph.block_matmul(a, b, blocks, 1)
	} else {
		return Err(format!("shapes {:?} and {:?}: matrices of a batch are not broadcast", a.shape, b.shape));
	};
	Ok(Held::Array(Array { stored, shape, swapped: false }))
}

pub(super) fn gemm(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let (alpha, beta) = (call.float("alpha", 1.0)?, call.float("beta", 1.0)?);
	let (trans_a, trans_b) = (call.int("transA", 0)? != 0, call.int("transB", 0)? != 0);
	let (a, held) = (to.array(&call.input(0)?)?, call.input(1)?);
	let ([a_rows, a_cols], [b_rows, b_cols]) = (a.shape.as_slice(), held.shape()) else {
		return Err(format!("shapes {:?} and {:?}: both need two dimensions", a.shape, held.shape()));
	};
	let (rows, inner) = if trans_a { (*a_cols, *a_rows) } else { (*a_rows, *a_cols) };
	let (inner_b, cols) = if trans_b { (*b_cols, *b_rows) } else { (*b_rows, *b_cols) };
	if inner != inner_b {
		return Err(format!("shapes {:?} and {:?}: the inner dimensions differ", a.shape, held.shape()));
	}
	let in_int8 = if trans_a { None } else { product_i8(to, &a, &held, trans_b)? };
	let product = match in_int8 {
		Some(Held::Array(array)) => array.stored,
		_ => {
			let b = to.array(&held)?;
			let ((a, swapped_a), (b, swapped_b)) = (as_stored(to, &a)?, as_stored(to, &b)?);
			to.graph.matmul_transposed(a, trans_a != swapped_a, b, trans_b != swapped_b)
		}
	};
	let mut stored = to.graph.mul(product, alpha);
	let shape = vec![rows, cols];
	if let Some(c) = call.optional(2).filter(|_| beta != 0.0) {
		let c = to.array(&c)?;
		if super::elementwise::broadcast(&c.shape, &shape)? != shape {
			return Err(format!("shape {:?} does not broadcast to {shape:?}", c.shape));
		}
		let c = expanded(to, &c, &shape)?;
		let c = to.graph.mul(c, beta);
		stored = to.graph.add(stored, c);
	}
	Ok(Held::Array(Array { stored, shape, swapped: false }))
}

/// In lane I8, the product of rows with a matrix that is known, quantised here; nothing otherwise.
fn product_i8(to: &mut Lowering, a: &Array, b: &Held, trans_b: bool) -> Result<Option<Held>, Refusal> {
	let Held::Known(constant, name) = b else { return Ok(None) };
	let Constant::Floats { shape, bits } = &**constant else { return Ok(None) };
	let ([lead @ .., inner], [b_rows, b_cols]) = (a.shape.as_slice(), shape.as_slice()) else { return Ok(None) };
	let (inner_b, cols) = if trans_b { (*b_cols, *b_rows) } else { (*b_rows, *b_cols) };
	if to.lane != Lane::I8 || *inner != inner_b || lead.is_empty() {
		return Ok(None);
	}
	let (rows, columns) = matrix_of(shape)?;
	to.spend(2 * elements(shape))?;
	let refused = |error: assay_engine::TensorError| error.to_string();
	let tensor = Tensor::new(DType::F32, rows, columns, bits.clone()).map_err(refused)?;
	let (bytes, scales) = quantised(&tensor, if trans_b { Axis::Cols } else { Axis::Rows }).map_err(refused)?;
	let name = |kind: &str| name.as_ref().map(|name| format!("{name}.{kind}"));
	let bytes = to.declare(name("i8").as_deref(), bytes);
	let scales = to.declare(name("scales").as_deref(), scales);
	let rows = to.matrix(a)?;
	let (x, by_row) = to.graph.quantise_rows(rows);
	let sums = to.graph.int8_matmul(x, false, bytes, trans_b);
	let stored = to.graph.dequantise(sums, by_row, scales);
	Ok(Some(Held::Array(Array { stored, shape: [lead, &[cols]].concat(), swapped: false })))
}

/// An array's matrices as they are stored, and whether that is transposed.
fn as_stored(to: &mut Lowering, array: &Array) -> Result<(Value, bool), Refusal> {
	let mut stored = array.shape.clone();
	if let (true, [.., rows, cols]) = (array.swapped, stored.as_mut_slice()) {
		core::mem::swap(rows, cols);
	}
	Ok((to.with_columns(array.stored, matrix_of(&stored)?.1)?, array.swapped))
}
