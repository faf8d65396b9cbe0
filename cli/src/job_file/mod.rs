//! The job file: what a client wants, in some ten lines of YAML. `docs/job-file.md` describes every field.

mod build;
mod classifiers;
mod division;
mod draft;
mod error;
mod fields;
mod inference;
mod inputs;
mod outcome;
mod raw;
mod read;
mod rows;
mod sections;
mod terms;
mod text;
mod work;

pub use draft::{Draft, DraftError};
pub use error::{JobFileError, Spot};
pub use outcome::{Evaluated, Generated, Outcome, Rows, Texts, Trained};
pub use terms::{
	CnnTerms, End, Given, GptTerms, LoraTerms, MlpTerms, OfferTerms, RowModel, RowTerms, TableTerms, Task, TextTerms,
	Tokens, TrainTerms, VerifyTerms, Work,
};

/// A job, with defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct JobFile {
	/// The file's name as it was given, for messages.
	pub name: String,
	/// What is computed.
	pub work: Work,
	/// How much is re-executed.
	pub verify: VerifyTerms,
	/// What is paid.
	pub offer: OfferTerms,
	spots: Spots,
}

/// Where fields stand that are judged only once the data is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Spots {
	model: Spot,
	data_file: Spot,
	train: Spot,
	/// What ends a text.
	end: Spot,
	offer: Spot,
}
