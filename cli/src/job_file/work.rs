//! What is to be computed, from the fields of each kind.

use super::{
	error::Flaw,
	fields::{at_least_one, counted, foreign, known, positive, share},
	raw, GptTerms, LoraTerms, MlpTerms, Spots, TableTerms, Task, TextTerms, Tokens, TrainTerms, Work,
};
use assay_import::Pooling;
use assay_models::{Activation, LabelColumn, Optimiser};
use assay_program::Lane;
use serde_saphyr::Spanned;

const ACTIVATIONS: [&str; 3] = ["relu", "tanh", "gelu"];
const OPTIMISERS: [&str; 2] = ["adamw", "sgd"];
const LANES: [&str; 2] = ["f32", "i8"];
const TASKS: [&str; 3] = ["generate", "embed", "classify"];
const POOLINGS: [&str; 3] = ["mean", "first", "last"];

type Read = Result<(Work, Spots), Flaw>;

pub(super) fn classifier(file: raw::Classifier) -> Read {
	let spots = Spots {
		model: file.model.layers.referenced.into(),
		data_file: file.data.file.referenced.into(),
		train: file.train.steps.referenced.into(),
		..Spots::default()
	};
	let (model, data) = (mlp(&file.model)?, table(&file.data)?);
	Ok((Work::Classifier { model, data, train: train(&file.train, 64)? }, spots))
}

pub(super) fn language(file: raw::Language) -> Read {
	let spots = Spots {
		model: file.model.r#type.referenced.into(),
		data_file: file.data.text.referenced.into(),
		train: file.train.steps.referenced.into(),
		..Spots::default()
	};
	let (model, text) = (gpt(&file.model)?, text(&file.data, Tokens::Bytes)?);
	Ok((Work::Language { model, text, train: train(&file.train, 8)? }, spots))
}

pub(super) fn fine_tune(file: raw::FineTune) -> Read {
	let spots = Spots {
		model: file.model.directory.referenced.into(),
		data_file: file.data.text.referenced.into(),
		train: file.train.steps.referenced.into(),
		..Spots::default()
	};
	let lora = file.model.lora.as_ref().map(lora).transpose()?;
	let context = file.model.context.as_ref().map(|context| at_least_one(context, "`context`")).transpose()?;
	let work = Work::FineTune {
		directory: file.model.directory.value.into(),
		lora,
		context,
		text: text(&file.data, Tokens::Model)?,
		train: train(&file.train, 8)?,
	};
	Ok((work, spots))
}

pub(super) fn infer(file: raw::Infer) -> Read {
	let spots = Spots {
		model: file.model.directory.referenced.into(),
		data_file: file.data.lines.referenced.into(),
		train: file.infer.task.referenced.into(),
		..Spots::default()
	};
	let work = Work::Infer {
		directory: file.model.directory.value.clone().into(),
		lines: file.data.lines.value.clone().into(),
		task: task(&file.infer)?,
		batch: bounded_batch(file.infer.batch.as_ref(), 4)?,
	};
	Ok((work, spots))
}

/// At most 2^20, as programs.
fn bounded_batch(at: Option<&Spanned<u32>>, default: u32) -> Result<u32, Flaw> {
	match at {
		Some(at) if at.value > 1 << 20 => Err(Flaw::new(
			at.referenced,
			format!("`batch` {} is more than {}", at.value, 1 << 20),
			"use a smaller batch",
		)),
		at => counted(at, "batch", default),
	}
}

