//! The token that a generation takes next.

use assay_engine::Tensor;
use assay_models::{Graph, Value};
use assay_program::DType;

use super::{layers::Net, Family};
use crate::ImportError;

/// By so much a text's end is above all other tokens once it has ended: more than the noise of two draws differs by.
const END_LEAD: f32 = 64.0;

/// Of texts that have ended, what their next token follows from.
#[derive(Clone, Copy)]
pub(super) struct Ended {
	/// F32 `[batch, 1]`: +0 where the text has ended, else 1.
	goes_on: Value,
	/// F32 `[batch, tokens there are]`: [`END_LEAD`] at the token `end` of a text that has ended, else +0.
	lead: Value,
}

/// A text has ended where the token that it is at was chosen and is one of `ends`: every token after it is `end`, so no more
/// has to be kept. `chosen` and `open` are those of the walk.
pub(super) fn ended(
	net: &mut Net<'_>,
	family: &Family,
	ends: &[u32],
	end: u32,
	(chosen, open): (Value, Value),
) -> Result<Ended, ImportError> {
	let vocabulary = family.vocabulary();
	let mut table = |name: &str, (rows, cols), value: &dyn Fn(u32) -> f32| {
		let bits = (0..vocabulary).map(|token| value(token).to_bits()).collect();
		let table = Tensor::new(DType::F32, rows, cols, bits);
		let table = table.map_err(|error| ImportError::Request(format!("{name}: {error}")))?;
		Ok::<_, ImportError>(net.constant(name, table))
	};
	let is_end = table("end.is", (vocabulary, 1), &|token| f32::from(u8::from(ends.contains(&token))))?;
	let lead = table("end.lead", (1, vocabulary), &|token| if token == end { END_LEAD } else { 0.0 })?;
	let graph = &mut net.graph;
	let at_end = graph.lookup(is_end, chosen);
	let ended = graph.mul(at_end, open);
	Ok(Ended { goes_on: graph.sub(1.0, ended), lead: graph.mul(ended, lead) })
}

/// The token of each row: the likeliest, or a draw. Of a text that has ended all logits are +0 but the end's.
pub(super) fn choose(graph: &mut Graph, logits: Value, temperature: f32, ended: Option<Ended>) -> Value {
	let scaled = if temperature == 0.0 { logits } else { graph.mul(logits, 1.0 / temperature) };
	let scaled = match ended {
		Some(Ended { goes_on, lead }) => graph.fma(scaled, goes_on, lead),
		None => scaled,
	};
	let scaled = if temperature == 0.0 { scaled } else { graph.gumbel(scaled) };
	graph.arg_max(scaled)
}
