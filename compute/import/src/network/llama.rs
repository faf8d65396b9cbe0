//! Llama (Touvron and others, 2023), with grouped-query attention.

use assay_models::Value;
use assay_program::Axis;
use codec::{Decode, Encode};

use super::{
	attention::{Heads, Mask},
	layers::{Net, Nonlinearity, Stored},
	rope::{rotate, Rope},
	walk::Walk,
};
use crate::{hf::Fields, ImportError};

/// A decoder: root-mean-square norm before each part, rotary positions, gated feed-forward layers.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Llama {
	/// Tokens there are.
	pub vocabulary: u32,
	/// Most positions of a sequence.
	pub context: u32,
	/// Layers.
	pub layers: u32,
	/// Heads of queries.
	pub heads: u32,
	/// Heads of keys and values; divides `heads`.
	pub key_heads: u32,
	/// Columns of a head, even.
	pub head_width: u32,
	/// Columns of an activation.
	pub width: u32,
	/// Columns inside of a feed-forward layer.
	pub inner: u32,
	/// On the gate of a feed-forward layer.
	pub nonlinearity: Nonlinearity,
	/// Added to mean squares.
	pub epsilon: f32,
	/// Rotary positions.
	pub rope: Rope,
	/// Attention's linear layers have a bias.
	pub attention_bias: bool,
	/// Feed-forward's linear layers have a bias.
	pub inner_bias: bool,
	/// The output weights are the token table.
	pub tied: bool,
}

/// Fields that matter in training only, or for how the original was split over machines.
const IRRELEVANT: &[&str] = &["attention_dropout", "pretraining_tp"];

/// Cosines and sines for each row of queries and of keys.
#[derive(Clone, Copy)]
struct Turns {
	queries: [Value; 2],
	keys: [Value; 2],
}

impl Llama {
	pub(crate) fn from_fields(mut fields: Fields) -> Result<Self, ImportError> {
		let (width, heads) = (fields.size("hidden_size")?, fields.size("num_attention_heads")?);
		let key_heads = fields.optional_size("num_key_value_heads")?.unwrap_or(heads);
		if !heads.is_multiple_of(key_heads) {
			let found = key_heads.to_string();
			return Err(fields.unsupported("num_key_value_heads", &found, "a divisor of `num_attention_heads`"));
		}
		let head_width = fields.optional_size("head_dim")?.unwrap_or(width / heads);
		if head_width == 0 || !head_width.is_multiple_of(2) {
			return Err(fields.unsupported("head_dim", &head_width.to_string(), "an even number above zero"));
		}
		fields.head_width("num_attention_heads", heads, head_width)?;
		let config = Self {
			vocabulary: fields.size("vocab_size")?,
			context: fields.size("max_position_embeddings")?,
			layers: fields.size("num_hidden_layers")?,
			heads,
			key_heads,
			head_width,
			width,
			inner: fields.size("intermediate_size")?,
			nonlinearity: Nonlinearity::from_fields(&mut fields, "hidden_act")?,
			epsilon: fields.positive("rms_norm_eps")? as f32,
			rope: Rope::from_fields(&mut fields)?,
			attention_bias: fields.flag("attention_bias", false)?,
			inner_bias: fields.flag("mlp_bias", false)?,
			tied: fields.flag("tie_word_embeddings", false)?,
		};
		fields.finish(IRRELEVANT)?;
		Ok(config)
	}

	/// Activations after the last norm, `[rows, width]`.
	pub(crate) fn hidden(&self, net: &mut Net<'_>, ids: Value) -> Result<Value, ImportError> {
		let tokens = self.tokens(net)?;
		// The sizes of the tables are the configuration's word: see first that the weights agree.
		let heads = [("q_proj", self.heads), ("k_proj", self.key_heads)];
		for (name, heads) in heads {
			let outputs = heads.saturating_mul(self.head_width);
			net.weight(&format!("model.layers.0.self_attn.{name}.weight"), &[outputs, self.width])?;
		}
		let turns = self.turns(net)?;
		let mut x = net.embed(tokens, ids);
		for layer in 0..self.layers {
			let at = format!("model.layers.{layer}");
			let normed = net.rms_norm(&format!("{at}.input_layernorm"), x, self.epsilon)?;
			let mixed = self.attention(net, &format!("{at}.self_attn"), normed, turns)?;
			x = net.graph.add(x, mixed);
			let normed = net.rms_norm(&format!("{at}.post_attention_layernorm"), x, self.epsilon)?;
			let out = self.feed_forward(net, &format!("{at}.mlp"), normed)?;
			x = net.graph.add(x, out);
		}
		net.rms_norm("model.norm", x, self.epsilon)
	}