fn gpt(model: &raw::Gpt) -> Result<GptTerms, Flaw> {
	let terms = GptTerms {
		layers: counted(model.layers.as_ref(), "layers", 2)?,
		heads: counted(model.heads.as_ref(), "heads", 4)?,
		width: counted(model.width.as_ref(), "width", 64)?,
		context: counted(model.context.as_ref(), "context", 64)?,
		dropout: share(model.dropout.as_ref(), "dropout", 0.0)?,
	};
	let sizes = [
		("layers", terms.layers, 4_096, &model.layers),
		("heads", terms.heads, 4_096, &model.heads),
		("width", terms.width, 32_768, &model.width),
		("context", terms.context, 65_536, &model.context),
	];
	for (name, value, most, at) in sizes {
		if let Some(at) = at.as_ref().filter(|_| value > most) {
			return Err(Flaw::new(
				at.referenced,
				format!("`{name}` {value} is more than {most}"),
				"use a smaller model",
			));
		}
	}
	if !terms.width.is_multiple_of(terms.heads) {
		let at = model.heads.as_ref().or(model.width.as_ref()).map_or(model.r#type.referenced, |at| at.referenced);
		let problem = format!("`width` {} cannot be divided by {} heads", terms.width, terms.heads);
		return Err(Flaw::new(at, problem, "use a width that is a multiple of the heads"));
	}
	Ok(terms)
}

fn lora(lora: &raw::Lora) -> Result<LoraTerms, Flaw> {
	let rank = counted(lora.rank.as_ref(), "rank", 8)?;
	Ok(LoraTerms { rank, alpha: positive(lora.alpha.as_ref(), "alpha", 2.0 * rank as f32)? })
}

fn text(data: &raw::Text, default: Tokens) -> Result<TextTerms, Flaw> {
	let tokens = match (&data.tokenizer, default) {
		(None, default) => default,
		(Some(at), Tokens::Model) => {
			return Err(Flaw::new(at.referenced, "a model brings its own tokenizer", "remove `tokenizer`"));
		}
		(Some(word), _) if word.value == "bytes" => Tokens::Bytes,
		(Some(file), _) => Tokens::File(file.value.clone().into()),
	};
	let hold_out_every = data.held_out.as_ref().map_or(Ok(10), hold_out_every)?;
	Ok(TextTerms { file: data.text.value.clone().into(), tokens, hold_out_every })
}

fn task(task: &raw::Task) -> Result<Task, Flaw> {
	let only = |at: Option<serde_saphyr::Location>, field: &str, of: &str| match at {
		Some(at) => {
			Err(Flaw::new(at, format!("`{field}` belongs to task {of}"), format!("remove it or use task: {of}")))
		}
		None => Ok(()),
	};
	let name = known(&task.task, "task", &TASKS)?;
	if name != "generate" {
		only(task.tokens.as_ref().map(|at| at.referenced), "tokens", "generate")?;
		only(task.temperature.as_ref().map(|at| at.referenced), "temperature", "generate")?;
		only(task.seed.as_ref().map(|at| at.referenced), "seed", "generate")?;
	}
	if name != "embed" {
		only(task.pooling.as_ref().map(|at| at.referenced), "pooling", "embed")?;
	}
	Ok(match name {
		"embed" => {
			Task::Rows(match task.pooling.as_ref().map(|word| known(word, "pooling", &POOLINGS)).transpose()? {
				Some("first") => Pooling::First,
				Some("last") => Pooling::Last,
				_ => Pooling::Mean,
			})
		}
		"classify" => Task::Rows(Pooling::Classes),
		_ => Task::Generate {
			tokens: counted(task.tokens.as_ref(), "tokens", 32)?,
			temperature: match &task.temperature {
				Some(at) if !(at.value.is_finite() && at.value >= 0.0) => {
					let problem = format!("`temperature` {} is not a number from 0", at.value);
					return Err(Flaw::new(at.referenced, problem, "use 0 for the likeliest token, or for example 0.8"));
				}
				at => at.as_ref().map_or(0.0, |at| at.value),
			},
			seed: task.seed.as_ref().map_or(0, |seed| seed.value),
		},
	})
}

fn mlp(model: &raw::Mlp) -> Result<MlpTerms, Flaw> {
	if model.layers.value.len() < 2 {
		return Err(Flaw::new(
			model.layers.referenced,
			"`layers` needs the number of features and the number of classes",
			"write for example [64, 128, 10]: 64 features, one hidden layer of 128, 10 classes",
		));
	}
	for width in &model.layers.value {
		at_least_one(width, "a layer's width")?;
	}
	let activation = match &model.activation {
		None => "relu",
		Some(word) => known(word, "activation", &ACTIVATIONS)?,
	};
	let activation = match activation {
		"tanh" => Activation::Tanh,
		"gelu" => Activation::Gelu,
		_ => Activation::Relu,
	};
	Ok(MlpTerms { layers: model.layers.value.iter().map(|width| width.value).collect(), activation })
}

fn table(data: &raw::Table) -> Result<TableTerms, Flaw> {
	let label = match data.label.as_ref().map(|label| label.value.as_str()) {
		None | Some("last") => LabelColumn::Last,
		Some(text) => text.parse().map_or_else(|_| LabelColumn::Named(text.into()), LabelColumn::Index),
	};
	let scale = data.scale.as_ref().map_or(1.0, |scale| scale.value);
	if let Some(at) = data.scale.as_ref().filter(|_| !(scale.is_finite() && scale != 0.0)) {
		return Err(Flaw::new(
			at.referenced,
			format!("scale {scale} is not a finite number other than 0"),
			"use for example 0.0625",
		));
	}
	let hold_out_every = data.held_out.as_ref().map_or(Ok(5), hold_out_every)?;
	Ok(TableTerms { file: data.file.value.clone().into(), label, scale, hold_out_every })
}

/// One row in so many, from the share of rows.
fn hold_out_every(share: &Spanned<f64>) -> Result<u32, Flaw> {
	let value = share.value;
	let every = (1.0 / value).round();
	if !(value > 0.0 && value <= 0.5) || every > 1e6 {
		let next = "use a share above 0 and up to 0.5, such as 0.2";
		return Err(Flaw::new(share.referenced, format!("`held_out` {value} is not a usable share of rows"), next));
	}
	if (every * value - 1.0).abs() > 0.02 {
		let (less, more) = (1.0 / (1.0 / value).ceil(), 1.0 / (1.0 / value).floor().max(2.0));
		return Err(Flaw::new(
			share.referenced,
			format!("every n-th row is held out, and {value} is not 1/n"),
			format!("use {less:.3} or {more:.3}"),
		));
	}
	Ok(every as u32)
}

fn train(train: &raw::Train, batch: u32) -> Result<TrainTerms, Flaw> {
	let optimiser = match &train.optimiser {
		None => "adamw",
		Some(word) => known(word, "optimiser", &OPTIMISERS)?,
	};
	let rate = positive(train.rate.as_ref(), "rate", if optimiser == "sgd" { 0.1 } else { 0.002 })?;
	let optimiser = match (optimiser, &train.momentum, &train.weight_decay) {
		("sgd", _, Some(at)) => return Err(foreign(at, "weight_decay", "adamw")),
		("sgd", momentum, None) => Optimiser::Sgd { rate, momentum: share(momentum.as_ref(), "momentum", 0.9)? },
		(_, Some(at), _) => return Err(foreign(at, "momentum", "sgd")),
		(_, None, decay) => match Optimiser::adamw(rate) {
			Optimiser::AdamW { rate, beta1, beta2, epsilon, weight_decay } => {
				let weight_decay = share(decay.as_ref(), "weight_decay", weight_decay)?;
				Optimiser::AdamW { rate, beta1, beta2, epsilon, weight_decay }
			}
			other => other,
		},
	};
	if train.steps.value == 0 {
		return Err(Flaw::new(train.steps.referenced, "`steps` is 0", "use at least one step per segment"));
	}
	Ok(TrainTerms {
		optimiser,
		batch: bounded_batch(train.batch.as_ref(), batch)?,
		steps: train.steps.value,
		seed: train.seed.as_ref().map_or(0, |seed| seed.value),
		lane: match train.lane.as_ref().map(|word| known(word, "lane", &LANES)).transpose()? {
			Some("i8") => Lane::I8,
			_ => Lane::F32,
		},
	})
}
