//! Programs of every kind of job.

use super::{
	classifiers, division,
	draft::DraftError,
	outcome::{Generated, Outcome, Texts},
	rows,
	text::{self, Coder},
	End, GptTerms, JobFile, LoraTerms, Task, TextTerms, TrainTerms, VerifyTerms, Work,
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
	/// How the work is divided, where only the data tells.
	pub(super) verify: Option<VerifyTerms>,
	/// What was taken for granted, in words.
	pub(super) notes: Vec<String>,
}

impl Built {
	/// Of a job that trains.
	pub(super) fn trained(file: &JobFile, model: Model, items: u32, outcome: Outcome) -> Self {
		let steps = format!("{} steps", model.program.header.steps);
		let notes = division::note(&file.verify, &steps).into_iter().collect();
		Self { model, outcome, items, verify: None, notes }
	}

	/// Of a table whose columns are named in a line.
	pub(super) fn named(mut self, line: Option<u64>) -> Self {
		self.notes.extend(line.map(|line| format!("line {line} of the data names the columns")));
		self
	}
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
	Ok(Built::trained(file, model, items, Outcome::Language { config, held_out: sequences.held_out, coder }))
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
	Ok(Built::trained(file, model, items, outcome))
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
	let Divided { batch, segment_groups, verify, note } = divided(file, (items, "texts"), batch, BATCH)?;
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
	let outcome = Outcome::Texts(Texts { texts, tokens, batch, made });
	Ok(Built { model, items, outcome, verify: Some(verify), notes: note.into_iter().collect() })
}

/// How items are divided.
pub(super) struct Divided {
	/// Items at a time.
	pub(super) batch: u32,
	/// Of so many, in each segment.
	pub(super) segment_groups: u32,
	pub(super) verify: VerifyTerms,
	pub(super) note: Option<String>,
}

/// Divides items, such as 100 `rows`, `batch` at a time; at most `usual` if the file does not say.
pub(super) fn divided(
	file: &JobFile,
	(items, what): (u32, &str),
	batch: Option<u32>,
	usual: u32,
) -> Result<Divided, DraftError> {
	let groups = |batch: u32| u64::from(items.div_ceil(batch.max(1)));
	let batches: Vec<u32> = batch.map_or_else(|| (1..=usual).rev().collect(), |batch| vec![batch]);
	let candidates = division::candidates(&file.verify);
	let all = candidates.iter().flat_map(|chosen| batches.iter().map(move |batch| (*chosen, *batch)));
	let found = all.into_iter().find_map(|(chosen, batch)| {
		let length = division::length(groups(batch), chosen)?;
		Some((chosen, batch, u32::try_from(length).ok()?))
	});
	if let Some((chosen, batch, segment_groups)) = found {
		let mut verify = file.verify.clone();
		division::set(&mut verify, chosen);
		let note = division::note(&verify, &format!("{items} {what}, {batch} at a time,"));
		return Ok(Divided { batch, segment_groups, verify, note });
	}
	let wanted = division::wanted(&file.verify);
	let at_a_time = batch.map_or_else(String::new, |batch| format!(", {batch} at a time,"));
	let problem = format!("{items} {what}{at_a_time} cannot be divided into {wanted}");
	let works = |batch: &u32| candidates.iter().any(|chosen| division::length(groups(*batch), *chosen).is_some());
	let smaller = batch.and_then(|batch| (1..batch).rev().find(works)).map(|batch| format!("`batch: {batch}`"));
	let fewer = division::fewer(&file.verify, groups(batch.unwrap_or(1)));
	let next: Vec<String> = smaller.into_iter().chain(fewer).collect();
	let next = if next.is_empty() { format!("use more {what}") } else { format!("use {}", next.join(", or ")) };
	Err(file.flaw(file.spots.train, problem, &next).into())
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

/// Steps of a segment; reading the file has divided them.
pub(super) fn segment_steps(file: &JobFile, train: &TrainTerms) -> Result<u32, DraftError> {
	let length = division::length(train.steps, (file.verify.milestones, file.verify.segments));
	length.and_then(|length| u32::try_from(length).ok()).ok_or_else(|| {
		let problem = format!("{} steps cannot be divided into {}", train.steps, division::wanted(&file.verify));
		file.flaw(file.spots.train, problem, "use other steps, or other `milestones` or `segments`").into()
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
