//! What a job file says, with defaults filled in.

use assay_import::Pooling;
use assay_models::{Activation, LabelColumn, Optimiser};
use assay_program::Lane;
use assay_protocol::{job::Clearing, Balance, BlockNumber};
use std::path::PathBuf;

/// What is computed. Paths are relative to the job file.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
	/// A classifier of rows is trained.
	Classifier {
		/// The network.
		model: MlpTerms,
		/// The rows.
		data: TableTerms,
		/// How it is trained.
		train: TrainTerms,
	},
	/// A classifier of images is trained.
	Images {
		/// The network.
		model: CnnTerms,
		/// The images, a row each.
		data: TableTerms,
		/// How it is trained.
		train: TrainTerms,
	},
	/// A language model is trained from nothing.
	Language {
		/// The network.
		model: GptTerms,
		/// What it reads.
		text: TextTerms,
		/// How it is trained.
		train: TrainTerms,
	},
	/// A decoder is trained on.
	FineTune {
		/// Its directory.
		directory: PathBuf,
		/// Only low-rank parts beside its layers are trained; all weights if there are none.
		lora: Option<LoraTerms>,
		/// Positions of a sequence; as many as the model has, at most 128, if not said.
		context: Option<u32>,
		/// What it reads.
		text: TextTerms,
		/// How it is trained.
		train: TrainTerms,
	},
	/// A model is run over many texts.
	Infer {
		/// Its directory.
		directory: PathBuf,
		/// The file with a text in each line.
		lines: PathBuf,
		/// What is made of each.
		task: Task,
		/// Texts at a time; 4, or fewer for the milestones asked for, if not said.
		batch: Option<u32>,
		/// How products with weights are computed.
		lane: Lane,
	},
	/// A classifier is run over many rows.
	InferRows {
		/// What is run.
		model: RowModel,
		/// The rows.
		rows: RowTerms,
		/// Rows at a time; 64, or fewer for the milestones asked for, if not said.
		batch: Option<u32>,
		/// How products with weights are computed.
		lane: Lane,
	},
}

/// What is run over rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowModel {
	/// The directory that a training job wrote.
	Directory(PathBuf),
	/// An ONNX file.
	Onnx(PathBuf),
}

/// Rows of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct RowTerms {
	/// The CSV file.
	pub file: PathBuf,
	/// A column that is no feature but the class that each row should get. It stays here.
	pub label: Option<LabelColumn>,
	/// Factor for every feature; the model's if not said.
	pub scale: Option<f32>,
}

/// A convolutional network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CnnTerms {
	/// Rows of pixels, columns of pixels, channels of a pixel.
	pub image: [u32; 3],
	/// Channels after each convolution.
	pub convolutions: Vec<u32>,
	/// Classes; the data's if not said.
	pub classes: Option<u32>,
}

/// A multi-layer perceptron.
#[derive(Clone, Debug, PartialEq)]
pub struct MlpTerms {
	/// Columns of the data, widths of the hidden layers, classes.
	pub layers: Vec<u32>,
	/// After each hidden layer.
	pub activation: Activation,
}

/// A decoder with the layers of GPT-2.
#[derive(Clone, Debug, PartialEq)]
pub struct GptTerms {
	/// Blocks of attention and feed-forward layer.
	pub layers: u32,
	/// Heads of an attention.
	pub heads: u32,
	/// Columns of an activation.
	pub width: u32,
	/// Positions of a sequence.
	pub context: u32,
	/// Share of activations dropped in training.
	pub dropout: f32,
}

/// Low-rank parts beside frozen layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoraTerms {
	/// Rank of a part.
	pub rank: u32,
	/// A part is scaled by `alpha / rank`.
	pub alpha: f32,
}

/// A table of labelled rows.
#[derive(Clone, Debug, PartialEq)]
pub struct TableTerms {
	/// The CSV file.
	pub file: PathBuf,
	/// Which column is the label.
	pub label: LabelColumn,
	/// Factor for every feature.
	pub scale: f32,
	/// One row in so many is kept for evaluation.
	pub hold_out_every: u32,
}

/// A text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextTerms {
	/// The file, UTF-8.
	pub file: PathBuf,
	/// How it becomes tokens.
	pub tokens: Tokens,
	/// One sequence in so many is kept for evaluation.
	pub hold_out_every: u32,
}

/// How a text becomes tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tokens {
	/// A token per byte.
	Bytes,
	/// By a `tokenizer.json`.
	File(PathBuf),
	/// By that of the model.
	Model,
}

/// What is made of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
	/// It is continued.
	Generate {
		/// New tokens.
		tokens: u32,
		/// What logits are divided by before a token is drawn; 0 takes the likeliest.
		temperature: f32,
		/// Seed of the draws.
		seed: u64,
		/// What ends a text.
		end: End,
	},
	/// A row of numbers.
	Rows(Pooling),
}

/// What ends a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
	/// What the model's configuration says.
	Model,
	/// Nothing.
	Never,
	/// A token, by its id or its text.
	Token(String),
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
	/// How linear layers are computed.
	pub lane: Lane,
}

/// What a job file says itself of how its work is divided; the rest is chosen to fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
	/// `milestones`.
	pub milestones: bool,
	/// `segments`.
	pub segments: bool,
	/// `drawn`.
	pub drawn: bool,
}

/// How much of the work is re-executed, and what a wrong result would cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyTerms {
	/// Which of the next three the file says. Of a job over items they are chosen when its data is read.
	pub given: Given,
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
