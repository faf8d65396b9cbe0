//! Programs of every kind of job.

use super::{
	draft::DraftError,
	outcome::{Generated, Outcome, Texts},
	text::{self, Coder},
	GptTerms, JobFile, LoraTerms, MlpTerms, TableTerms, Task, TextTerms, TrainTerms, Work,
};
use assay_import::{fine_tuning, generation, rows, Batches, FineTuning, Generation, ImportError, ModelDirectory};
use assay_models::{
	mlp, transformer, BuildError, Classification, CsvOptions, DataError, MlpConfig, Model, Sequences, TransformerConfig,
};
use std::{fs::File, io::BufReader, path::Path, sync::Arc};

/// Most positions of a sequence that a model is trained on if nothing is said.
const CONTEXT: u32 = 128;

/// A program, its data, and what to do with the result.
pub(super) struct Built {
	pub(super) model: Model,
	pub(super) outcome: Outcome,
	pub(super) items: u32,
}

/// Builds what `file` describes; its paths are relative to `folder`.
pub(super) fn build(file: &JobFile, folder: &Path) -> Result<Built, DraftError> {
	match &file.work {
		Work::Classifier { model, data, train } => classifier(file, folder, model, data, train),
		Work::Language { model, text, train } => language(file, folder, model, text, train),
		Work::FineTune { directory, lora, context, text, train } => {
			fine_tune(file, folder, &folder.join(directory), (*lora, *context), text, train)
		}
		Work::Infer { directory, lines, task, batch } => {
			infer(file, &folder.join(directory), &folder.join(lines), *task, *batch)
		}
	}
}

fn classifier(
	file: &JobFile,
	folder: &Path,
	model: &MlpTerms,
	data: &TableTerms,
	train: &TrainTerms,
) -> Result<Built, DraftError> {
	let data = read_table(file, data, folder)?;
	let (first, last) = (model.layers.first().copied().unwrap_or(0), model.layers.last().copied().unwrap_or(0));
	let wrong = |what, model, found| {
		let next = format!("write {found} there, or check `data.label`");
		let problem = format!("`layers` says {model} {what}, the data has {found}");
		DraftError::from(file.flaw(file.spots.model, problem, &next))
	};
	if first != data.features {
		return Err(wrong("features (its first number)", first, data.features));
	}
	if last < data.classes {
		return Err(wrong("classes (its last number)", last, data.classes));
	}
	let config = MlpConfig {
		hidden: model.layers.get(1..model.layers.len() - 1).unwrap_or_default().to_vec(),
		activation: model.activation,
		optimiser: train.optimiser,
		batch: train.batch,
		steps: train.steps,
		segment_steps: segment_steps(file, train)?,
		seed: seed(train.seed),
		lane: train.lane,
		..MlpConfig::new(first, last)
	};
	let model =
		mlp(&config, &data.train).map_err(|error| refused(file, error, "use smaller layers or a smaller batch"))?;
	let items = data.train.x.spec().rows;
	Ok(Built { model, items, outcome: Outcome::Classifier { config, held_out: data.held_out } })
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

fn infer(file: &JobFile, directory: &Path, lines: &Path, task: Task, batch: u32) -> Result<Built, DraftError> {
	let opened = open(file, directory)?;
	let coder = Coder::open(file, directory, &super::Tokens::Model, Some(directory))?;
	let texts = text::lines(file, lines)?;
	let tokens = texts
		.iter()
		.map(|text| coder.encode(text))
		.collect::<Result<Vec<_>, _>>()
		.map_err(|problem| file.flaw(file.spots.data_file, problem, "correct the texts or the tokenizer"))?;
	let items = u32::try_from(texts.len()).unwrap_or(u32::MAX);
	let groups = items.div_ceil(batch.max(1));
	let segments = file.verify.milestones.saturating_mul(file.verify.segments).max(1);
	if groups < segments {
		let (milestones, segments) = (file.verify.milestones, file.verify.segments);
		let problem = format!(
			"{items} texts in groups of {batch} are {groups} groups, fewer than {milestones} milestones x {segments} segments"
		);
		return Err(file
			.flaw(file.spots.train, problem, "use a smaller `batch`, or fewer milestones or segments")
			.into());
	}
	let segment_groups = divided(file, groups.into(), "groups")?;
	let (family, checkpoint) = (opened.family(), opened.checkpoint());
	let (built, generation) = match task {
		Task::Generate { tokens: new, temperature, seed: number } => {
			let config = Generation { batch, tokens: new, temperature, segment_groups, seed: seed(number) };
			(generation(family, checkpoint, &tokens, &config), Some(config))
		}
		Task::Rows(pooling) => {
			let config = Batches { batch, length: 0, pooling, segment_steps: segment_groups };
			(rows(family, checkpoint, &tokens, &config), None)
		}
	};
	let model = built.map_err(|error| of_model(file, &error))?;
	let made = match (generation, task) {
		(Some(config), _) => Generated::Text { config, coder },
		(None, Task::Rows(assay_import::Pooling::Classes)) => Generated::Classes,
		_ => Generated::Rows,
	};
	Ok(Built { model, items, outcome: Outcome::Texts(Texts { texts, tokens, made }) })
}

fn open(file: &JobFile, directory: &Path) -> Result<ModelDirectory, DraftError> {
	ModelDirectory::open(directory).map_err(|error| of_model(file, &error))
}

fn of_model(file: &JobFile, error: &ImportError) -> DraftError {
	match error {
		ImportError::Request(_) => {
			let at = if matches!(file.work, Work::Infer { .. }) { file.spots.train } else { file.spots.model };
			file.flaw(at, error.to_string(), "change what is asked of the model, or the texts").into()
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

fn segment_steps(file: &JobFile, train: &TrainTerms) -> Result<u32, DraftError> {
	divided(file, train.steps, "steps")
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

fn seed(number: u64) -> [u8; 32] {
	let mut seed = [0; 32];
	seed[..8].copy_from_slice(&number.to_le_bytes());
	seed
}

fn refused(file: &JobFile, error: BuildError, next: &str) -> DraftError {
	file.flaw(file.spots.model, format!("the model cannot be built: {error}"), next).into()
}

fn read_table(file: &JobFile, terms: &TableTerms, folder: &Path) -> Result<Classification, DraftError> {
	let path = folder.join(&terms.file);
	let at = file.spots.data_file;
	let shown = path.display();
	let source = File::open(&path).map_err(|error| {
		file.flaw(at, format!("cannot open {shown}: {error}"), "the path is relative to the job file; correct it")
	})?;
	let options = CsvOptions {
		label: terms.label.clone(),
		scale: terms.scale,
		hold_out_every: terms.hold_out_every,
		..CsvOptions::default()
	};
	Classification::from_csv(BufReader::new(source), &options).map_err(|error| {
		let next = match error {
			DataError::LabelColumn { .. } => "set `data.label` to a column's name, its position from 0, or last",
			DataError::TooFewRows { .. } => "use more rows or a smaller `data.held_out`",
			_ => "correct the data file",
		};
		file.flaw(at, format!("{shown}: {error}"), next).into()
	})
}
