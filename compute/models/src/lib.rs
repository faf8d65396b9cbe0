//! Builds programs: graphs with gradients, layers, optimisers, models; loads data.
//!
//! A [`Graph`] collects ordinary ops; [`Graph::gradients`] and the [`Optimiser`]s append more of them, so a training
//! program holds nothing that the referee does not know. [`mlp`] puts a classifier together, [`transformer`] a language model; [`Classification`] reads
//! its data from a CSV file, [`Sequences`] cuts a text.
//!
//! ```
//! use std::{ops::ControlFlow, sync::Arc};
//! use assay_engine::{Cpu, Engine, Path};
//! use assay_models::{mlp, Classification, CsvOptions, MlpConfig};
//!
//! let csv = "a,b,kind\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n0,0,0\n";
//! let data = Classification::from_csv(csv.as_bytes(), &CsvOptions { scale: 1.0, ..CsvOptions::default() })?;
//! let config = MlpConfig { hidden: vec![8], batch: 4, steps: 20, ..MlpConfig::new(2, data.classes) };
//!
//! let program = mlp(&config, &data.train)?;
//! let engine = Engine::new(program.program, program.data, Arc::new(Cpu::new(Path::Auto, 1)?))?;
//! let mut state = engine.initial_state();
//! engine.run(&mut state, 20, &mut |_| ControlFlow::Continue(()))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod classifier;
mod cnn;
mod conformance;
mod csv;
mod data;
mod error;
mod functions;
mod gradient;
mod graph;
mod image;
mod int8;
mod language;
mod layer;
mod lora;
mod mlp;
mod optimiser;
mod sampling;
mod sequence;
mod text;
mod transformer;

pub use classifier::{EvaluateError, Evaluation, Model};
pub use cnn::{cnn, cnn_evaluation, evaluate_cnn, CnnConfig};
pub use conformance::{conformance, conformance_on, Conformance};
pub use csv::{CsvOptions, DataError, LabelColumn};
pub use data::{Classification, Split, Table};
pub use error::BuildError;
pub use graph::{Graph, Value};
pub use image::{avg_pool, conv2d, conv2d_i8, max_pool, Pixels};
pub use int8::quantised;
pub use language::{evaluate_language, HeldOut, LanguageEvaluation, HELD_OUT_LOSS};
pub use layer::{gelu, gelu_erf, linear, linear_i8, silu, softmax_cross_entropy, Activation};
pub use lora::{lora, Lora};
pub use mlp::{evaluate, mlp, mlp_evaluation, MlpConfig};
pub use optimiser::{clip_by_global_norm, Optimiser};
pub use sampling::sample;
pub use text::{Sequences, TextError};
pub use transformer::{evaluate_transformer, transformer, transformer_evaluation, TransformerConfig};
