//! Ops on sequences: tokens, heads, blocks, masks.

use assay_program::{OpKind, TensorSpec};

use crate::{Graph, Value};

impl Graph {
	/// `count` columns from column `first`.
	pub fn columns(&mut self, x: Value, first: u32, count: u32) -> Value {
		let spec = self.spec(x);
		self.op(OpKind::Columns { first }, &[x], Some(TensorSpec { cols: count, ..spec }))
	}

	/// `cols` columns, `x` in those from `first`, zero in the others.
	pub fn pad_columns(&mut self, x: Value, first: u32, cols: u32) -> Value {
		let spec = self.spec(x);
		self.op(OpKind::PadColumns { first }, &[x], Some(TensorSpec { cols, ..spec }))
	}

	/// All elements below each other, row after row.
	pub fn flatten(&mut self, x: Value) -> Value {
		self.op(OpKind::Flatten, &[x], None)
	}

	/// The row of `table` that each of `ids`, one column, names.
	pub fn lookup(&mut self, table: Value, ids: Value) -> Value {
		self.op(OpKind::Lookup, &[table, ids], None)
	}

	/// `rows` rows: each the sum of the rows of `values` whose id it is.
	pub fn scatter_rows(&mut self, ids: Value, values: Value, rows: u32) -> Value {
		let spec = self.spec(values);
		self.op(OpKind::ScatterRows, &[ids, values], Some(TensorSpec { rows, ..spec }))
	}

	/// `heads` heads of sequences of `rows` positions, side by side, to below each other.
	pub fn split_heads(&mut self, x: Value, rows: u32, heads: u32) -> Value {
		self.op(OpKind::SplitHeads { rows, heads }, &[x], None)
	}

	/// The inverse of [`Graph::split_heads`].
	pub fn merge_heads(&mut self, x: Value, rows: u32, heads: u32) -> Value {
		self.op(OpKind::MergeHeads { rows, heads }, &[x], None)
	}

	/// Products of `blocks` stacked matrices, either side stored transposed; `share` consecutive ones share one of `b`.
	pub fn block_matmul(&mut self, a: (Value, bool), b: (Value, bool), blocks: u32, share: u32) -> Value {
		let kind = OpKind::BlockMatMul { trans_a: a.1, trans_b: b.1, blocks, share };
		self.op(kind, &[a.0, b.0], None)
	}

	/// `fill` where a column lies after its row's position in a block of `rows`, which begins at position `offset`.
	pub fn causal(&mut self, x: Value, rows: u32, offset: u32, fill: f32) -> Value {
		self.op(OpKind::Causal { rows, offset, fill: fill.to_bits() }, &[x], None)
	}

	/// Drops elements with probability `rate`, 0 up to below 1, and scales the others up; each call drops others.
	pub fn dropout(&mut self, x: Value, rate: f32) -> Value {
		if rate == 0.0 {
			return x;
		}
		let stream = self.next_dropout();
		let keep = ((1.0 - f64::from(rate)) * 2f64.powi(32)) as u32;
		let scale = (1.0 / (1.0 - rate)).to_bits();
		self.op(OpKind::Dropout { stream, keep, scale }, &[x], None)
	}

	/// `1 / (1 + e^-x)`.
	pub fn sigmoid(&mut self, x: Value) -> Value {
		self.unary(assay_program::UnaryKind::Sigmoid, x)
	}
}
