//! Products.

use assay_engine::Tensor;
use assay_models::{quantised, Value};
use assay_program::{Axis, DType, Lane};

use super::elementwise::expanded;
use crate::onnx::{
	array::{elements, matrix_of, Array, Held, Lowering, Refusal},
	node::Call,
	tensor::Constant,
	turn::{turned_places, Turned},
};

pub(super) fn matmul(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let a = to.array(&call.input(0)?)?;
	let (a, b) = facing(to, a, call.input(1)?, false)?;
	if let Some(product) = product_i8(to, &a, &b, false)? {
		return Ok(product);
	}
	let b = to.array(&b)?;
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
	Ok(Held::Array(Array::new(stored, shape)))
}

pub(super) fn gemm(to: &mut Lowering, call: &mut Call<'_>) -> Result<Held, Refusal> {
	let (alpha, beta) = (call.float("alpha", 1.0)?, call.float("beta", 1.0)?);
	let (trans_a, trans_b) = (call.int("transA", 0)? != 0, call.int("transB", 0)? != 0);
	let a = to.array(&call.input(0)?)?;
	let (a, held) = if trans_a { (a, call.input(1)?) } else { facing(to, a, call.input(1)?, trans_b)? };
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
	Ok(Held::Array(Array::new(stored, shape)))
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
	let tensor = Tensor::new(DType::F32, rows, columns, bits.clone()).map_err(|error| error.to_string())?;
	let rows = to.matrix(a)?;
	let stored = product_with_known(to, rows, tensor, trans_b, name.as_deref())?;
	Ok(Some(Held::Array(Array::new(stored, [lead, &[cols]].concat()))))
}

/// The product of rows with a matrix of the file, which may be stored transposed; in lane I8 in int8, the matrix quantised here.
pub(super) fn product_with_known(
	to: &mut Lowering,
	rows: Value,
	matrix: Tensor,
	transposed: bool,
	name: Option<&str>,
) -> Result<Value, Refusal> {
	if to.lane != Lane::I8 {
		let matrix = to.declare(name, matrix);
		return Ok(to.graph.matmul_transposed(rows, false, matrix, transposed));
	}
	to.spend(2 * matrix.spec().elements())?;
	let over = if transposed { Axis::Cols } else { Axis::Rows };
	let (bytes, scales) = quantised(&matrix, over).map_err(|error| error.to_string())?;
	let name = |kind: &str| name.map(|name| format!("{name}.{kind}"));
	let bytes = to.declare(name("i8").as_deref(), bytes);
	let scales = to.declare(name("scales").as_deref(), scales);
	let (x, by_row) = to.graph.quantise_rows(rows);
	let sums = to.graph.int8_matmul(x, false, bytes, transposed);
	Ok(to.graph.dequantise(sums, by_row, scales))
}

/// Rows whose elements are turned, and the matrix of the file that they are multiplied with: as the rows are stored, with the
/// matrix's own order changed instead. Others stay as they are.
fn facing(to: &mut Lowering, a: Array, b: Held, trans_b: bool) -> Result<(Array, Held), Refusal> {
	let (Some(Turned { rows, cols }), Held::Known(constant, _)) = (a.turned, &b) else { return Ok((a, b)) };
	let (Some(inner), [b_rows, b_cols]) = (a.shape.last(), constant.shape()) else { return Ok((a, b)) };
	if !inner.is_multiple_of(rows * cols) || *inner != if trans_b { *b_cols } else { *b_rows } {
		return Ok((a, b));
	}
	let (b_rows, b_cols) = (*b_rows, *b_cols);
	to.spend(elements(constant.shape()))?;
	let places: Vec<usize> = turned_places(*inner, a.turned).collect();
	let bits = (0..b_rows * b_cols).map(|at| {
		let (row, col) = (at / b_cols, at % b_cols);
		let of = |at: usize| places.get(at).copied().unwrap_or(at);
		if trans_b {
			row * b_cols + of(col)
		} else {
			of(row) * b_cols + col
		}
	});
	let matrix = constant.picked(vec![b_rows, b_cols], bits);
	Ok((Array { turned: None, ..a }, matrix.into()))
}

/// An array's matrices as they are stored, and whether that is transposed.
fn as_stored(to: &mut Lowering, array: &Array) -> Result<(Value, bool), Refusal> {
	let [leading @ .., rows, cols] = array.shape.as_slice() else { return Ok((to.matrix(array)?, false)) };
	if array.turned.is_none() || array.turned != Turned::new(*rows, *cols) {
		return Ok((to.matrix(array)?, false));
	}
	let (_, cols) = matrix_of(&[leading, &[*cols, *rows]].concat())?;
	Ok((to.with_columns(array.stored, cols), true))
}