	/// A logit for each token.
	pub(crate) fn logits(&self, net: &mut Net<'_>, x: Value) -> Result<Value, ImportError> {
		let name = if self.tied { "model.embed_tokens.weight" } else { "lm_head.weight" };
		net.output_layer(name, x, self.vocabulary)
	}

	/// Frequencies that older checkpoints carry, and a copy of tied output weights.
	pub(crate) fn is_spare(&self, name: &str) -> bool {
		name.ends_with(".rotary_emb.inv_freq") || (self.tied && name == "lm_head.weight")
	}

	fn tokens(&self, net: &mut Net<'_>) -> Result<Value, ImportError> {
		net.weight("model.embed_tokens.weight", &[self.vocabulary, self.width])
	}

	fn turns(&self, net: &mut Net<'_>) -> Result<Turns, ImportError> {
		let window = if let Walk::Stepwise(step) = &net.walk { step.window } else { net.length };
		let [cosines, sines] = self.rope.tables(window, self.head_width)?;
		let tables = [net.constant("rope.cosines", cosines), net.constant("rope.sines", sines)];
		if let Walk::Stepwise(step) = &net.walk {
			// All rows are at the same position: one row of each table serves them all.
			let position = step.position;
			let row = tables.map(|table| {
				let rows = net.graph.lookup(table, position);
				net.graph.max(rows, Axis::Rows)
			});
			return Ok(Turns { queries: row, keys: row });
		}
		let mut rows_of = |name: &str, heads: u32| {
			let length = net.length.max(1);
			let ids = net.ids(name, net.rows().saturating_mul(heads), |row| row % length)?;
			Ok::<_, ImportError>(tables.map(|table| net.graph.lookup(table, ids)))
		};
		let queries = rows_of("rope.queries", self.heads)?;
		let keys = if self.key_heads == self.heads { queries } else { rows_of("rope.keys", self.key_heads)? };
		Ok(Turns { queries, keys })
	}

	fn attention(&self, net: &mut Net<'_>, at: &str, x: Value, turns: Turns) -> Result<Value, ImportError> {
		let heads = Heads { queries: self.heads, keys: self.key_heads, width: self.head_width };
		let mut part = |name: &str, heads: u32| {
			let outputs = heads.saturating_mul(self.head_width);
			let columns = net.linear(&format!("{at}.{name}"), x, outputs, Stored::OutputsFirst, self.attention_bias)?;
			Ok::<_, ImportError>(net.split(columns, heads))
		};
		let (q, k) = (part("q_proj", self.heads)?, part("k_proj", self.key_heads)?);
		let v = part("v_proj", self.key_heads)?;
		let q = rotate(&mut net.graph, q, turns.queries[0], turns.queries[1]);
		let k = rotate(&mut net.graph, k, turns.keys[0], turns.keys[1]);
		let mixed = net.attention(heads, q, k, v, Mask::Causal);
		net.linear(&format!("{at}.o_proj"), mixed, self.width, Stored::OutputsFirst, self.attention_bias)
	}

	fn feed_forward(&self, net: &mut Net<'_>, at: &str, x: Value) -> Result<Value, ImportError> {
		let mut part =
			|name: &str| net.linear(&format!("{at}.{name}"), x, self.inner, Stored::OutputsFirst, self.inner_bias);
		let (gate, up) = (part("gate_proj")?, part("up_proj")?);
		let gate = net.activate(self.nonlinearity, gate);
		let product = net.graph.mul(gate, up);
		net.linear(&format!("{at}.down_proj"), product, self.width, Stored::OutputsFirst, self.inner_bias)
	}
}
