//! Builds programs: graphs with gradients, layers, optimisers, models; loads data.
//!
//! A [`Graph`] collects ordinary ops; [`Graph::gradients`] and the [`Optimiser`]s append more of them, so a training
//! program holds nothing that the referee does not know. [`mlp`] puts a classifier together, [`transformer`] a language model; [`Classification`] reads
//! its data from a CSV file.
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

mod csv;
mod data;
mod error;
mod gradient;
mod graph;
mod layer;
mod mlp;
mod optimiser;
mod sequence;
mod transformer;

pub use csv::{CsvOptions, DataError, LabelColumn};
pub use data::{Classification, Split};
pub use error::BuildError;
pub use graph::{Graph, Value};
pub use layer::{gelu, linear, softmax_cross_entropy, Activation};
pub use mlp::{evaluate, mlp, mlp_evaluation, EvaluateError, Evaluation, MlpConfig, Model};
pub use optimiser::Optimiser;
pub use transformer::{transformer, TransformerConfig};
