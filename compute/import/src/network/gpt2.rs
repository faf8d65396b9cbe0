//! GPT-2 (Radford and others, 2019).

use assay_models::Value;
use codec::{Decode, Encode};
use serde_json::json;

use super::{
	attention::{Heads, Mask},
	layers::{Net, Nonlinearity, Stored},
};
use crate::{hf::Fields, ImportError};

/// A decoder: layer norm before each part, learned positions, weights stored inputs first.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Gpt2 {
	/// Tokens there are.
	pub vocabulary: u32,
	/// Most positions of a sequence.
	pub context: u32,
	/// Layers.
	pub layers: u32,
	/// Heads of an attention; divides `width`.
	pub heads: u32,
	/// Columns of an activation.
	pub width: u32,
	/// Columns inside of a feed-forward layer.
	pub inner: u32,
	/// Between the two halves of a feed-forward layer.
	pub nonlinearity: Nonlinearity,
	/// Added to variances.
	pub epsilon: f32,
	/// The output weights are the token table.
	pub tied: bool,
}

/// Fields that matter in training only, or for heads that are not imported.
const IRRELEVANT: &[&str] = &[
	"attn_pdrop",
	"embd_pdrop",
	"is_decoder",
	"n_ctx",
	"resid_pdrop",
	"summary_activation",
	"summary_first_dropout",
	"summary_proj_to_labels",
	"summary_type",
	"summary_use_proj",
];

impl Gpt2 {
	pub(crate) fn from_fields(mut fields: Fields) -> Result<Self, ImportError> {
		let (width, heads) = (fields.size("n_embd")?, fields.size("n_head")?);
		if !width.is_multiple_of(heads) {
			return Err(fields.unsupported("n_head", &heads.to_string(), "a divisor of `n_embd`"));
		}
		fields.head_width("n_head", heads, width / heads)?;
		let config = Self {
			vocabulary: fields.size("vocab_size")?,
			context: fields.size("n_positions")?,
			layers: fields.size("n_layer")?,
			heads,
			width,
			inner: fields.optional_size("n_inner")?.unwrap_or(width.saturating_mul(4)),
			nonlinearity: Nonlinearity::from_fields(&mut fields, "activation_function")?,
			epsilon: fields.positive("layer_norm_epsilon")? as f32,
			tied: fields.flag("tie_word_embeddings", true)?,
		};
		fields.only("scale_attn_weights", json!(true), "true")?;
		fields.only("scale_attn_by_inverse_layer_idx", json!(false), "false")?;
		fields.only("reorder_and_upcast_attn", json!(false), "false")?;
		fields.only("add_cross_attention", json!(false), "false")?;
		fields.finish(IRRELEVANT)?;
		Ok(config)
	}

	/// Activations after the last norm, `[rows, width]`.
	pub(crate) fn hidden(&self, net: &mut Net<'_>, ids: Value) -> Result<Value, ImportError> {
		let at = prefix(net);
		let tokens = self.tokens(net)?;
		let table = net.weight(&format!("{at}wpe.weight"), &[self.context, self.width])?;
		let positions = net.positions()?;
		let (by_token, by_position) = (net.embed(tokens, ids), net.graph.lookup(table, positions));
		let mut x = net.graph.add(by_token, by_position);
		for layer in 0..self.layers {
			let at = format!("{at}h.{layer}");
			let normed = net.layer_norm(&format!("{at}.ln_1"), x, self.epsilon)?;
			let mixed = self.attention(net, &at, normed)?;
			x = net.graph.add(x, mixed);
			let normed = net.layer_norm(&format!("{at}.ln_2"), x, self.epsilon)?;
			let inner = net.linear(&format!("{at}.mlp.c_fc"), normed, self.inner, Stored::InputsFirst, true)?;
			let inner = net.activate(self.nonlinearity, inner);
			let out = net.linear(&format!("{at}.mlp.c_proj"), inner, self.width, Stored::InputsFirst, true)?;
			x = net.graph.add(x, out);
		}
		net.layer_norm(&format!("{at}ln_f"), x, self.epsilon)
	}

	/// A logit for each token.
	pub(crate) fn logits(&self, net: &mut Net<'_>, x: Value) -> Result<Value, ImportError> {
		let name = match self.tied {
			true => format!("{}wte.weight", prefix(net)),
			false => "lm_head.weight".into(),
		};
		net.output_layer(&name, x, self.vocabulary)
	}

	/// The causal masks that older checkpoints carry, and a copy of tied output weights.
	pub(crate) fn is_spare(&self, name: &str) -> bool {
		name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias") || (self.tied && name == "lm_head.weight")
	}

	fn tokens(&self, net: &mut Net<'_>) -> Result<Value, ImportError> {
		let at = prefix(net);
		net.weight(&format!("{at}wte.weight"), &[self.vocabulary, self.width])
	}

	fn attention(&self, net: &mut Net<'_>, at: &str, x: Value) -> Result<Value, ImportError> {
		let heads = Heads { queries: self.heads, keys: self.heads, width: self.width / self.heads };
		let all = self.width.saturating_mul(3);
		let joined = net.linear(&format!("{at}.attn.c_attn"), x, all, Stored::InputsFirst, true)?;
		let [q, k, v] = [0, 1, 2].map(|part| {
			let columns = net.graph.columns(joined, part * self.width, self.width);
			net.split(columns, self.heads)
		});
		let mixed = net.attention(heads, q, k, v, Mask::Causal);
		net.linear(&format!("{at}.attn.c_proj"), mixed, self.width, Stored::InputsFirst, true)
	}
}

/// What stands before the names of tensors: saved with a head on top, the decoder has a name of its own.
fn prefix(net: &Net<'_>) -> &'static str {
	if net.weights.has("transformer.wte.weight") {
		"transformer."
	} else {
		""
	}
}
