//! Text as the rows that a language model is trained on.

use assay_engine::{Tensor, TensorError};
use assay_program::DType;

/// Sequences of token ids, split into training and held-out ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequences {
	/// I32, a row per sequence of `context + 1` tokens.
	pub train: Tensor,
	/// The same, kept apart for evaluation.
	pub held_out: Tensor,
}

/// Why a text does not become sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
	/// A sequence has no position, or every sequence would be held out.
	#[error("{what} is {value}, at least {least} is needed")]
	Setting {
		/// The setting.
		what: &'static str,
		/// Its value.
		value: u32,
		/// The least that makes sense.
		least: u32,
	},
	/// The text is too short for one sequence of each kind.
	#[error("{tokens} tokens make {sequences} sequences, at least {needed} are needed; give more text, shorten the context or hold out more often")]
	TooShort {
		/// Tokens of the text.
		tokens: u64,
		/// Whole sequences in it.
		sequences: u64,
		/// Sequences from which one is held out.
		needed: u32,
	},
	/// The sequences are too many for one tensor.
	#[error("{0}")]
	Tensor(TensorError),
}

impl Sequences {
	/// Cuts a text into sequences of `context + 1` tokens that begin `context` tokens apart, so that every token but the first
	/// is predicted once. Sequence `i` is held out if `i % hold_out_every == hold_out_every - 1`. What is left at the end
	/// and does not fill a sequence is dropped.
	pub fn cut(ids: &[u32], context: u32, hold_out_every: u32) -> Result<Self, TextError> {
		for (what, value, least) in [("context", context, 1), ("hold_out_every", hold_out_every, 2)] {
			if value < least {
				return Err(TextError::Setting { what, value, least });
			}
		}
		let stride = context as usize;
		let sequences = ids.len().saturating_sub(1) / stride;
		if sequences < hold_out_every as usize {
			let (tokens, sequences) = (ids.len() as u64, sequences as u64);
			return Err(TextError::TooShort { tokens, sequences, needed: hold_out_every });
		}
		let (mut train, mut held_out) = (Vec::new(), Vec::new());
		for (row, at) in ids.windows(stride + 1).step_by(stride).zip(0u64..) {
			let every = u64::from(hold_out_every);
			let to = if at % every == every - 1 { &mut held_out } else { &mut train };
			to.extend_from_slice(row);
		}
		let tensor = |bits: Vec<u32>| {
			let rows = u32::try_from(bits.len() / (stride + 1)).unwrap_or(u32::MAX);
			Tensor::new(DType::I32, rows, context.saturating_add(1), bits).map_err(TextError::Tensor)
		};
		Ok(Self { train: tensor(train)?, held_out: tensor(held_out)? })
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_token_but_the_first_is_predicted_once() {
		let ids: Vec<u32> = (100..122).collect();
		let cut = Sequences::cut(&ids, 3, 3).unwrap();
		assert_eq!((cut.train.spec().rows, cut.train.spec().cols), (5, 4));
		assert_eq!(cut.train.bits()[..8], [100, 101, 102, 103, 103, 104, 105, 106]);
		assert_eq!(*cut.held_out.bits(), [106, 107, 108, 109, 115, 116, 117, 118]);
		let mut predicted: Vec<u32> =
			cut.train.bits().chunks(4).chain(cut.held_out.bits().chunks(4)).flat_map(|row| row[1..].to_vec()).collect();
		predicted.sort_unstable();
		assert_eq!(predicted, (101..122).collect::<Vec<_>>());
		// One token less, one sequence less.
		assert_eq!(Sequences::cut(&ids[..21], 3, 3).unwrap().train.spec().rows, 4);
	}

	#[test]
	fn fails_when_too_short_or_nothing_is_left() {
		let ids = [1; 7];
		let short = TextError::TooShort { tokens: 7, sequences: 2, needed: 3 };
		assert_eq!(Sequences::cut(&ids, 3, 3), Err(short));
		assert!(Sequences::cut(&ids, 3, 2).is_ok());
		assert!(Sequences::cut(&[], 1, 2).is_err());
		assert!(matches!(Sequences::cut(&ids, 0, 2), Err(TextError::Setting { what: "context", .. })));
		assert!(matches!(Sequences::cut(&ids, 3, 1), Err(TextError::Setting { what: "hold_out_every", .. })));
		assert!(Sequences::cut(&ids, u32::MAX, 2).is_err());
	}
}
