//! The job file as it is written: every value with its place.

use serde::{de::IgnoredAny, Deserialize};
use serde_saphyr::Spanned;

/// What tells which kind of file it is. Whatever else there is, is read as that kind.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Outline {
	pub(super) kind: Spanned<String>,
	/// If it is missing, reading the file as its kind says so.
	pub(super) model: Option<ModelType>,
	pub(super) data: Option<DataType>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct ModelType {
	pub(super) r#type: Option<Spanned<String>>,
	pub(super) onnx: Option<IgnoredAny>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct DataType {
	pub(super) rows: Option<IgnoredAny>,
	file: Option<IgnoredAny>,
	label: Option<IgnoredAny>,
	lines: Option<IgnoredAny>,
}

impl DataType {
	/// Whether rows of numbers are meant, by the name that a table of training rows has.
	pub(super) fn is_table(&self) -> bool {
		self.lines.is_none() && (self.file.is_some() || self.label.is_some())
	}
}

/// A job that trains.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Training<M, D> {
	#[serde(rename = "kind")]
	_kind: IgnoredAny,
	pub(super) model: M,
	pub(super) data: D,
	pub(super) train: Train,
	#[serde(default, rename = "verify")]
	_verify: IgnoredAny,
	#[serde(rename = "offer")]
	_offer: IgnoredAny,
}

/// A job that runs a model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inference<M, D, I> {
	#[serde(rename = "kind")]
	_kind: IgnoredAny,
	pub(super) model: M,
	pub(super) data: D,
	pub(super) infer: I,
	#[serde(default, rename = "verify")]
	_verify: IgnoredAny,
	#[serde(rename = "offer")]
	_offer: IgnoredAny,
}

pub(super) type Classifier = Training<Mlp, Table>;
pub(super) type Images = Training<Cnn, Table>;
pub(super) type Language = Training<Gpt, Text>;
pub(super) type FineTune = Training<Adapted, Text>;
pub(super) type Infer = Inference<Directory, Items, Task>;
pub(super) type InferRows = Inference<RowModel, RowItems, RowTask>;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mlp {
	#[serde(rename = "type")]
	_type: Spanned<String>,
	pub(super) layers: Spanned<Vec<Spanned<u32>>>,
	pub(super) activation: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cnn {
	#[serde(rename = "type")]
	_type: Spanned<String>,
	pub(super) image: Spanned<Vec<Spanned<u32>>>,
	pub(super) convolutions: Option<Spanned<Vec<Spanned<u32>>>>,
	pub(super) classes: Option<Spanned<u32>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gpt {
	pub(super) r#type: Spanned<String>,
	pub(super) layers: Option<Spanned<u32>>,
	pub(super) heads: Option<Spanned<u32>>,
	pub(super) width: Option<Spanned<u32>>,
	pub(super) context: Option<Spanned<u32>>,
	pub(super) dropout: Option<Spanned<f32>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Adapted {
	pub(super) directory: Spanned<String>,
	pub(super) lora: Option<Lora>,
	pub(super) context: Option<Spanned<u32>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lora {
	pub(super) rank: Option<Spanned<u32>>,
	pub(super) alpha: Option<Spanned<f32>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Directory {
	pub(super) directory: Spanned<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RowModel {
	pub(super) directory: Option<Spanned<String>>,
	pub(super) onnx: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
	pub(super) file: Spanned<String>,
	pub(super) label: Option<Spanned<String>>,
	pub(super) scale: Option<Spanned<f32>>,
	pub(super) held_out: Option<Spanned<f64>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
	pub(super) text: Spanned<String>,
	pub(super) tokenizer: Option<Spanned<String>>,
	pub(super) held_out: Option<Spanned<f64>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Items {
	pub(super) lines: Spanned<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RowItems {
	pub(super) rows: Spanned<String>,
	pub(super) label: Option<Spanned<String>>,
	pub(super) scale: Option<Spanned<f32>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Task {
	pub(super) task: Spanned<String>,
	pub(super) tokens: Option<Spanned<u32>>,
	pub(super) temperature: Option<Spanned<f32>>,
	pub(super) seed: Option<Spanned<u64>>,
	pub(super) end_token: Option<Spanned<String>>,
	pub(super) pooling: Option<Spanned<String>>,
	pub(super) batch: Option<Spanned<u32>>,
	pub(super) lane: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RowTask {
	pub(super) task: Spanned<String>,
	pub(super) batch: Option<Spanned<u32>>,
	pub(super) lane: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Train {
	pub(super) optimiser: Option<Spanned<String>>,
	pub(super) rate: Option<Spanned<f32>>,
	pub(super) momentum: Option<Spanned<f32>>,
	pub(super) weight_decay: Option<Spanned<f32>>,
	pub(super) batch: Option<Spanned<u32>>,
	pub(super) steps: Spanned<u64>,
	pub(super) seed: Option<Spanned<u64>>,
	pub(super) lane: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Verify {
	pub(super) milestones: Option<Spanned<u32>>,
	pub(super) segments: Option<Spanned<u32>>,
	pub(super) drawn: Option<Spanned<u32>>,
	pub(super) verifiers: Option<Spanned<u32>>,
	pub(super) insured_value: Option<Spanned<String>>,
	pub(super) fee: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Offer {
	pub(super) max: Spanned<String>,
	pub(super) best_bid: Option<Spanned<u32>>,
	pub(super) ramp: Option<Spanned<Ramp>>,
	pub(super) deadline: Option<Spanned<u32>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ramp {
	pub(super) start: Spanned<String>,
	pub(super) blocks: Spanned<u32>,
}
