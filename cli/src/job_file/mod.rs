//! The job file: what a client wants, in some ten lines of YAML. `docs/job-file.md` describes every field.

mod draft;
mod error;
mod raw;
mod read;

pub use draft::{Draft, DraftError};
pub use error::{JobFileError, Spot};

use assay_models::{Activation, LabelColumn, Optimiser};
use assay_protocol::{job::Clearing, Balance, BlockNumber};
use std::path::PathBuf;

/// A training job, with defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct JobFile {
	/// The file's name as it was given, for messages.
	pub name: String,
	/// The model.
	pub model: ModelTerms,
	/// The data.
	pub data: DataTerms,
	/// How it is trained.
	pub train: TrainTerms,
	/// How much is re-executed.
	pub verify: VerifyTerms,
	/// What is paid.
	pub offer: OfferTerms,
	spots: Spots,
}

/// A multi-layer perceptron.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelTerms {
	/// Columns of the data, widths of the hidden layers, classes.
	pub layers: Vec<u32>,
	/// After each hidden layer.
	pub activation: Activation,
}

/// A data set.
#[derive(Clone, Debug, PartialEq)]
pub struct DataTerms {
	/// The CSV file; relative to the job file.
	pub file: PathBuf,
	/// Which column is the label.
	pub label: LabelColumn,
	/// Factor for every feature.
	pub scale: f32,
	/// One row in so many is kept for evaluation.
	pub hold_out_every: u32,
}

/// How a model is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainTerms {
	/// How parameters follow their gradients.
	pub optimiser: Optimiser,
	/// Rows per step.
	pub batch: u32,
	/// Steps of the job.
	pub steps: u64,
	/// Seed of initial values and batches.
	pub seed: u64,
}

/// How much of the work is re-executed, and what a wrong result would cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyTerms {
	/// Milestones of the job.
	pub milestones: u32,
	/// Segments of each milestone.
	pub segments: u32,
	/// Segments drawn per milestone besides its last.
	pub drawn: u32,
	/// Verifiers per checked segment.
	pub verifiers: u32,
	/// What an undetected wrong result would be worth to the client.
	pub insured_value: Balance,
	/// Paid per honest check.
	pub fee: Balance,
}

/// What is paid, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferTerms {
	/// Most that is paid for the whole job.
	pub max: Balance,
	/// How the order is cleared.
	pub clearing: Clearing,
	/// Blocks after posting.
	pub deadline: BlockNumber,
}

/// Where fields stand that are judged only once the data is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Spots {
	model: Spot,
	data_file: Spot,
	train: Spot,
	offer: Spot,
}
