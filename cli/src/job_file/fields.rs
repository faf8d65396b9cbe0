//! Values of fields, and what is wrong with them.

use super::error::Flaw;
use crate::units::parse_amount;
use assay_protocol::Balance;
use serde_saphyr::Spanned;

pub(super) fn known<'a>(word: &Spanned<String>, what: &str, words: &[&'a str]) -> Result<&'a str, Flaw> {
	let found = words.iter().find(|known| **known == word.value);
	found.copied().ok_or_else(|| Flaw::word(word.referenced, what, &word.value, words))
}

pub(super) fn foreign(at: &Spanned<f32>, field: &str, optimiser: &str) -> Flaw {
	Flaw::new(
		at.referenced,
		format!("`{field}` belongs to {optimiser}"),
		format!("remove it or use optimiser: {optimiser}"),
	)
}

pub(super) fn money(text: &Spanned<String>) -> Result<Balance, Flaw> {
	parse_amount(&text.value).map_err(|error| {
		Flaw::new(
			text.referenced,
			format!("`{}` is not an amount: {}", error.text, error.reason),
			"write for example 10, 1.5 UNIT or 250 mUNIT",
		)
	})
}

pub(super) fn positive_money(text: &Spanned<String>, field: &str) -> Result<Balance, Flaw> {
	match money(text)? {
		0 => Err(Flaw::new(
			text.referenced,
			format!("`{field}` is 0"),
			"nobody works for nothing; use a positive amount",
		)),
		value => Ok(value),
	}
}

pub(super) fn at_least_one(value: &Spanned<u32>, what: &str) -> Result<u32, Flaw> {
	match value.value {
		0 => Err(Flaw::new(value.referenced, format!("{what} is 0"), "use 1 or more")),
		value => Ok(value),
	}
}

/// From 1 to `most`.
pub(super) fn at_most(value: &Spanned<u32>, what: &str, most: u32) -> Result<u32, Flaw> {
	match at_least_one(value, what)? {
		found if found > most => Err(Flaw::new(
			value.referenced,
			format!("{what} {found} is more than {most}"),
			format!("use at most {most}"),
		)),
		found => Ok(found),
	}
}

pub(super) fn counted(value: Option<&Spanned<u32>>, field: &str, default: u32) -> Result<u32, Flaw> {
	value.map_or(Ok(default), |value| at_least_one(value, &format!("`{field}`")))
}

pub(super) fn positive(value: Option<&Spanned<f32>>, field: &str, default: f32) -> Result<f32, Flaw> {
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

pub(super) fn share(value: Option<&Spanned<f32>>, field: &str, default: f32) -> Result<f32, Flaw> {
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
