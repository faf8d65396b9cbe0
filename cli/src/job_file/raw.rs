//! The job file as it is written: every value with its place.

use serde::Deserialize;
use serde_saphyr::Spanned;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
	pub(super) kind: Spanned<String>,
	pub(super) model: Spanned<Model>,
	pub(super) data: Spanned<Data>,
	pub(super) train: Spanned<Train>,
	#[serde(default)]
	pub(super) verify: Verify,
	pub(super) offer: Spanned<Offer>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
	pub(super) r#type: Spanned<String>,
	pub(super) layers: Spanned<Vec<Spanned<u32>>>,
	pub(super) activation: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Data {
	pub(super) file: Spanned<String>,
	pub(super) label: Option<Spanned<String>>,
	pub(super) scale: Option<Spanned<f32>>,
	pub(super) held_out: Option<Spanned<f64>>,
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
