//! BERT (Devlin and others, 2018).

use assay_models::Value;
use codec::{Decode, Encode};
use serde_json::json;

use super::{
	attention::{Heads, Mask},
	layers::{Net, Nonlinearity, Stored},
};
use crate::{hf::Fields, ImportError};

/// An encoder: every position sees every token, layer norm after each part, learned positions and token types.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Bert {
	/// Tokens there are.
	pub vocabulary: u32,
	/// Most positions of a sequence.
	pub context: u32,
	/// Token types there are.
	pub types: u32,
	/// Layers.
	pub layers: u32,
	/// Heads of an attention; divides `width`.
	pub heads: u32,
	/// Columns of an activation.
	pub width: u32,
	/// Columns inside of a feed-forward layer.
	pub inner: u32,
	/// Inside of feed-forward layers.
	pub nonlinearity: Nonlinearity,
	/// Added to variances.
	pub epsilon: f32,
	/// The output weights are the token table.
	pub tied: bool,
	/// What is on top.
	pub head: BertHead,
}

/// What is on top of an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum BertHead {
	/// Nothing: the output is the activations of every position.
	None,
	/// Logits of every position's token.
	MaskedLanguage,
	/// Logits of a sequence's class, from its first position.
	Classification,
}

/// Fields that matter in training only, or for parts that are not imported.
const IRRELEVANT: &[&str] = &[
	"attention_probs_dropout_prob",
	"classifier_dropout",
	"directionality",
	"hidden_dropout_prob",
	"pooler_fc_size",
	"pooler_num_attention_heads",
	"pooler_num_fc_layers",
	"pooler_size_per_head",
	"pooler_type",
];

impl Bert {
	pub(crate) fn from_fields(mut fields: Fields) -> Result<Self, ImportError> {
		let (width, heads) = (fields.size("hidden_size")?, fields.size("num_attention_heads")?);
		if !width.is_multiple_of(heads) {
			return Err(fields.unsupported("num_attention_heads", &heads.to_string(), "a divisor of `hidden_size`"));
		}
		fields.head_width("num_attention_heads", heads, width / heads)?;
		let config = Self {
			vocabulary: fields.size("vocab_size")?,
			context: fields.size("max_position_embeddings")?,
			types: fields.size("type_vocab_size")?,
			layers: fields.size("num_hidden_layers")?,
			heads,
			width,
			inner: fields.size("intermediate_size")?,
			nonlinearity: Nonlinearity::from_fields(&mut fields, "hidden_act")?,
			epsilon: fields.positive("layer_norm_eps")? as f32,
			tied: fields.flag("tie_word_embeddings", true)?,
			head: head(&fields)?,
		};
		fields.only("position_embedding_type", json!("absolute"), "absolute")?;
		fields.only("is_decoder", json!(false), "false")?;
		fields.only("add_cross_attention", json!(false), "false")?;
		fields.finish(IRRELEVANT)?;
		Ok(config)
	}

	/// Activations of the last layer, `[rows, width]`. `mask` is F32 `[batch, length]`, `types` a column of ids.
	pub(crate) fn hidden(
		&self,
		net: &mut Net<'_>,
		ids: Value,
		mask: Option<Value>,
		types: Value,
	) -> Result<Value, ImportError> {
		let at = format!("{}embeddings", prefix(net));
		let tokens = self.tokens(net)?;
		let by_token = net.graph.lookup(tokens, ids);
		let table = net.weight(&format!("{at}.position_embeddings.weight"), &[self.context, self.width])?;
		let positions = net.positions()?;
		let by_position = net.graph.lookup(table, positions);
		let table = net.weight(&format!("{at}.token_type_embeddings.weight"), &[self.types, self.width])?;
		let by_type = net.graph.lookup(table, types);
		let sum = net.graph.add(by_token, by_type);
		let sum = net.graph.add(sum, by_position);
		let mut x = net.layer_norm(&format!("{at}.LayerNorm"), sum, self.epsilon)?;
		let mask = match mask {
			Some(mask) => Mask::Added(net.padding(mask, self.heads)?),
			None => Mask::None,
		};
		for layer in 0..self.layers {
			x = self.layer(net, layer, x, mask)?;
		}
		Ok(x)
	}

