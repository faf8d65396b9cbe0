//! Further functions of one tensor.

use assay_program::{Axis, OpKind, TensorSpec, UnaryKind};

use crate::{Graph, Value};

impl Graph {
	/// `|x|`.
	pub fn abs(&mut self, x: Value) -> Value {
		self.unary(UnaryKind::Abs, x)
	}

	/// Error function.
	pub fn erf(&mut self, x: Value) -> Value {
		self.unary(UnaryKind::Erf, x)
	}

	/// Sine, of angles up to `±2^22`.
	pub fn sin(&mut self, x: Value) -> Value {
		self.unary(UnaryKind::Sin, x)
	}

	/// Cosine, of angles up to `±2^22`.
	pub fn cos(&mut self, x: Value) -> Value {
		self.unary(UnaryKind::Cos, x)
	}

	/// `1 / sqrt(x)`.
	pub fn rsqrt(&mut self, x: Value) -> Value {
		self.unary(UnaryKind::Rsqrt, x)
	}

	/// The same elements, row after row, in another shape.
	pub fn reshape(&mut self, x: Value, rows: u32, cols: u32) -> Value {
		let spec = self.spec(x);
		if (spec.rows, spec.cols) == (rows, cols) {
			return x;
		}
		self.op(OpKind::Reshape, &[x], Some(TensorSpec { rows, cols, ..spec }))
	}

	/// Each block of `2^log2` rows or columns times the Hadamard matrix of that side, not scaled: twice gives `2^log2` times
	/// `x`.
	pub fn hadamard(&mut self, x: Value, log2: u8, axis: Axis) -> Value {
		self.op(OpKind::Hadamard { log2, axis }, &[x], None)
	}
}
