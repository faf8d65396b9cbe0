//! Families of networks as graphs over the weights of a checkpoint.

use codec::{Decode, Encode};

mod attention;
mod bert;
mod choice;
mod forward;
mod generation;
mod gpt2;
mod layers;
mod llama;
mod lora;
mod recipe;
mod replay;
mod rope;
mod rows;
mod training;
mod walk;
mod weights;

pub use bert::{Bert, BertHead};
pub use forward::{forward, Forward, Inputs, Rows, OUTPUT};
pub use generation::{generation, Generation, Walked};
pub use gpt2::Gpt2;
pub use layers::Nonlinearity;
pub(crate) use layers::{over_root_mean_square, softmax, Net, Stored};
pub use llama::Llama;
pub(crate) use lora::Products;
pub use lora::{fine_tuned, LoraTerms};
pub use recipe::is_generation;
pub use replay::{claims, Replay};
pub use rope::{Rope, Scaling};
pub(crate) use rows::keep_rows;
pub use rows::{rows, Batches, Pooling};
pub use training::{evaluate_fine_tuning, fine_tuning, fine_tuning_evaluation, FineTuning};
pub(crate) use weights::Loader;
pub use weights::Weights;

/// A family of networks and the sizes of one.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum Family {
	/// Decoder with layer norm and learned positions.
	Gpt2(Gpt2),
	/// Decoder with root-mean-square norm, rotary positions and gated feed-forward layers.
	Llama(Llama),
	/// Encoder.
	Bert(Bert),
}

impl Family {
	/// The family's name, as configurations spell it.
	pub fn name(&self) -> &'static str {
		match self {
			Family::Gpt2(_) => "gpt2",
			Family::Llama(_) => "llama",
			Family::Bert(_) => "bert",
		}
	}

	/// Tokens there are.
	pub fn vocabulary(&self) -> u32 {
		match self {
			Family::Gpt2(config) => config.vocabulary,
			Family::Llama(config) => config.vocabulary,
			Family::Bert(config) => config.vocabulary,
		}
	}

	/// Most positions of a sequence.
	pub fn context(&self) -> u32 {
		match self {
			Family::Gpt2(config) => config.context,
			Family::Llama(config) => config.context,
			Family::Bert(config) => config.context,
		}
	}

	/// Layers of attention and feed-forward.
	pub fn layers(&self) -> u32 {
		match self {
			Family::Gpt2(config) => config.layers,
			Family::Llama(config) => config.layers,
			Family::Bert(config) => config.layers,
		}
	}
}
