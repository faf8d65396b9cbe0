//! How a network walks over the positions of its sequences.

use assay_models::Value;
use assay_program::{Axis, DType, Init};

use super::{
	attention::{Heads, MASKED},
	layers::{softmax_of, Net},
};
use crate::ImportError;

/// Which positions a step computes.
#[derive(Clone, Debug)]
pub(crate) enum Walk {
	/// All, of whole sequences.
	Whole,
	/// All, and every number is the one that [`Walk::Stepwise`] computes at its position.
	Replayed,
	/// One of each sequence; the state keeps the keys and values of those before it.
	Stepwise(Box<Stepwise>),
}

/// What a step at one position knows. The position is the same in all sequences.
#[derive(Clone, Debug)]
pub(crate) struct Stepwise {
	/// Positions of a whole sequence.
	pub(crate) window: u32,
	/// I32 `[batch, 1]`: the position.
	pub(crate) position: Value,
	/// I32 `[batch, 1]`: the token that the last step chose.
	pub(crate) chosen: Value,
	/// F32 `[batch, 1]`: 1 where the token is the chosen one, +0 where it is given.
	pub(crate) open: Value,
	/// F32 `[batch, window]`: 1 at the position, else +0.
	pub(crate) here: Value,
	/// F32 `[1, window]`: 1 up to the position, else +0.
	pub(crate) seen: Value,
	/// F32 `[1, window]`: -0 up to the position, else [`MASKED`].
	masked: Value,
	/// F32 `[1, 1]`: +0 at the last position, else 1.
	keep: Value,
	/// Attention layers so far.
	layers: u32,
}

impl Net<'_> {
	/// Tables that follow from the position, which `position` gives as an I32 column of `batch` rows.
	pub(crate) fn stepwise(
		&mut self,
		window: u32,
		position: Value,
		chosen: Value,
		open: Value,
	) -> Result<Stepwise, ImportError> {
		let mut row = |name: &str, cols: u32, value: &dyn Fn(u32, u32) -> f32| {
			let bits = (0..window).flat_map(|at| (0..cols).map(move |col| (at, col)));
			let bits = bits.map(|(at, col)| value(at, col).to_bits()).collect();
			let table = assay_engine::Tensor::new(DType::F32, window, cols, bits)
				.map_err(|error| ImportError::Request(format!("{name}: {error}; take shorter sequences")))?;
			let table = self.constant(name, table);
			Ok::<_, ImportError>(self.graph.lookup(table, position))
		};
		let here = row("at.here", window, &|at, col| f32::from(u8::from(at == col)))?;
		let seen = row("at.seen", window, &|at, col| f32::from(u8::from(col <= at)))?;
		let masked = row("at.masked", window, &|at, col| if col <= at { -0.0 } else { MASKED })?;
		let keep = row("at.keep", 1, &|at, _| f32::from(u8::from(at + 1 < window)))?;
		// The rows are the same, and of the same numbers the maximum is the first.
		let [seen, masked, keep] = [seen, masked, keep].map(|rows| self.graph.max(rows, Axis::Rows));
		Ok(Stepwise { window, position, chosen, open, here, seen, masked, keep, layers: 0 })
	}

	/// The rows of the token table that `ids` names. Stepwise, `ids` names none where a token was chosen.
	pub(crate) fn embed(&mut self, table: Value, ids: Value) -> Value {
		let rows = self.graph.lookup(table, ids);
		let rows = match &self.walk {
			Walk::Whole => return rows,
			Walk::Replayed => rows,
			Walk::Stepwise(step) => {
				let chosen = self.graph.lookup(table, step.chosen);
				self.graph.fma(chosen, step.open, rows)
			}
		};
		// One kind of zero, whichever way it came.
		self.graph.add(rows, 0.0)
	}

	/// As [`Net::attention`] with a causal mask, of one position over those before it and itself.
	///
	/// The state keeps keys and values of all positions, zero where there are none yet and after the last. A masked score
	/// has the power +0, whatever the others are, and what +0 times a finite number adds to a sum changes nothing but the
	/// kind of a zero; the sums are made +0 where they are zero. So a position's numbers do not depend on which positions
	/// after it are there, and [`Walk::Replayed`] gives the same.
	pub(crate) fn attend_stepwise(&mut self, heads: Heads, q: Value, k: Value, v: Value) -> Value {
		let Walk::Stepwise(step) = &mut self.walk else { return q };
		let layer = step.layers;
		step.layers += 1;
		let step = step.clone();
		let blocks = self.batch.saturating_mul(heads.keys);
		let (queries, share) = (self.batch.saturating_mul(heads.queries), heads.queries / heads.keys.max(1));
		let graph = &mut self.graph;
		let here = graph.max(step.here, Axis::Rows);
		let here = graph.broadcast(here, blocks, step.window);
		let mut cached = |name: &str, rows: Value| {
			let state =
				graph.state(&format!("{name}.{layer}"), blocks.saturating_mul(step.window), heads.width, Init::Zeros);
			let placed = graph.block_matmul((here, true), (rows, false), blocks, 1);
			let all = graph.add(state, placed);
			let kept = graph.fma(all, step.keep, 0.0);
			graph.update(state, kept);
			all
		};
		let (keys, values) = (cached("keys", k), cached("values", v));
		let scores = graph.block_matmul((q, false), (keys, true), queries, share);
		let scores = graph.mul(scores, 1.0 / (heads.width as f32).sqrt());
		let scores = graph.fma(scores, step.seen, step.masked);
		let shares = softmax_of(graph, scores, |graph, powers| graph.mul(powers, step.seen));
		let mixed = graph.block_matmul((shares, false), (values, false), queries, share);
		let mixed = graph.add(mixed, 0.0);
		graph.merge_heads(mixed, 1, heads.queries)
	}
}
