//! Programs of every kind of job.

use super::{
	classifiers,
	draft::DraftError,
	outcome::{Generated, Outcome, Texts},
	rows,
	text::{self, Coder},
	End, GptTerms, JobFile, LoraTerms, Task, TextTerms, TrainTerms, Work,
};
use assay_import::{fine_tuning, generation, Batches, FineTuning, Generation, ImportError, ModelDirectory, Pooling};
use assay_models::{transformer, BuildError, Model, Sequences, TransformerConfig};
use assay_program::Lane;
use std::{path::Path, sync::Arc};

/// Most positions of a sequence that a model is trained on if nothing is said.
const CONTEXT: u32 = 128;

/// Texts at a time if nothing is said.
const BATCH: u32 = 4;

/// A program, its data, and what to do with the result.
pub(super) struct Built {
	pub(super) model: Model,
	pub(super) outcome: Outcome,
	pub(super) items: u32,
}

/// Builds what `file` describes; its paths are relative to `folder`.
pub(super) fn build(file: &JobFile, folder: &Path) -> Result<Built, DraftError> {
	match &file.work {
		Work::Classifier { model, data, train } => classifiers::perceptron(file, folder, model, data, train),
		Work::Images { model, data, train } => classifiers::convolutional(file, folder, model, data, train),
		Work::Language { model, text, train } => language(file, folder, model, text, train),
		Work::FineTune { directory, lora, context, text, train } => {
			fine_tune(file, folder, &folder.join(directory), (*lora, *context), text, train)
		}
		Work::Infer { directory, lines, task, batch, lane } => {
			infer(file, &folder.join(directory), &folder.join(lines), task, (*batch, *lane))
		}
		Work::InferRows { model, rows: terms, batch, lane } => rows::infer(file, folder, (model, terms), *batch, *lane),
	}
}

fn language(
	file: &JobFile,
	folder: &Path,
	model: &GptTerms,
	text: &TextTerms,
	train: &TrainTerms,
) -> Result<Built, DraftError> {
	let coder = Coder::open(file, folder, &text.tokens, None)?;
	let sequences = sequences(file, folder, text, &coder, model.context)?;
	let config = TransformerConfig {
		vocabulary: coder.vocabulary(),
		context: model.context,
		layers: model.layers,
		heads: model.heads,
		width: model.width,
		dropout: model.dropout,
		lane: train.lane,
		optimiser: train.optimiser,
		batch: train.batch,
		steps: train.steps,
		segment_steps: segment_steps(file, train)?,
		seed: seed(train.seed),
	};
	let model = transformer(&config, &sequences.train)
		.map_err(|error| refused(file, error, "use a smaller model, context or batch"))?;
	let items = sequences.train.spec().rows;
	Ok(Built { model, items, outcome: Outcome::Language { config, held_out: sequences.held_out, coder } })
}

fn fine_tune(
	file: &JobFile,
	folder: &Path,
	directory: &Path,
	(lora, context): (Option<LoraTerms>, Option<u32>),
	text: &TextTerms,
	train: &TrainTerms,
) -> Result<Built, DraftError> {
	let opened = open(file, directory)?;
	let coder = Coder::open(file, folder, &text.tokens, Some(directory))?;
	let context = context.unwrap_or_else(|| opened.family().context().min(CONTEXT));
	let sequences = sequences(file, folder, text, &coder, context)?;
	let config = FineTuning {
		optimiser: train.optimiser,
		lora: lora.map(|LoraTerms { rank, alpha }| assay_import::LoraTerms { rank, alpha }),
		lane: train.lane,
		batch: train.batch,
		steps: train.steps,
		segment_steps: segment_steps(file, train)?,
		seed: seed(train.seed),
	};
	let model = fine_tuning(opened.family(), opened.checkpoint(), &sequences.train, &config)
		.map_err(|error| of_model(file, &error))?;
	let items = sequences.train.spec().rows;
	let outcome = Outcome::FineTune { model: Arc::new(opened), config, held_out: sequences.held_out };
	Ok(Built { model, items, outcome })
}

