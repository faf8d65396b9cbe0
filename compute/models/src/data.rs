//! Labelled rows, split into training and held-out ones.

use assay_engine::Tensor;

/// Rows and their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
	/// f32 `[rows, features]`.
	pub x: Tensor,
	/// i32 `[rows, 1]`, each in `0..classes`.
	pub y: Tensor,
}

/// Rows of numbers, with or without a label each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
	/// f32 `[rows, features]`.
	pub x: Tensor,
	/// i32 `[rows, 1]`, where the file has labels.
	pub labels: Option<Tensor>,
	/// The line, from 1, that names the columns.
	pub names: Option<u64>,
}

/// A classification data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classification {
	/// Columns of `x`.
	pub features: u32,
	/// Classes: the largest label plus one.
	pub classes: u32,
	/// The line, from 1, that names the columns.
	pub names: Option<u64>,
	/// Rows to train on.
	pub train: Split,
	/// Rows kept apart for evaluation.
	pub held_out: Split,
}