	/// The head over the activations of all positions.
	pub(crate) fn output(&self, net: &mut Net<'_>, x: Value) -> Result<Value, ImportError> {
		match self.head {
			BertHead::None => Ok(x),
			BertHead::MaskedLanguage => {
				let at = "cls.predictions";
				let x = net.linear(&format!("{at}.transform.dense"), x, self.width, Stored::OutputsFirst, true)?;
				let x = net.activate(self.nonlinearity, x);
				let x = net.layer_norm(&format!("{at}.transform.LayerNorm"), x, self.epsilon)?;
				let table = match self.tied {
					true => self.tokens(net)?,
					false => net.weight(&format!("{at}.decoder.weight"), &[self.vocabulary, self.width])?,
				};
				let bias = net.weight(&format!("{at}.bias"), &[self.vocabulary])?;
				let product = net.graph.matmul_transposed(x, false, table, true);
				Ok(net.graph.add(product, bias))
			}
			BertHead::Classification => {
				let (batch, length) = (net.batch, net.length);
				let first = net.ids("first_positions", batch, |sequence| sequence.saturating_mul(length))?;
				let x = net.graph.lookup(x, first);
				let at = prefix(net);
				let x = net.linear(&format!("{at}pooler.dense"), x, self.width, Stored::OutputsFirst, true)?;
				let x = net.graph.tanh(x);
				let classes = net.weights.leading_extent("classifier.weight")?;
				net.linear("classifier", x, classes, Stored::OutputsFirst, true)
			}
		}
	}

	/// Parts of heads that the chosen one does not use, copies of tied weights, and position ids.
	pub(crate) fn is_spare(&self, name: &str) -> bool {
		let pooler = name.contains("pooler.dense.") && self.head != BertHead::Classification;
		let tied = self.tied && name.starts_with("cls.predictions.decoder.");
		let head = self.head == BertHead::None && name.starts_with("cls.");
		let other = name.starts_with("cls.seq_relationship.") || name == "cls.predictions.decoder.bias";
		pooler || tied || head || other || name.ends_with("embeddings.position_ids")
	}

	fn tokens(&self, net: &mut Net<'_>) -> Result<Value, ImportError> {
		let name = format!("{}embeddings.word_embeddings.weight", prefix(net));
		net.weight(&name, &[self.vocabulary, self.width])
	}

	fn layer(&self, net: &mut Net<'_>, layer: u32, x: Value, mask: Mask) -> Result<Value, ImportError> {
		let at = format!("{}encoder.layer.{layer}", prefix(net));
		let heads = Heads { queries: self.heads, keys: self.heads, width: self.width / self.heads };
		let mut part = |name: &str| {
			let name = format!("{at}.attention.self.{name}");
			let columns = net.linear(&name, x, self.width, Stored::OutputsFirst, true)?;
			Ok::<_, ImportError>(net.split(columns, self.heads))
		};
		let (q, k, v) = (part("query")?, part("key")?, part("value")?);
		let mixed = net.attention(heads, q, k, v, mask);
		let out = net.linear(&format!("{at}.attention.output.dense"), mixed, self.width, Stored::OutputsFirst, true)?;
		let sum = net.graph.add(out, x);
		let x = net.layer_norm(&format!("{at}.attention.output.LayerNorm"), sum, self.epsilon)?;
		let inner = net.linear(&format!("{at}.intermediate.dense"), x, self.inner, Stored::OutputsFirst, true)?;
		let inner = net.activate(self.nonlinearity, inner);
		let out = net.linear(&format!("{at}.output.dense"), inner, self.width, Stored::OutputsFirst, true)?;
		let sum = net.graph.add(out, x);
		net.layer_norm(&format!("{at}.output.LayerNorm"), sum, self.epsilon)
	}
}

fn head(fields: &Fields) -> Result<BertHead, ImportError> {
	let names = fields.peek("architectures").and_then(|names| names.as_array());
	let name = names.and_then(|names| names.first()).and_then(|name| name.as_str());
	match name {
		None | Some("BertModel") => Ok(BertHead::None),
		Some("BertForMaskedLM" | "BertForPreTraining") => Ok(BertHead::MaskedLanguage),
		Some("BertForSequenceClassification") => Ok(BertHead::Classification),
		Some(other) => {
			let supported = "BertModel, BertForMaskedLM, BertForPreTraining, BertForSequenceClassification";
			Err(fields.unsupported("architectures", other, supported))
		}
	}
}

/// What stands before the names of tensors: saved with a head on top, the encoder has a name of its own.
fn prefix(net: &Net<'_>) -> &'static str {
	if net.weights.has("bert.embeddings.word_embeddings.weight") {
		"bert."
	} else {
		""
	}
}