fn infer(
	file: &JobFile,
	directory: &Path,
	lines: &Path,
	task: &Task,
	(batch, lane): (Option<u32>, Lane),
) -> Result<Built, DraftError> {
	let opened = open(file, directory)?;
	let coder = Coder::open(file, directory, &super::Tokens::Model, Some(directory))?;
	let texts = text::lines(file, lines)?;
	let tokens = texts
		.iter()
		.map(|text| coder.encode(text))
		.collect::<Result<Vec<_>, _>>()
		.map_err(|problem| file.flaw(file.spots.data_file, problem, "correct the texts or the tokenizer"))?;
	let items = u32::try_from(texts.len()).unwrap_or(u32::MAX);
	let batch = batch.unwrap_or_else(|| usual_batch(file, items, BATCH));
	let segment_groups = groups(file, (items, "texts"), batch)?;
	let (family, checkpoint) = (opened.family(), opened.checkpoint());
	let (model, made) = match task {
		Task::Generate { tokens: new, temperature, seed: number, end } => {
			let ends = ends(file, &opened, &coder, end)?;
			let (tokens_each, temperature, seed) = (*new, *temperature, seed(*number));
			let config = Generation { batch, tokens: tokens_each, temperature, segment_groups, seed, lane, ends };
			(generation(family, checkpoint, &tokens, &config), Generated::Text { config, coder })
		}
		Task::Rows(pooling) => {
			let config = Batches { batch, length: 0, pooling: *pooling, segment_steps: segment_groups, lane };
			let made = if *pooling == Pooling::Classes { Generated::Classes } else { Generated::Rows };
			(assay_import::rows(family, checkpoint, &tokens, &config), made)
		}
	};
	let model = model.map_err(|error| of_model(file, &error))?;
	Ok(Built { model, items, outcome: Outcome::Texts(Texts { texts, tokens, batch, made }) })
}

/// Groups of `batch` items in each segment.
pub(super) fn groups(file: &JobFile, (items, what): (u32, &str), batch: u32) -> Result<u32, DraftError> {
	let groups = items.div_ceil(batch.max(1));
	let segments = file.verify.milestones.saturating_mul(file.verify.segments).max(1);
	if groups < segments {
		let (milestones, segments) = (file.verify.milestones, file.verify.segments);
		let problem = format!(
			"{items} {what} in groups of {batch} are {groups} groups, fewer than {milestones} milestones x {segments} segments"
		);
		let next = match batch {
			0 | 1 => "use fewer milestones or segments",
			_ => "use a smaller `batch`, or fewer milestones or segments",
		};
		return Err(file.flaw(file.spots.train, problem, next).into());
	}
	divided(file, groups.into(), "groups")
}

/// The tokens that end a text.
fn ends(file: &JobFile, model: &ModelDirectory, coder: &Coder, end: &End) -> Result<Vec<u32>, DraftError> {
	match end {
		End::Model => Ok(model.ends().to_vec()),
		End::Never => Ok(Vec::new()),
		End::Token(text) => {
			let marked = text.strip_prefix('#').and_then(|id| id.parse::<u32>().ok());
			let (number, token) = (text.parse::<u32>().ok(), coder.token(text));
			let number = number.filter(|id| *id < model.family().vocabulary());
			if let (Some(number), Some(token)) = (number, token) {
				if number != token {
					let problem = format!("`end_token` {text:?} is a number and a text, which is token {token}");
					let next = format!("write \"#{token}\" for the text, \"#{number}\" for the number");
					return Err(file.flaw(file.spots.end, problem, &next).into());
				}
			}
			let id = token.or(number).or(marked).filter(|id| *id < model.family().vocabulary()).ok_or_else(|| {
				let problem = format!("`end_token` {text:?} is not one token of the model");
				file.flaw(file.spots.end, problem, "write a token's text, or its id as \"#ID\", or none")
			})?;
			Ok(vec![id])
		}
	}
}

