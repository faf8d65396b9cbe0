//! What the first line of a file is: names of columns, numbers, or neither.

use super::DataError;

/// Whether `fields` of the first line, which stands at `line`, are names; numbers otherwise.
pub(super) fn names(fields: &[&str], line: u64) -> Result<bool, DataError> {
	let is_number = |field: &&str| field.parse::<f32>().is_ok();
	let Some(first) = fields.iter().position(|field| !is_number(field)) else { return Ok(false) };
	if fields.iter().any(is_number) {
		let text = fields.get(first).map(|field| field.chars().take(32).collect()).unwrap_or_default();
		return Err(DataError::Mixed { line, column: first + 1, text });
	}
	match fields.iter().position(|field| field.is_empty()) {
		Some(unnamed) if fields.len() > 1 => Err(DataError::Unnamed { line, column: unnamed + 1 }),
		_ => Ok(true),
	}
}

/// What separates the fields of a line, where it is not a comma.
pub(super) fn separator(line: &str) -> Option<char> {
	let commas = line.matches(',').count();
	let is_number = |field: &str| field.trim().replace(',', ".").parse::<f32>().is_ok();
	[';', '\t'].into_iter().find(|mark| {
		let marks = line.matches(*mark).count();
		// Beside commas it may be part of a name, unless they are decimal points.
		marks > 0 && (commas == 0 || line.split(*mark).all(is_number))
	})
}

/// A separator as it is shown.
pub(super) fn name(separator: char) -> &'static str {
	match separator {
		'\t' => "tabs",
		_ => "`;`",
	}
}
