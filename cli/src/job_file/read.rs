//! From text to terms.

use super::{
	error::{Flaw, JobFileError},
	raw, DataTerms, JobFile, ModelTerms, OfferTerms, Spots, TrainTerms, VerifyTerms,
};
use crate::units::parse_amount;
use assay_models::{Activation, LabelColumn, Optimiser};
use assay_protocol::{job::Clearing, parameters::UNIT, Balance};
use serde_saphyr::Spanned;

const KINDS: [&str; 1] = ["train"];
const MODELS: [&str; 1] = ["mlp"];
const ACTIVATIONS: [&str; 3] = ["relu", "tanh", "gelu"];
const OPTIMISERS: [&str; 2] = ["adamw", "sgd"];

impl JobFile {
	/// Reads a job file. `name` is used in messages.
	///
	/// # Errors
	/// [`JobFileError`] with the place and what to do.
	pub fn parse(name: &str, text: &str) -> Result<Self, JobFileError> {
		read(name, text).map_err(|flaw| flaw.of(name))
	}
}

fn read(name: &str, text: &str) -> Result<JobFile, Flaw> {
	let file: raw::File = serde_saphyr::from_str(text)?;
	known(&file.kind, "job kind", &KINDS)?;
	let spots = Spots {
		model: file.model.value.layers.referenced.into(),
		data_file: file.data.value.file.referenced.into(),
		train: file.train.value.steps.referenced.into(),
		offer: file.offer.value.max.referenced.into(),
	};
	let train = train(&file.train.value)?;
	let verify = verify(&file.verify)?;
	let least = u64::from(verify.milestones) * u64::from(verify.segments);
	if train.steps < least {
		return Err(Flaw::new(
			spots.train,
			format!(
				"{} steps are fewer than {} milestones x {} segments",
				train.steps, verify.milestones, verify.segments
			),
			format!("use at least {least} steps, or fewer milestones or segments under `verify`"),
		));
	}
	Ok(JobFile {
		name: name.into(),
		model: model(&file.model.value)?,
		data: data(&file.data.value)?,
		train,
		verify,
		offer: offer(&file.offer.value)?,
		spots,
	})
}

fn known<'a>(word: &Spanned<String>, what: &str, words: &[&'a str]) -> Result<&'a str, Flaw> {
	let found = words.iter().find(|known| **known == word.value);
	found.copied().ok_or_else(|| Flaw::word(word.referenced, what, &word.value, words))
}

