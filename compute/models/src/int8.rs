//! Matrix products through int8, with gradients.

use assay_engine::{Tensor, TensorError};
use assay_program::{Axis, DType, Init, OpKind, Role, TensorSpec};

use crate::{Graph, Value};

/// `1 / 127`: the largest element of a row or column becomes 127.
const STEP: f32 = 1.0 / 127.0;

/// A product of f32 matrices that was computed in int8.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Int8Product {
	pub(crate) a: Value,
	pub(crate) trans_a: bool,
	pub(crate) b: Value,
	pub(crate) trans_b: bool,
}

/// An f32 matrix in int8 and its scales, one for each row or column that the axis `over` leaves: what [`Graph::matmul_i8`] makes
/// of an operand in every step, bit for bit, made once. The scales are a row, `[1, columns]`, or of [`Axis::Cols`] `[1, rows]`.
///
/// # Errors
/// [`TensorError`] if the shape is none of a tensor, which one of a tensor is.
pub fn quantised(x: &Tensor, over: Axis) -> Result<(Tensor, Tensor), TensorError> {
	let TensorSpec { rows, cols, .. } = x.spec();
	let (width, values) = (cols.max(1) as usize, x.to_f32());
	let place = |at: usize| if over == Axis::Rows { at % width } else { at / width };
	let mut scales = vec![0f32; if over == Axis::Rows { cols } else { rows } as usize];
	for (at, value) in values.iter().enumerate() {
		if let Some(largest) = scales.get_mut(place(at)) {
			*largest = largest.max(value.abs());
		}
	}
	scales.iter_mut().for_each(|scale| *scale *= STEP);
	let byte = |(at, value): (usize, &f32)| {
		let quotient = value / scales.get(place(at)).copied().unwrap_or(0.0);
		// Zeros by the scale zero stay zeros.
		let whole = if quotient.is_nan() { 0.0 } else { quotient.clamp(-127.0, 127.0).round_ties_even() };
		whole as i8
	};
	let bytes = Tensor::int8(rows, cols, values.iter().enumerate().map(byte))?;
	let columns = if over == Axis::Rows { cols } else { rows };
	let scales = Tensor::new(DType::F32, 1, columns, scales.iter().map(|scale| scale.to_bits()).collect())?;
	Ok((bytes, scales))
}

impl Graph {
	/// An int8 state tensor `[rows, cols]`, every element `value` at first.
	pub fn int8_state(&mut self, name: &str, rows: u32, cols: u32, value: i8) -> Value {
		let spec = TensorSpec { dtype: DType::I8, rows, cols };
		self.declare(name.into(), spec, Role::State(Init::Constant(i32::from(value) as u32)))
	}

	/// Int8 of `x` at `scale`, which is broadcast: `x / scale` clamped to `-127..=127` and rounded. It has no gradient.
	pub fn quantise(&mut self, x: Value, scale: impl Into<Value>) -> Value {
		self.op(OpKind::Quantise, &[x, scale.into()], None)
	}

	/// Exact product of int8 matrices, i32, either of them stored transposed. It has no gradient.
	pub fn int8_matmul(&mut self, a: Value, trans_a: bool, b: Value, trans_b: bool) -> Value {
		self.op(OpKind::MatMulI8 { trans_a, trans_b }, &[a, b], None)
	}

	/// `x * row * col` in f32 of an i32 matrix; the scales are broadcast. It has no gradient.
	pub fn dequantise(&mut self, x: Value, row: impl Into<Value>, col: impl Into<Value>) -> Value {
		self.op(OpKind::Dequantise, &[x, row.into(), col.into()], None)
	}

	/// From now on int8 products rotate both operands in blocks of up to `2^log2` elements, at most 32, along the axis that
	/// they sum over, as far as whole blocks make it up. That spreads outliers, which otherwise cost the elements beside them
	/// their resolution. 0 turns it off.
	pub fn rotate_int8_products(&mut self, log2: u8) {
		self.rotation = log2.min(5);
	}

	/// `a * b` of f32 matrices, computed in int8: rows of `a` and columns of `b` are scaled so that their largest element is
	/// 127. The gradient is that of the exact product, its two products computed in int8 as well, with the scales that
	/// their own rows and columns need.
	pub fn matmul_i8(&mut self, a: Value, b: Value) -> Value {
		self.product_i8(a, false, b, false)
	}

	/// The same, either of them stored transposed.
	pub fn matmul_i8_transposed(&mut self, a: Value, trans_a: bool, b: Value, trans_b: bool) -> Value {
		self.product_i8(a, trans_a, b, trans_b)
	}

	fn product_i8(&mut self, a: Value, trans_a: bool, b: Value, trans_b: bool) -> Value {
		// The axis that the product sums over.
		let (over_a, over_b) =
			(if trans_a { Axis::Rows } else { Axis::Cols }, if trans_b { Axis::Cols } else { Axis::Rows });
		let spec = self.spec(a);
		let log2 =
			if over_a == Axis::Rows { spec.rows } else { spec.cols }.trailing_zeros().min(self.rotation.into()) as u8;
		let ((p, row), (q, col)) = match log2 {
			0 => (self.bytes(a, over_a), self.bytes(b, over_b)),
			_ => {
				let (turned_a, turned_b) = (self.hadamard(a, log2, over_a), self.hadamard(b, log2, over_b));
				let ((p, row), by_col) = (self.bytes(turned_a, over_a), self.bytes(turned_b, over_b));
				// Both rotations together make the product larger by the side of a block.
				((p, self.mul(row, 1.0 / (1u32 << log2) as f32)), by_col)
			}
		};
		let sums = self.int8_matmul(p, trans_a, q, trans_b);
		let spec = self.spec(sums);
		let (row, col) = (self.reshape(row, spec.rows, 1), self.reshape(col, 1, spec.cols));
		let product = self.dequantise(sums, row, col);
		if let Some(id) = product.tensor() {
			self.int8_products.insert(id, Int8Product { a, trans_a, b, trans_b });
		}
		product
	}

	/// `x` in int8 and its scales, one for each row or column that the axis leaves. Zeros have the scale 0 and stay zeros.
	fn bytes(&mut self, x: Value, over: Axis) -> (Value, Value) {
		let known = x.tensor().and_then(|id| self.magnitudes.get(&id)).copied();
		let magnitude = known.unwrap_or_else(|| self.abs(x));
		if let Some(id) = x.tensor() {
			self.magnitudes.insert(id, magnitude);
		}
		let largest = self.max(magnitude, over);
		let scale = self.mul(largest, STEP);
		(self.quantise(x, scale), scale)
	}

	/// `x` in int8 and the scale of each row, as the first operand of [`Graph::matmul_i8`] is made.
	pub fn quantise_rows(&mut self, x: Value) -> (Value, Value) {
		self.bytes(x, Axis::Cols)
	}

	/// What operand `input` receives from the adjoint `g` of the output `y`.
	pub(crate) fn pull_int8(&mut self, product: &Int8Product, input: usize, g: Value, y: Value) -> Value {
		let Int8Product { a, trans_a, b, trans_b } = *product;
		let g = self.spread(g, y);
		match (input, trans_a, trans_b) {
			(0, false, _) => self.product_i8(g, false, b, !trans_b),
			(0, true, _) => self.product_i8(b, trans_b, g, true),
			(_, _, false) => self.product_i8(a, !trans_a, g, false),
			(_, _, true) => self.product_i8(g, true, a, trans_a),
		}
	}
}
