//! Existing models as programs: safetensors, Hugging Face directories, tokenizers, ONNX.
//!
//! A model that somebody trained elsewhere becomes a [`Program`](assay_program::Program): its weights are tensors that
//! the program names by root, its layers ordinary ops that the referee knows. Running it is then as verifiable as any job.
//!
//! | From | By | To |
//! |---|---|---|
//! | a directory with `config.json` and safetensors files | [`ModelDirectory`], [`forward`] | a program of one step that computes the output |
//! | the same | [`generation`] | a program that continues prompts, and [`Replay`] to check it in a fraction of the time |
//! | the same | [`rows()`] | a program that turns texts into rows: embeddings, or logits of classes |
//! | the same | [`fine_tuning`] | a program that trains on from the weights |
//! | an ONNX file | [`Onnx`] | a program of one step that computes the outputs, or one that runs over many rows |
//! | a classifier that a job trained | [`ClassifierDirectory`], [`classify_rows`] | a program that runs over many rows |
//! | a safetensors file | [`Safetensors`], [`Checkpoint`] | tensors |
//! | tensors of a state | [`write_safetensors`] | a safetensors file |
//! | a state of a trained decoder | [`fine_tuned`], [`export_gpt2`], [`write_model`] | a directory as above |
//! | `tokenizer.json` | [`Tokenizer`] | token ids of texts, and texts of token ids |
//!
//! The families are GPT-2, Llama and BERT: see [`Family`]. Whatever has no exact equivalent is an [`ImportError`] that says
//! which file, which place in it, and what to do; nothing is skipped silently. Files are taken to come from strangers:
//! lengths are checked before anything is allocated, nothing in a file is executed, and no pickle is opened.
//!
//! # Tour
//!
//! The directory's configuration gives the family and sizes, the tokenizer ids, and [`forward`] the program:
//!
//! ```
//! use std::{ops::ControlFlow, sync::Arc};
//! use assay_engine::{Cpu, Engine, Path};
//! use assay_import::{forward, Forward, Inputs, ModelDirectory, Rows, OUTPUT};
//!
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/gpt2").as_ref();
//! let directory = ModelDirectory::open(path)?;
//! let tokenizer = directory.tokenizer()?.ok_or("no tokenizer.json")?;
//! let ids = tokenizer.window(&["the same program gives the same"], 6, 0)?.ids;
//!
//! let options = Forward { rows: Rows::Last, ..Forward::default() };
//! let model = forward(directory.family(), directory.checkpoint(), &Inputs::tokens(ids), &options)?;
//! let engine = Engine::new(model.program, model.data, Arc::new(Cpu::new(Path::Auto, 1)?))?;
//! let mut state = engine.initial_state();
//! engine.run(&mut state, 1, &mut |_| ControlFlow::Continue(()))?;
//! let logits = engine.state_tensor_named(&state, OUTPUT).ok_or("no output")?;
//! assert_eq!((logits.spec().rows, logits.spec().cols), (1, directory.family().vocabulary()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `cargo run -p assay-import --example inspect -- DIR` prints family, parameters and cost of a directory.
//!
//! # What the weights are in a program
//!
//! [`Weights::Frozen`] makes them data: fixed, named by root, not hashed again at every checkpoint. [`Weights::Trained`]
//! makes them parameters with [`Init::Given`](assay_program::Init::Given): the state begins with them and training
//! changes them. Either way who runs the program fetches each weight as a blob whose address is the root that the program
//! commits to.
//!
//! # Accuracy
//!
//! Weights keep their value: F16 and BF16 are widened exactly. The arithmetic is the numerics contract's, so the result is
//! the same on every machine, and differs from another framework's by rounding: on the fixtures by at most 4e-6 of outputs
//! of the order of one, as much as PyTorch's own binary32 differs from binary64.

mod classifier;
mod error;
mod hf;
mod json;
mod network;
mod onnx;
mod safetensors;

pub use crate::{
	classifier::{classify_rows, write_classifier, Classifier, ClassifierDirectory, ClassifierNetwork, RowBatches},
	error::{FieldProblem, ImportError, TensorProblem},
	hf::{byte_tokenizer, export_gpt2, write_model, Checkpoint, ModelDirectory, Tokenizer, Window},
	network::{
		claims, evaluate_fine_tuning, fine_tuned, fine_tuning, fine_tuning_evaluation, forward, generation,
		is_generation, rows, Batches, Bert, BertHead, Family, FineTuning, Forward, Generation, Gpt2, Inputs, Llama,
		LoraTerms, Nonlinearity, Pooling, Replay, Rope, Rows, Scaling, Walked, Weights, OUTPUT,
	},
	onnx::{export_onnx, Onnx, OnnxInput, OnnxPort},
	safetensors::{write_safetensors, write_whole, Dtype, Entry, Named, Safetensors},
};
