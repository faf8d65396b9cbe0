//! Products.

use assay_models::Value;

use super::elementwise::expanded;
use crate::onnx::{
	array::{elements, matrix_of, Array, Held, Lowering, Refusal},
	node::Call,
};

pub(super) fn matmul(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let (a, b) = (to.array(&call.input(0)?)?, to.array(&call.input(1)?)?);
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
	let (a, b) = (to.array(&call.input(0)?)?, to.array(&call.input(1)?)?);
	let ([a_rows, a_cols], [b_rows, b_cols]) = (a.shape.as_slice(), b.shape.as_slice()) else {
		return Err(format!("shapes {:?} and {:?}: both need two dimensions", a.shape, b.shape));
	};
	let (rows, inner) = if trans_a { (*a_cols, *a_rows) } else { (*a_rows, *a_cols) };
	let (inner_b, cols) = if trans_b { (*b_cols, *b_rows) } else { (*b_rows, *b_cols) };
	if inner != inner_b {
		return Err(format!("shapes {:?} and {:?}: the inner dimensions differ", a.shape, b.shape));
	}
	let ((a, swapped_a), (b, swapped_b)) = (as_stored(to, &a)?, as_stored(to, &b)?);
	let product = to.graph.matmul_transposed(a, trans_a != swapped_a, b, trans_b != swapped_b);
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

/// An array's matrices as they are stored, and whether that is transposed.
fn as_stored(to: &mut Lowering, array: &Array) -> Result<(Value, bool), Refusal> {
	let mut stored = array.shape.clone();
	if let (true, [.., rows, cols]) = (array.swapped, stored.as_mut_slice()) {
		core::mem::swap(rows, cols);
	}
	Ok((to.with_columns(array.stored, matrix_of(&stored)?.1)?, array.swapped))
}
