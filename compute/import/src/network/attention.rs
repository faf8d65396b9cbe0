//! Attention over the heads of a batch.

use assay_models::Value;

use super::{
	layers::{softmax, softmax_of, Net},
	walk::Walk,
};
use crate::ImportError;

/// Where a score is masked out. Its power is +0 beside any score that occurs.
pub(crate) const MASKED: f32 = -1e30;

/// Heads of queries, and of keys and values, which several heads of queries may share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heads {
	pub(crate) queries: u32,
	pub(crate) keys: u32,
	pub(crate) width: u32,
}

/// Which scores count.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mask {
	/// Those of a position and the ones before it.
	Causal,
	/// All.
	None,
	/// All, after a tensor of the scores' shape is added.
	Added(Value),
}

impl Net<'_> {
	/// `[batch * length, heads * width]` to `[batch * heads * length, width]`.
	pub(crate) fn split(&mut self, x: Value, heads: u32) -> Value {
		self.graph.split_heads(x, self.length, heads)
	}

	/// Attention of split queries over split keys and values; the result is merged. Query head `h` reads key and value head
	/// `h / (queries / keys)`.
	pub(crate) fn attention(&mut self, heads: Heads, q: Value, k: Value, v: Value, mask: Mask) -> Value {
		let (k, v) = match &self.walk {
			Walk::Whole => (k, v),
			Walk::Replayed => (self.graph.add(k, 0.0), self.graph.add(v, 0.0)),
			Walk::Stepwise(_) => return self.attend_stepwise(heads, q, k, v),
		};
		let (blocks, length) = (self.batch.saturating_mul(heads.queries), self.length);
		let share = heads.queries / heads.keys.max(1);
		let graph = &mut self.graph;
		let scores = graph.block_matmul((q, false), (k, true), blocks, share);
		let scores = graph.mul(scores, 1.0 / (heads.width as f32).sqrt());
		let scores = match mask {
			Mask::Causal => graph.causal(scores, length, 0, MASKED),
			Mask::None => scores,
			Mask::Added(mask) => graph.add(scores, mask),
		};
		let replayed = matches!(self.walk, Walk::Replayed);
		let shares = match replayed {
			true => softmax_of(graph, scores, |graph, powers| graph.causal(powers, length, 0, 0.0)),
			false => softmax(graph, scores),
		};
		let mut mixed = graph.block_matmul((shares, false), (v, false), blocks, share);
		if replayed {
			mixed = graph.add(mixed, 0.0);
		}
		graph.merge_heads(mixed, length, heads.queries)
	}

	/// What to add to the scores of `heads` heads so that padding does not count: `mask` is F32 `[batch, length]`, 1 at a
	/// token and 0 at padding.
	pub(crate) fn padding(&mut self, mask: Value, heads: u32) -> Result<Value, ImportError> {
		let added = self.graph.fma(mask, -MASKED, MASKED);
		let rows = self.rows().saturating_mul(heads);
		let per_sequence = self.length.saturating_mul(heads).max(1);
		let sequences = self.ids("sequences", rows, |row| row / per_sequence)?;
		Ok(self.graph.lookup(added, sequences))
	}
}
