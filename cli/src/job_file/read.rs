//! From text to terms.

use super::{
	division,
	error::{Flaw, JobFileError},
	fields::{at_least_one, at_most, counted, known, money, positive_money},
	inference, raw, work, Given, JobFile, OfferTerms, VerifyTerms, Work,
};
use assay_protocol::{
	job::Clearing,
	parameters::UNIT,
	plan::{MAX_MILESTONES, MAX_MILESTONE_SEGMENTS},
};
use serde_saphyr::Spanned;

/// Milestones and segments at most, if a file says nothing.
pub(super) const USUAL: (u32, u32) = (6, 4);

const KINDS: [&str; 3] = ["train", "finetune", "infer-batch"];
const MODELS: [&str; 3] = ["mlp", "cnn", "gpt"];

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
	let outline: raw::Outline = serde_saphyr::from_str(text)?;
	let work = match known(&outline.kind, "job kind", &KINDS)? {
		"finetune" => work::fine_tune(serde_saphyr::from_str(text)?)?,
		"infer-batch" => {
			let rows = outline.data.is_some_and(|data| data.rows.is_some() || data.is_table());
			match rows || outline.model.is_some_and(|model| model.onnx.is_some()) {
				true => inference::rows(serde_saphyr::from_str(text)?)?,
				false => inference::infer(serde_saphyr::from_str(text)?)?,
			}
		}
		_ => {
			let Some(word) = outline.model.and_then(|model| model.r#type) else {
				// Its name may be misspelt.
				if let Err(flaw) = serde_saphyr::from_str::<raw::Classifier>(text).map_err(Flaw::from) {
					if flaw.next.starts_with("did you mean") {
						return Err(flaw);
					}
				}
				let next = format!("add it: `model: {{type: ...}}` with one of {}", MODELS.join(", "));
				return Err(Flaw::new(outline.kind.referenced, "kind train needs `model` with a `type`", next));
			};
			match known(&word, "model type", &MODELS)? {
				"cnn" => work::images(serde_saphyr::from_str(text)?)?,
				"gpt" => work::language(serde_saphyr::from_str(text)?)?,
				_ => work::classifier(serde_saphyr::from_str(text)?)?,
			}
		}
	};
	let (terms, spots) = work;
	let Terms { verify: raw_verify, offer: raw_offer } = serde_saphyr::from_str(text)?;
	let mut verify = verify(&raw_verify)?;
	if let Some(steps) = steps(&terms) {
		division::of_steps(&mut verify, steps, spots.train)?;
	}
	let offer_at = raw_offer.value.max.referenced.into();
	let spots = super::Spots { offer: offer_at, ..spots };
	Ok(JobFile { name: name.into(), work: terms, verify, offer: offer(&raw_offer.value)?, spots })
}

/// Steps that the file itself says.
fn steps(work: &Work) -> Option<u64> {
	match work {
		Work::Classifier { train, .. }
		| Work::Images { train, .. }
		| Work::Language { train, .. }
		| Work::FineTune { train, .. } => Some(train.steps),
		Work::Infer { .. } | Work::InferRows { .. } => None,
	}
}

/// What every kind has; the rest was read before.
#[derive(serde::Deserialize)]
struct Terms {
	#[serde(default)]
	verify: raw::Verify,
	offer: Spanned<raw::Offer>,
}

fn verify(verify: &raw::Verify) -> Result<VerifyTerms, Flaw> {
	let bounded = |at: &Option<Spanned<u32>>, field: &str, usual: u32, most: u32| {
		at.as_ref().map_or(Ok(usual), |at| at_most(at, field, most))
	};
	let segments = bounded(&verify.segments, "`segments`", USUAL.1, MAX_MILESTONE_SEGMENTS)?;
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
		given: Given {
			milestones: verify.milestones.is_some(),
			segments: verify.segments.is_some(),
			drawn: verify.drawn.is_some(),
		},
		milestones: bounded(&verify.milestones, "`milestones`", USUAL.0, MAX_MILESTONES)?,
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
