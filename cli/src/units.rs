//! Amounts of money as people write them.

use assay_protocol::{parameters::UNIT, Balance};

/// Decimal places of one UNIT.
const DECIMALS: usize = 12;

/// Units that an amount may be given in, with their decimal places.
const UNITS: [(&str, usize); 5] = [("UNIT", 12), ("mUNIT", 9), ("uUNIT", 6), ("nUNIT", 3), ("pUNIT", 0)];

/// Text is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an amount: {reason}; write for example 10, 1.5 or 250 mUNIT")]
pub struct AmountError {
	/// What was written.
	pub text: String,
	/// What is wrong with it.
	pub reason: &'static str,
}

/// Reads an amount: a decimal number, then optionally a space and `UNIT`, `mUNIT`, `uUNIT`, `nUNIT` or `pUNIT` (the chain's
/// smallest unit, 10^-12 UNIT). Without a unit it is UNIT. Exact: a fraction below the smallest unit is refused.
///
/// # Errors
/// [`AmountError`].
pub fn parse_amount(text: &str) -> Result<Balance, AmountError> {
	let wrong = |reason| AmountError { text: text.into(), reason };
	let trimmed = text.trim();
	if trimmed.starts_with('-') {
		return Err(wrong("it is negative"));
	}
	let digits = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(trimmed.len());
	let (number, unit) = trimmed.split_at(digits);
	if unit.starts_with(',') {
		return Err(wrong("a comma is no decimal point, which is `.`"));
	}
	if unit.starts_with(['e', 'E'])
		&& unit.trim_start_matches(['e', 'E']).trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit())
	{
		return Err(wrong("it has an exponent; all digits are written out"));
	}
	let places = match unit.trim() {
		"" => DECIMALS,
		unit => UNITS.iter().find(|(name, _)| *name == unit).ok_or(wrong("the unit is unknown"))?.1,
	};
	let number = number.replace('_', "");
	let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
	if whole.is_empty() || (number.contains('.') && fraction.is_empty()) {
		return Err(wrong("digits are missing"));
	}
	if fraction.contains('.') {
		return Err(wrong("there is more than one decimal point"));
	}
	if fraction.len() > places {
		return Err(wrong("it is finer than the smallest unit"));
	}
	format!("{whole}{fraction:0<places$}").parse().map_err(|_| wrong("it is too large"))
}

/// Writes an amount in UNIT, exactly: `1.5 UNIT`.
pub fn amount(value: Balance) -> String {
	let (whole, fraction) = (value / UNIT, value % UNIT);
	if fraction == 0 {
		return format!("{whole} UNIT");
	}
	let fraction = format!("{fraction:0DECIMALS$}");
	format!("{whole}.{} UNIT", fraction.trim_end_matches('0'))
}

/// Writes an amount into JSON as text of the smallest unit, since JSON numbers lose digits.
pub(crate) fn smallest<S: serde::Serializer>(value: &Balance, serializer: S) -> Result<S::Ok, S::Error> {
	serializer.collect_str(value)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn amounts_are_exact() {
		assert_eq!(parse_amount("10"), Ok(10 * UNIT));
		assert_eq!(parse_amount(" 1.5 UNIT"), Ok(UNIT + UNIT / 2));
		assert_eq!(parse_amount("1_000"), Ok(1_000 * UNIT));
		assert_eq!(parse_amount("0.000000000001"), Ok(1));
		assert_eq!(parse_amount("250mUNIT"), Ok(UNIT / 4));
		assert_eq!(parse_amount("7 pUNIT"), Ok(7));
		for value in [0, 1, UNIT, UNIT / 4, 123 * UNIT + 1, Balance::MAX] {
			assert_eq!(parse_amount(&amount(value)), Ok(value));
		}
		assert_eq!(amount(3 * UNIT / 2), "1.5 UNIT");
	}

	#[test]
	fn the_reason_is_the_right_one() {
		let reason = |text: &str| parse_amount(text).unwrap_err().reason;
		assert!(reason("-5").contains("negative") && reason("-5 UNIT").contains("negative"));
		assert!(reason("1e9").contains("exponent") && reason("2E+3 UNIT").contains("exponent"));
		assert!(reason("1,5 UNIT").contains("comma"));
		assert!(reason("5 EUR").contains("unit") && reason("5e").contains("unit"));
	}

	#[test]
	fn what_is_no_amount_is_refused() {
		for text in
			["", ".5", "1.", "1.2.3", "0.0000000000001", "1.5 pUNIT", "-1", "1 DOT", "1e3", "9".repeat(39).as_str()]
		{
			assert!(parse_amount(text).is_err(), "{text}");
		}
	}
}
