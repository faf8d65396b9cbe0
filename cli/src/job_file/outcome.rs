//! What is done with a job's result.

use super::text::Coder;
use assay_engine::{Cpu, Engine, State, Tensor};
use assay_import::{
	byte_tokenizer, evaluate_fine_tuning, export_gpt2, fine_tuned, write_model, FineTuning, Generation, ModelDirectory,
	OUTPUT,
};
use assay_models::{evaluate, evaluate_transformer, MlpConfig, Split, TransformerConfig};
use serde_json::{json, Value};
use std::{path::Path, sync::Arc};

/// What is done with a job's result, and what was kept to judge it by.
#[derive(Clone, Debug)]
pub enum Outcome {
	/// A classifier is evaluated on rows that were kept.
	Classifier {
		/// The network.
		config: MlpConfig,
		/// The rows.
		held_out: Split,
	},
	/// A language model is evaluated on sequences that were kept.
	Language {
		/// The network.
		config: TransformerConfig,
		/// The sequences.
		held_out: Tensor,
		/// Its tokens.
		coder: Coder,
	},
	/// So is a decoder that was trained on.
	FineTune {
		/// The decoder before.
		model: Arc<ModelDirectory>,
		/// How it was trained.
		config: FineTuning,
		/// The sequences.
		held_out: Tensor,
	},
	/// Something was made of each text.
	Texts(Texts),
}

/// Texts and what was made of them.
#[derive(Clone, Debug)]
pub struct Texts {
	/// The texts.
	pub texts: Vec<String>,
	/// Their tokens.
	pub tokens: Vec<Vec<u32>>,
	/// What was made.
	pub made: Generated,
}

/// What was made of texts.
#[derive(Clone, Debug)]
pub enum Generated {
	/// Their continuations.
	Text {
		/// How.
		config: Generation,
		/// From tokens to text.
		coder: Coder,
	},
	/// A row of numbers each.
	Rows,
	/// The logits of classes each.
	Classes,
}

/// How well a result does on what was kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluated {
	/// Share of rows classified right; none for language models.
	pub accuracy: Option<f32>,
	/// Mean cross entropy, nats: per row, or per token.
	pub loss: f32,
	/// Rows or sequences that were kept.
	pub held_out: u32,
}

impl Outcome {
	/// Rows or sequences that were kept.
	pub fn held_out(&self) -> u32 {
		match self {
			Self::Classifier { held_out, .. } => held_out.x.spec().rows,
			Self::Language { held_out, .. } | Self::FineTune { held_out, .. } => held_out.spec().rows,
			Self::Texts(_) => 0,
		}
	}

	pub(super) fn evaluate(&self, engine: &Engine, state: &State, cpu: Arc<Cpu>) -> Result<Option<Evaluated>, String> {
		let rows = self.held_out();
		let language = |loss| Some(Evaluated { accuracy: None, loss, held_out: rows });
		match self {
			Self::Classifier { config, held_out } => {
				let found = evaluate(config, engine, state, held_out, cpu).map_err(|error| error.to_string())?;
				Ok(Some(Evaluated { accuracy: Some(found.accuracy), loss: found.loss, held_out: rows }))
			}
			Self::Language { config, held_out, .. } => evaluate_transformer(config, engine, state, held_out, cpu)
				.map(|found| language(found.loss))
				.map_err(|error| error.to_string()),
			Self::FineTune { model, config, held_out } => {
				evaluate_fine_tuning(model.family(), model.checkpoint(), config, engine, state, held_out, cpu)
					.map(|found| language(found.loss))
					.map_err(|error| error.to_string())
			}
			Self::Texts(_) => Ok(None),
		}
	}

	/// Writes the result in the form that other programs read, beside the tensors of the state: a language model as a
	/// Hugging Face directory `model`, what was made of texts as `outputs.jsonl`. Returns the path of what it wrote.
	///
	/// # Errors
	/// What went wrong, in words.
	pub fn write(&self, engine: &Engine, state: &State, folder: &Path) -> Result<Option<std::path::PathBuf>, String> {
		let words = |error: assay_import::ImportError| error.to_string();
		let io = |error: std::io::Error| format!("cannot write into {}: {error}", folder.display());
		let directory = folder.join("model");
		match self {
			Self::Classifier { .. } => Ok(None),
			Self::Language { config, coder, .. } => {
				let (description, tensors) =
					export_gpt2(config, |name| engine.state_tensor_named(state, name)).map_err(words)?;
				let tokenizer = match coder {
					Coder::Bytes => Some(byte_tokenizer()),
					Coder::Tokenizer(_) => None,
				};
				std::fs::create_dir_all(&directory).map_err(io)?;
				write_model(&directory, &description, &tensors, tokenizer.as_ref()).map_err(words)?;
				if let Coder::Tokenizer(tokenizer) = coder {
					std::fs::copy(tokenizer.path(), directory.join("tokenizer.json")).map_err(io)?;
				}
				Ok(Some(directory))
			}
			Self::FineTune { model, config, .. } => {
				let tensors = fine_tuned(model.family(), model.checkpoint(), config, engine, state).map_err(words)?;
				std::fs::create_dir_all(&directory).map_err(io)?;
				let description = std::fs::read_to_string(model.path().join("config.json")).map_err(io)?;
				let description: Value = serde_json::from_str(&description).map_err(|error| error.to_string())?;
				write_model(&directory, &description, &tensors, None).map_err(words)?;
				std::fs::copy(model.path().join("tokenizer.json"), directory.join("tokenizer.json")).map_err(io)?;
				Ok(Some(directory))
			}
			Self::Texts(texts) => {
				let output = engine.state_tensor_named(state, OUTPUT).ok_or("the state has no output")?;
				let lines: String = texts.lines(&output).map(|line| format!("{line}\n")).collect();
				let path = folder.join("outputs.jsonl");
				std::fs::write(&path, lines).map_err(io)?;
				Ok(Some(path))
			}
		}
	}
}

impl Texts {
	/// A JSON object for each text, in their order.
	pub fn lines<'a>(&'a self, output: &'a Tensor) -> impl Iterator<Item = Value> + 'a {
		let cols = output.spec().cols.max(1) as usize;
		let continued = match &self.made {
			Generated::Text { config, .. } => config.continuations(&self.tokens, output),
			_ => Vec::new(),
		};
		let mut continued = continued.into_iter();
		let rows = output.bits().chunks(cols);
		self.texts.iter().zip(rows).enumerate().map(move |(item, (text, row))| {
			let numbers = || row.iter().map(|bits| f32::from_bits(*bits)).collect::<Vec<f32>>();
			match &self.made {
				Generated::Text { coder, .. } => {
					let tokens = continued.next().unwrap_or_default();
					json!({"item": item, "prompt": text, "text": coder.decode(&tokens), "tokens": tokens})
				}
				Generated::Rows => json!({"item": item, "input": text, "embedding": numbers()}),
				Generated::Classes => {
					let logits = numbers();
					let best = logits.iter().enumerate().fold((0, f32::NEG_INFINITY), |best, (class, logit)| {
						if *logit > best.1 {
							(class, *logit)
						} else {
							best
						}
					});
					json!({"item": item, "input": text, "class": best.0, "logits": logits})
				}
			}
		})
	}
}
