//! What is wrong with a job file, and where.

use super::sections;
use crate::suggestion::nearest;
use serde_saphyr::Location;

/// A place in a job file, both counted from 1; 0 if unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spot {
	/// The line.
	pub line: u64,
	/// The column.
	pub column: u64,
}

impl From<Location> for Spot {
	fn from(location: Location) -> Self {
		Self { line: location.line(), column: location.column() }
	}
}

/// What is wrong with a job file, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{}:{}: {message}; {next}", .at.line, .at.column)]
pub struct JobFileError {
	/// The file, as it was named.
	pub file: String,
	/// Where in it.
	pub at: Spot,
	/// What is wrong.
	pub message: String,
	/// What to do.
	pub next: String,
}

/// What is wrong, before the file's name is known.
pub(super) struct Flaw {
	pub(super) at: Spot,
	pub(super) message: String,
	pub(super) next: String,
}

impl Flaw {
	pub(super) fn new(at: impl Into<Spot>, message: impl Into<String>, next: impl Into<String>) -> Self {
		let (message, next) = (message.into(), next.into());
		Self { at: at.into(), message: shortened(message), next: shortened(next) }
	}

	/// A word that is none of the known ones.
	pub(super) fn word(at: Location, what: &str, word: &str, known: &[&str]) -> Self {
		let listed = known.join(", ");
		let next = match nearest(word, known.iter().copied()) {
			Some(meant) => format!("did you mean `{meant}`? known: {listed}"),
			None => format!("use one of: {listed}"),
		};
		Self::new(at, format!("unknown {what} `{word}`"), next)
	}

	pub(super) fn of(self, file: &str) -> JobFileError {
		JobFileError { file: file.into(), at: self.at, message: self.message, next: self.next }
	}
}

impl From<serde_saphyr::Error> for Flaw {
	fn from(error: serde_saphyr::Error) -> Self {
		use serde_saphyr::Error as E;
		let bare = error.without_snippet();
		let at = bare.location().map(Spot::from).unwrap_or_default();
		match bare {
			E::SerdeUnknownField { field, expected, .. } => {
				let next = sections::advice(field, expected);
				Self::new(at, format!("unknown field `{field}`"), next)
			}
			E::SerdeMissingField { field, .. } => {
				Self::new(at, format!("field `{field}` is missing"), sections::missing(field))
			}
			E::MultipleDocuments { .. } => Self::new(
				at,
				"a second job starts here, after a line `---`",
				"one file is one job: move the second into a file of its own, or remove it",
			),
			E::DuplicateMappingKey { .. } => Self::new(at, "a field is given twice", "remove one of the two"),
			other => {
				let text = other.to_string();
				// The library repeats the place at the end of its text; it is shown once already.
				let text =
					text.split(" at line ").next().unwrap_or(&text).lines().next().unwrap_or_default().to_string();
				Self::new(at, text.clone(), remedy(&text))
			}
		}
	}
}

/// A text that may quote the file, not longer than somebody reads.
fn shortened(text: String) -> String {
	const LONGEST: usize = 600;
	match text.char_indices().nth(LONGEST) {
		Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
		None => text,
	}
}

/// What to do about a value that the parser refuses, from the parser's words.
fn remedy(text: &str) -> &'static str {
	const REMEDIES: &[(&str, &str)] = &[
		("invalid u32", "give a whole number from 0 to 4294967295"),
		("invalid u64", "give a whole number from 0 to 18446744073709551615"),
		("invalid f", "give a number"),
		("expected sequence", "give a list, such as [64, 10]"),
		(
			"expected mapping",
			"give fields, such as {file: data.csv}; a whole job file starts as examples/digits.yaml does",
		),
		("unexpected end of input", "the file ends too soon or is empty; start from examples/digits.yaml"),
	];
	let found = REMEDIES.iter().find(|(words, _)| text.contains(words));
	found.map_or("correct the value; docs/job-file.md says what each field takes", |(_, remedy)| remedy)
}