fn model(model: &raw::Model) -> Result<ModelTerms, Flaw> {
	known(&model.r#type, "model type", &MODELS)?;
	if model.layers.value.len() < 2 {
		return Err(Flaw::new(
			model.layers.referenced,
			"`layers` needs the number of features and the number of classes",
			"write for example [64, 128, 10]: 64 features, one hidden layer of 128, 10 classes",
		));
	}
	for width in &model.layers.value {
		at_least_one(width, "a layer's width")?;
	}
	let activation = match &model.activation {
		None => "relu",
		Some(word) => known(word, "activation", &ACTIVATIONS)?,
	};
	let activation = match activation {
		"tanh" => Activation::Tanh,
		"gelu" => Activation::Gelu,
		_ => Activation::Relu,
	};
	Ok(ModelTerms { layers: model.layers.value.iter().map(|width| width.value).collect(), activation })
}

fn data(data: &raw::Data) -> Result<DataTerms, Flaw> {
	let label = match data.label.as_ref().map(|label| label.value.as_str()) {
		None | Some("last") => LabelColumn::Last,
		Some(text) => text.parse().map_or_else(|_| LabelColumn::Named(text.into()), LabelColumn::Index),
	};
	let scale = data.scale.as_ref().map_or(1.0, |scale| scale.value);
	if let Some(at) = data.scale.as_ref().filter(|_| !(scale.is_finite() && scale != 0.0)) {
		return Err(Flaw::new(
			at.referenced,
			format!("scale {scale} is not a finite number other than 0"),
			"use for example 0.0625",
		));
	}
	let hold_out_every = match &data.held_out {
		None => 5,
		Some(share) => hold_out_every(share)?,
	};
	Ok(DataTerms { file: data.file.value.clone().into(), label, scale, hold_out_every })
}

/// One row in so many, from the share of rows.
fn hold_out_every(share: &Spanned<f64>) -> Result<u32, Flaw> {
	let value = share.value;
	let every = (1.0 / value).round();
	if !(value > 0.0 && value <= 0.5) || every > 1e6 {
		let next = "use a share above 0 and up to 0.5, such as 0.2";
		return Err(Flaw::new(share.referenced, format!("`held_out` {value} is not a usable share of rows"), next));
	}
	if (every * value - 1.0).abs() > 0.02 {
		let (less, more) = (1.0 / (1.0 / value).ceil(), 1.0 / (1.0 / value).floor().max(2.0));
		return Err(Flaw::new(
			share.referenced,
			format!("every n-th row is held out, and {value} is not 1/n"),
			format!("use {less:.3} or {more:.3}"),
		));
	}
	Ok(every as u32)
}

fn train(train: &raw::Train) -> Result<TrainTerms, Flaw> {
	let optimiser = match &train.optimiser {
		None => "adamw",
		Some(word) => known(word, "optimiser", &OPTIMISERS)?,
	};
	let rate = positive(train.rate.as_ref(), "rate", if optimiser == "sgd" { 0.1 } else { 0.002 })?;
	let optimiser = match (optimiser, &train.momentum, &train.weight_decay) {
		("sgd", _, Some(at)) => return Err(foreign(at, "weight_decay", "adamw")),
		("sgd", momentum, None) => Optimiser::Sgd { rate, momentum: share(momentum.as_ref(), "momentum", 0.9)? },
		(_, Some(at), _) => return Err(foreign(at, "momentum", "sgd")),
		(_, None, decay) => match Optimiser::adamw(rate) {
			Optimiser::AdamW { rate, beta1, beta2, epsilon, weight_decay } => {
				let weight_decay = share(decay.as_ref(), "weight_decay", weight_decay)?;
				Optimiser::AdamW { rate, beta1, beta2, epsilon, weight_decay }
			}
			other => other,
		},
	};
	if train.steps.value == 0 {
		return Err(Flaw::new(train.steps.referenced, "`steps` is 0", "use at least one step per segment"));
	}
	Ok(TrainTerms {
		optimiser,
		batch: counted(train.batch.as_ref(), "batch", 64)?,
		steps: train.steps.value,
		seed: train.seed.as_ref().map_or(0, |seed| seed.value),
	})
}

fn foreign(at: &Spanned<f32>, field: &str, optimiser: &str) -> Flaw {
	Flaw::new(
		at.referenced,
		format!("`{field}` belongs to {optimiser}"),
		format!("remove it or use optimiser: {optimiser}"),
	)
}

fn verify(verify: &raw::Verify) -> Result<VerifyTerms, Flaw> {
	let segments = counted(verify.segments.as_ref(), "segments", 4)?;
	let drawn = verify.drawn.as_ref().map_or(u32::from(segments > 1), |drawn| drawn.value);
	let least = u32::from(segments > 1);
	if let Some(at) = verify.drawn.as_ref().filter(|_| segments == 1 && drawn > 0) {
		return Err(Flaw::new(
			at.referenced,
			format!(
				"`drawn` is {drawn}, but `segments` is 1: that one is always checked, and no other is left to draw"
			),
			"remove `drawn`, or use more segments per milestone",
		));
	}
	if let Some(at) = verify.drawn.as_ref().filter(|_| drawn < least || drawn >= segments) {
		return Err(Flaw::new(
			at.referenced,
			format!(
				"{drawn} segments cannot be drawn: the last of {segments} is always checked, so {least} to {} can",
				segments - 1
			),
			"change `drawn` or use more segments per milestone",
		));
	}
	Ok(VerifyTerms {
		milestones: counted(verify.milestones.as_ref(), "milestones", 6)?,
		segments,
		drawn,
		verifiers: counted(verify.verifiers.as_ref(), "verifiers", 1)?,
		insured_value: verify.insured_value.as_ref().map_or(Ok(0), money)?,
		fee: match &verify.fee {
			None => UNIT / 10,
			Some(fee) => positive_money(fee, "fee")?,
		},
	})
}

fn offer(offer: &raw::Offer) -> Result<OfferTerms, Flaw> {
	let max = positive_money(&offer.max, "max")?;
	let clearing = match (&offer.best_bid, &offer.ramp) {
		(Some(_), Some(ramp)) => {
			return Err(Flaw::new(
				ramp.referenced,
				"an order is cleared by `best_bid` or by `ramp`, not both",
				"remove one of the two",
			))
		}
		(None, Some(ramp)) => {
			let start = money(&ramp.value.start)?;
			if start > max {
				return Err(Flaw::new(
					ramp.value.start.referenced,
					"the ramp starts above `max`",
					"start at or below `max`",
				));
			}
			Clearing::Ramp { start, duration: at_least_one(&ramp.value.blocks, "`blocks`")? }
		}
		(window, None) => Clearing::BestBid { window: counted(window.as_ref(), "best_bid", 4)? },
	};
	Ok(OfferTerms { max, clearing, deadline: counted(offer.deadline.as_ref(), "deadline", 3_600)? })
}

fn money(text: &Spanned<String>) -> Result<Balance, Flaw> {
	parse_amount(&text.value).map_err(|error| {
		Flaw::new(
			text.referenced,
			format!("`{}` is not an amount: {}", error.text, error.reason),
			"write for example 10, 1.5 UNIT or 250 mUNIT",
		)
	})
}

fn positive_money(text: &Spanned<String>, field: &str) -> Result<Balance, Flaw> {
	match money(text)? {
		0 => Err(Flaw::new(
			text.referenced,
			format!("`{field}` is 0"),
			"nobody works for nothing; use a positive amount",
		)),
		value => Ok(value),
	}
}

fn at_least_one(value: &Spanned<u32>, what: &str) -> Result<u32, Flaw> {
	match value.value {
		0 => Err(Flaw::new(value.referenced, format!("{what} is 0"), "use 1 or more")),
		value => Ok(value),
	}
}

fn counted(value: Option<&Spanned<u32>>, field: &str, default: u32) -> Result<u32, Flaw> {
	value.map_or(Ok(default), |value| at_least_one(value, &format!("`{field}`")))
}

fn positive(value: Option<&Spanned<f32>>, field: &str, default: f32) -> Result<f32, Flaw> {
	match value {
		None => Ok(default),
		Some(at) if at.value.is_finite() && at.value > 0.0 => Ok(at.value),
		Some(at) => Err(Flaw::new(
			at.referenced,
			format!("`{field}` {} is not a finite number above 0", at.value),
			"use for example 0.002",
		)),
	}
}

fn share(value: Option<&Spanned<f32>>, field: &str, default: f32) -> Result<f32, Flaw> {
	match value {
		None => Ok(default),
		Some(at) if (0.0..1.0).contains(&at.value) => Ok(at.value),
		Some(at) => Err(Flaw::new(
			at.referenced,
			format!("`{field}` {} is not from 0 to below 1", at.value),
			"use for example 0.01",
		)),
	}
}
