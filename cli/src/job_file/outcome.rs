//! What is done with a job's result.

use super::text::Coder;
use assay_engine::{Cpu, Engine, State, Tensor};
use assay_import::{
	byte_tokenizer, evaluate_fine_tuning, export_gpt2, export_onnx, fine_tuned, write_classifier, write_model,
	write_whole, Classifier, ClassifierNetwork, FineTuning, ModelDirectory, OUTPUT,
};
use assay_models::{evaluate, evaluate_cnn, evaluate_transformer, CnnConfig, MlpConfig, Split, TransformerConfig};
use serde_json::Value;
use std::{
	path::{Path, PathBuf},
	sync::Arc,
};

mod made;

pub use made::{Generated, Rows, Texts};

/// What is done with a job's result, and what was kept to judge it by.
#[derive(Clone, Debug)]
pub enum Outcome {
	/// A classifier is evaluated on rows that were kept.
	Classifier {
		/// The network.
		network: Trained,
		/// Factor for every feature.
		scale: f32,
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
	/// Each row got its scores.
	Rows(Rows),
}

/// The network of a classifier, and how it was trained.
#[derive(Clone, Debug)]
pub enum Trained {
	/// A multi-layer perceptron.
	Perceptron(MlpConfig),
	/// A convolutional network.
	Convolutional(CnnConfig),
}

/// How well a result does on what was kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluated {
	/// Share of rows classified right; none for language models.
	pub accuracy: Option<f32>,
	/// Mean cross entropy, nats: per row, or per token. None where scores are perhaps no logits.
	pub loss: Option<f32>,
	/// Rows or sequences that were kept, or rows whose class is known.
	pub held_out: u32,
}

impl Outcome {
	/// Rows or sequences that were kept.
	pub fn held_out(&self) -> u32 {
		match self {
			Self::Classifier { held_out, .. } => held_out.x.spec().rows,
			Self::Language { held_out, .. } | Self::FineTune { held_out, .. } => held_out.spec().rows,
			Self::Texts(_) | Self::Rows(_) => 0,
		}
	}

	/// What the items of the job are called.
	pub fn unit(&self) -> &'static str {
		match self {
			Self::Classifier { .. } | Self::Rows(_) => "rows",
			Self::Language { .. } | Self::FineTune { .. } => "sequences",
			Self::Texts(_) => "texts",
		}
	}

	pub(super) fn evaluate(&self, engine: &Engine, state: &State, cpu: Arc<Cpu>) -> Result<Option<Evaluated>, String> {
		let rows = self.held_out();
		let language = |loss| Some(Evaluated { accuracy: None, loss: Some(loss), held_out: rows });
		match self {
			Self::Classifier { network, held_out, .. } => {
				let found = match network {
					Trained::Perceptron(config) => evaluate(config, engine, state, held_out, cpu),
					Trained::Convolutional(config) => evaluate_cnn(config, engine, state, held_out, cpu),
				};
				let found = found.map_err(|error| error.to_string())?;
				Ok(Some(Evaluated { accuracy: Some(found.accuracy), loss: Some(found.loss), held_out: rows }))
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
			Self::Rows(made) => Ok(made.evaluated(&output(engine, state)?, state.step())),
		}
	}

	/// Writes the result in the form that other programs read, beside the tensors of the state: a language model as a
	/// Hugging Face directory `model`, a classifier as a directory `model` too, what was made of texts or rows as
	/// `outputs.jsonl`. Returns the path of what it wrote.
	///
	/// # Errors
	/// What went wrong, in words.
	pub fn write(&self, engine: &Engine, state: &State, folder: &Path) -> Result<Option<PathBuf>, String> {
		let words = |error: assay_import::ImportError| error.to_string();
		let io = |error: std::io::Error| format!("cannot write into {}: {error}", folder.display());
		let directory = folder.join("model");
		match self {
			Self::Classifier { network, scale, .. } => {
				let network = match network {
					Trained::Perceptron(config) => ClassifierNetwork::from(config),
					Trained::Convolutional(config) => ClassifierNetwork::from(config),
				};
				let classifier = Classifier { network, scale: *scale };
				let param = |name: &str| engine.state_tensor_named(state, name);
				std::fs::create_dir_all(&directory).map_err(io)?;
				write_classifier(&directory, &classifier, param).map_err(words)?;
				let bytes = export_onnx(&classifier, param).map_err(words)?;
				write_whole(&directory.join("model.onnx"), &bytes).map_err(io)?;
				Ok(Some(directory))
			}
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
					copy(tokenizer.path(), &directory.join("tokenizer.json")).map_err(io)?;
				}
				Ok(Some(directory))
			}
			Self::FineTune { model, config, .. } => {
				let tensors = fine_tuned(model.family(), model.checkpoint(), config, engine, state).map_err(words)?;
				std::fs::create_dir_all(&directory).map_err(io)?;
				let description = std::fs::read_to_string(model.path().join("config.json")).map_err(io)?;
				let description: Value = serde_json::from_str(&description).map_err(|error| error.to_string())?;
				write_model(&directory, &description, &tensors, None).map_err(words)?;
				copy(&model.path().join("tokenizer.json"), &directory.join("tokenizer.json")).map_err(io)?;
				// Which tokens end a text, if the model says so there.
				let settings = model.path().join("generation_config.json");
				if settings.exists() {
					copy(&settings, &directory.join("generation_config.json")).map_err(io)?;
				}
				Ok(Some(directory))
			}
			Self::Texts(texts) => {
				let lines: String =
					texts.lines(&output(engine, state)?, state.step()).map(|line| format!("{line}\n")).collect();
				let path = folder.join("outputs.jsonl");
				write_whole(&path, lines.as_bytes()).map_err(io)?;
				Ok(Some(path))
			}
			Self::Rows(rows) => {
				let output = output(engine, state)?;
				let lines: String = rows.lines(&output, state.step()).map(|line| format!("{line}\n")).collect();
				let path = folder.join("outputs.jsonl");
				write_whole(&path, lines.as_bytes()).map_err(io)?;
				write_whole(&folder.join("outputs.csv"), rows.table(&output, state.step()).as_bytes()).map_err(io)?;
				Ok(Some(path))
			}
		}
	}
}

/// Copies a file, also onto itself.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
	write_whole(to, &std::fs::read(from)?)
}

/// What the job made of its items.
fn output(engine: &Engine, state: &State) -> Result<Tensor, String> {
	engine.state_tensor_named(state, OUTPUT).ok_or_else(|| "the state has no output".into())
}
