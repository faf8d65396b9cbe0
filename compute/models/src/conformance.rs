//! Whether this machine computes the bits that every other machine computes.
//!
//! Training runs that use the kernels of the backend, with shapes that are no multiple of any vector or tile, end in known
//! state roots. A machine that ends elsewhere loses every dispute.

use std::{ops::ControlFlow, sync::Arc};

use assay_engine::{Accelerator, Cpu, Engine, Tensor};
use assay_program::{DType, Lane};

use crate::{mlp, transformer, Activation, BuildError, MlpConfig, Model, Optimiser, Split, TransformerConfig};

/// A run, and the state root in which it ends on every machine that conforms.
const RUNS: [(&str, Network, Lane, &str); 4] = [
	("mlp", Network::Mlp, Lane::F32, "4cb5287939fb42eebab10a303dc617599c16916108358a3c183984be04ee113f"),
	("mlp in int8", Network::Mlp, Lane::I8, "c88387edc83fb4f0bbe329445a9810524035487d891780d66c4aa7a3308bf48b"),
	(
		"transformer",
		Network::Transformer,
		Lane::F32,
		"5aa4360ac80ce8c08ec6d519d7130c1873de64fa89d88eb4044c4be6bec8177c",
	),
	(
		"transformer in int8",
		Network::Transformer,
		Lane::I8,
		"c315e19b8ac082f242015be53d75ee5e5b2781826dd63aa69a940791b866f412",
	),
];

#[derive(Clone, Copy)]
enum Network {
	Mlp,
	Transformer,
}

const ROWS: u32 = 67;
const FEATURES: u32 = 523;
const CLASSES: u32 = 7;
const STEPS: u64 = 6;

/// The outcome of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conformance {
	/// What was trained.
	pub run: &'static str,
	/// State root in which it ends on every machine that conforms, hexadecimal.
	pub expected: &'static str,
	/// The one in which it ended here, or why it failed.
	pub found: Result<String, String>,
}

impl Conformance {
	/// Whether the run ended where it must.
	pub fn conforms(&self) -> bool {
		self.found.as_deref() == Ok(self.expected)
	}
}

/// Runs all of them on `cpu`; takes a fraction of a second with vector instructions.
pub fn conformance(cpu: &Arc<Cpu>) -> Vec<Conformance> {
	conformance_on(cpu, None)
}

/// Runs all of them on a device, or on `cpu` if there is none. A program that the device does not take has not conformed.
pub fn conformance_on(cpu: &Arc<Cpu>, device: Option<&dyn Accelerator>) -> Vec<Conformance> {
	let outcome = |(run, network, lane, expected): (&'static str, Network, Lane, &'static str)| {
		let model = match network {
			Network::Mlp => mlp_model(lane),
			Network::Transformer => transformer_model(lane),
		};
		Conformance { run, expected, found: model.and_then(|model| root(model, cpu.clone(), device)) }
	};
	RUNS.map(outcome).into()
}

fn root(model: Model, cpu: Arc<Cpu>, device: Option<&dyn Accelerator>) -> Result<String, String> {
	let mut engine = Engine::new(model.program, model.data, cpu).map_err(|error| error.to_string())?;
	if let Some(device) = device {
		engine.accelerate(device).map_err(|error| error.to_string())?;
	}
	let mut state = engine.initial_state();
	engine.run(&mut state, STEPS, &mut |_| ControlFlow::Continue(())).map_err(|error| error.to_string())?;
	let root = engine.state_root(&state).map_err(|error| error.to_string())?;
	Ok(root.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Small integers: no rounding, no source of randomness.
fn scattered(count: u32) -> impl Iterator<Item = u32> {
	(0..count).map(|i| i.wrapping_mul(2_654_435_761) >> 24)
}

fn tensor(dtype: DType, rows: u32, cols: u32, bits: Vec<u32>) -> Result<Tensor, String> {
	Tensor::new(dtype, rows, cols, bits).map_err(|error| error.to_string())
}

fn mlp_model(lane: Lane) -> Result<Model, String> {
	let x = scattered(ROWS * FEATURES).map(|number| (number as f32 / 256.0).to_bits()).collect();
	let y = (0..ROWS).map(|i| i % CLASSES).collect();
	let split = Split { x: tensor(DType::F32, ROWS, FEATURES, x)?, y: tensor(DType::I32, ROWS, 1, y)? };
	let config = MlpConfig {
		hidden: vec![45, 33],
		activation: Activation::Gelu,
		lane,
		batch: 37,
		steps: STEPS,
		segment_steps: 1,
		seed: [7; 32],
		..MlpConfig::new(FEATURES, CLASSES)
	};
	mlp(&config, &split).map_err(|error: BuildError| error.to_string())
}

fn transformer_model(lane: Lane) -> Result<Model, String> {
	let config = TransformerConfig {
		vocabulary: 83,
		context: 19,
		layers: 2,
		heads: 3,
		width: 39,
		dropout: 0.1,
		lane,
		optimiser: Optimiser::adamw(0.002),
		batch: 3,
		steps: STEPS,
		segment_steps: 1,
		seed: [9; 32],
	};
	let tokens = scattered(11 * 20).map(|number| number % 83).collect();
	transformer(&config, &tensor(DType::I32, 11, 20, tokens)?).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
	use assay_engine::Path;

	use super::*;

	#[test]
	fn this_machine_conforms_on_every_path() {
		for path in Path::here() {
			for threads in [1, 2] {
				let cpu = Arc::new(Cpu::new(path, threads).unwrap());
				for outcome in conformance(&cpu) {
					assert!(outcome.conforms(), "{path:?}, {threads} threads: {outcome:?}");
				}
			}
		}
	}

	/// The last bit of one lane of one vector product is wrong: nothing conforms.
	#[cfg(feature = "faulty")]
	#[test]
	fn a_faulty_lane_does_not_conform() {
		for lane in [0, 5, 15] {
			let cpu = Arc::new(Cpu::new(Path::Auto, 1).unwrap().with_faulty_lane(lane));
			for outcome in conformance(&cpu) {
				assert!(outcome.found.is_ok() && !outcome.conforms(), "lane {lane}: {outcome:?}");
			}
		}
	}
}
