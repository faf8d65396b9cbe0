//! What is to be computed, from the fields of each kind.

use super::{
	error::Flaw,
	fields::{at_most, counted, foreign, known, positive, share},
	raw, CnnTerms, GptTerms, LoraTerms, MlpTerms, Spots, TableTerms, TextTerms, Tokens, TrainTerms, Work,
};
use assay_models::{Activation, LabelColumn, Optimiser};
use assay_program::Lane;
use serde_saphyr::Spanned;

const ACTIVATIONS: [&str; 3] = ["relu", "tanh", "gelu"];
const OPTIMISERS: [&str; 2] = ["adamw", "sgd"];
const LANES: [&str; 2] = ["f32", "i8"];

/// Widest layer, and most channels.
const MAX_WIDTH: u32 = 65_536;
/// Most layers of a perceptron.
const MAX_LAYERS: usize = 256;
/// Most convolutions: each halves the image.
const MAX_CONVOLUTIONS: usize = 16;
/// Most rows or columns of pixels.
const MAX_SIDE: u32 = 4_096;

pub(super) type Read = Result<(Work, Spots), Flaw>;

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

pub(super) fn images(file: raw::Images) -> Read {
	let spots = Spots {
		model: file.model.image.referenced.into(),
		data_file: file.data.file.referenced.into(),
		train: file.train.steps.referenced.into(),
		..Spots::default()
	};
	let (model, data) = (cnn(&file.model)?, table(&file.data)?);
	Ok((Work::Images { model, data, train: train(&file.train, 64)? }, spots))
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
	let context = file.model.context.as_ref().map(|context| at_most(context, "`context`", MAX_WIDTH)).transpose()?;
	let work = Work::FineTune {
		directory: file.model.directory.value.into(),
		lora,
		context,
		text: text(&file.data, Tokens::Model)?,
		train: train(&file.train, 8)?,
	};
	Ok((work, spots))
}

/// At most 2^20, as programs.
pub(super) fn bounded_batch(at: Option<&Spanned<u32>>, default: u32) -> Result<u32, Flaw> {
	match at {
		Some(at) => at_most(at, "`batch`", 1 << 20),
		None => Ok(default),
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
		("`layers`", 4_096, &model.layers),
		("`heads`", 4_096, &model.heads),
		("`width`", 32_768, &model.width),
		("`context`", 65_536, &model.context),
	];
	for (name, most, at) in sizes {
		if let Some(at) = at {
			at_most(at, name, most)?;
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
	let rank = lora.rank.as_ref().map_or(Ok(8), |rank| at_most(rank, "`rank`", MAX_WIDTH))?;
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

fn mlp(model: &raw::Mlp) -> Result<MlpTerms, Flaw> {
	if model.layers.value.len() < 2 {
		return Err(Flaw::new(
			model.layers.referenced,
			"`layers` needs the number of features and the number of classes",
			"write for example [64, 128, 10]: 64 features, one hidden layer of 128, 10 classes",
		));
	}
	if model.layers.value.len() > MAX_LAYERS {
		let problem = format!("`layers` has {} numbers, at most {MAX_LAYERS}", model.layers.value.len());
		return Err(Flaw::new(model.layers.referenced, problem, "use fewer hidden layers"));
	}
	for width in &model.layers.value {
		at_most(width, "a layer's width", MAX_WIDTH)?;
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

fn cnn(model: &raw::Cnn) -> Result<CnnTerms, Flaw> {
	let sides = &model.image.value;
	let image = match sides.as_slice() {
		[height, width] => {
			[at_most(height, "the image's height", MAX_SIDE)?, at_most(width, "the image's width", MAX_SIDE)?, 1]
		}
		[height, width, channels] => [
			at_most(height, "the image's height", MAX_SIDE)?,
			at_most(width, "the image's width", MAX_SIDE)?,
			at_most(channels, "channels of a pixel", MAX_SIDE)?,
		],
		_ => {
			let next = "write [height, width], or [height, width, channels], for example [8, 8]";
			return Err(Flaw::new(model.image.referenced, format!("`image` has {} numbers", sides.len()), next));
		}
	};
	let convolutions = match &model.convolutions {
		None => vec![16, 32],
		Some(list) => {
			let widths = list.value.iter().map(|width| at_most(width, "a convolution's channels", MAX_WIDTH));
			widths.collect::<Result<Vec<_>, _>>()?
		}
	};
	let at = model.convolutions.as_ref().map_or(model.image.referenced, |list| list.referenced);
	if convolutions.len() > MAX_CONVOLUTIONS {
		let problem = format!("{} convolutions, at most {MAX_CONVOLUTIONS}", convolutions.len());
		return Err(Flaw::new(at, problem, "use fewer"));
	}
	let halvings = convolutions.len() as u32;
	if image.iter().take(2).any(|side| side.checked_shr(halvings).unwrap_or(0) == 0) {
		let problem =
			format!("each of {halvings} convolutions halves an image of {} x {}: nothing is left", image[0], image[1]);
		return Err(Flaw::new(at, problem, "use fewer convolutions or larger images"));
	}
	let classes = model.classes.as_ref().map(|classes| at_most(classes, "`classes`", MAX_WIDTH)).transpose()?;
	Ok(CnnTerms { image, convolutions, classes })
}

fn table(data: &raw::Table) -> Result<TableTerms, Flaw> {
	let label = data.label.as_ref().map_or(LabelColumn::Last, |label| column(&label.value));
	let scale = data.scale.as_ref().map_or(Ok(1.0), factor)?;
	let hold_out_every = data.held_out.as_ref().map_or(Ok(5), hold_out_every)?;
	Ok(TableTerms { file: data.file.value.clone().into(), label, scale, hold_out_every })
}

/// A column by its name, by its position, or the last.
pub(super) fn column(text: &str) -> LabelColumn {
	match text {
		"last" => LabelColumn::Last,
		text => text.parse().map_or_else(|_| LabelColumn::Named(text.into()), LabelColumn::Index),
	}
}

pub(super) fn factor(scale: &Spanned<f32>) -> Result<f32, Flaw> {
	match scale.value {
		value if value.is_finite() && value != 0.0 => Ok(value),
		value => Err(Flaw::new(
			scale.referenced,
			format!("scale {value} is not a finite number other than 0"),
			"use for example 0.0625",
		)),
	}
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
		lane: lane(train.lane.as_ref())?,
	})
}

pub(super) fn lane(lane: Option<&Spanned<String>>) -> Result<Lane, Flaw> {
	Ok(match lane.map(|word| known(word, "lane", &LANES)).transpose()? {
		Some("i8") => Lane::I8,
		_ => Lane::F32,
	})
}