fn open(file: &JobFile, directory: &Path) -> Result<ModelDirectory, DraftError> {
	ModelDirectory::open(directory).map_err(|error| of_model(file, &error))
}

pub(super) fn of_model(file: &JobFile, error: &ImportError) -> DraftError {
	match error {
		ImportError::Request(_) => {
			let at = if matches!(file.work, Work::Infer { .. }) { file.spots.train } else { file.spots.model };
			file.flaw(at, error.to_string(), "change what is asked of the model, or the texts").into()
		}
		ImportError::Missing { .. } => {
			file.flaw(file.spots.model, error.to_string(), "the path is relative to the job file; correct it").into()
		}
		_ if error.to_string().contains("assay-") => {
			let next = "this model is a classifier of rows: use `data: {rows: FILE}`, or a language model's directory";
			file.flaw(file.spots.model, error.to_string(), next).into()
		}
		_ => {
			let next = "`directory` is relative to the job file and holds config.json, safetensors and tokenizer.json";
			file.flaw(file.spots.model, error.to_string(), next).into()
		}
	}
}

fn sequences(
	file: &JobFile,
	folder: &Path,
	terms: &TextTerms,
	coder: &Coder,
	context: u32,
) -> Result<Sequences, DraftError> {
	let path = folder.join(&terms.file);
	let text = text::read(file, &path)?;
	let flaw = |problem: String, next: &str| DraftError::from(file.flaw(file.spots.data_file, problem, next));
	let ids = coder.encode(&text).map_err(|problem| flaw(problem, "correct the text or the tokenizer"))?;
	Sequences::cut(&ids, context, terms.hold_out_every)
		.map_err(|error| flaw(format!("{}: {error}", path.display()), "use more text or a smaller context"))
}

pub(super) fn segment_steps(file: &JobFile, train: &TrainTerms) -> Result<u32, DraftError> {
	divided(file, train.steps, "steps")
}

/// Items at a time if nothing is said: `usual`, or the next smaller number that gives the milestones that the file asks for.
pub(super) fn usual_batch(file: &JobFile, items: u32, usual: u32) -> u32 {
	let (milestones, segments) = (u64::from(file.verify.milestones), u64::from(file.verify.segments).max(1));
	let all = milestones.saturating_mul(segments).max(1);
	let gives = |batch: &u32| {
		let groups = u64::from(items.div_ceil(*batch));
		groups >= all && groups.div_ceil(groups.div_ceil(all)).div_ceil(segments) == milestones
	};
	(1..=usual).rev().find(gives).unwrap_or(1)
}

/// Steps or groups of a segment, such that the job has the milestones that the file asks for.
fn divided(file: &JobFile, whole: u64, what: &str) -> Result<u32, DraftError> {
	let (milestones, segments) = (u64::from(file.verify.milestones), u64::from(file.verify.segments));
	let all = milestones.saturating_mul(segments).max(1);
	let length = whole.div_ceil(all);
	let flaw = |problem: String, next: String| DraftError::from(file.flaw(file.spots.train, problem, &next));
	let made = whole.div_ceil(length.max(1)).div_ceil(segments.max(1));
	if made != milestones {
		let (less, more) = (whole / all * all, whole.div_ceil(all) * all);
		return Err(flaw(
			format!("{whole} {what} in segments of {length} make {made} milestones of {segments} segments, not {milestones}"),
			format!("use {less} or {more} {what}, or other `milestones` or `segments` under `verify`"),
		));
	}
	let most = u64::from(u32::MAX);
	u32::try_from(length).map_err(|_| {
		flaw(
			format!("segments of {length} {what} are too long, at most {most}"),
			"use more segments or milestones".into(),
		)
	})
}

pub(super) fn seed(number: u64) -> [u8; 32] {
	let mut seed = [0; 32];
	seed[..8].copy_from_slice(&number.to_le_bytes());
	seed
}

pub(super) fn refused(file: &JobFile, error: BuildError, next: &str) -> DraftError {
	file.flaw(file.spots.model, format!("the model cannot be built: {error}"), next).into()
}
