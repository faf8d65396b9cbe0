//! Whether this machine computes the bits that every other machine computes.
//!
//! A training run that uses every kernel of the backend, with shapes that are no multiple of any vector or tile, ends in a known
//! state root. A machine that ends elsewhere loses every dispute.

use assay_engine::{Cpu, Engine, Path, Tensor};
use assay_models::{mlp, Activation, MlpConfig, Split};
use assay_program::{DType, Lane};
use serde::Serialize;
use std::{ops::ControlFlow, sync::Arc};

/// State root in which the run ends on a machine that conforms.
pub const EXPECTED: &str = "4cb5287939fb42eebab10a303dc617599c16916108358a3c183984be04ee113f";

/// State root in which the same run ends with its products in int8.
pub const EXPECTED_INT8: &str = "c88387edc83fb4f0bbe329445a9810524035487d891780d66c4aa7a3308bf48b";

const ROWS: u32 = 67;
const FEATURES: u32 = 523;
const CLASSES: u32 = 7;
const STEPS: u64 = 6;

/// The outcome on one set of instructions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
	/// Instructions: portable, avx2 or avx512.
	pub path: &'static str,
	/// Threads.
	pub threads: usize,
	/// State root at the end; absent if the run failed.
	pub root: Option<String>,
	/// Whether it is the known one.
	pub conforms: bool,
	/// Time of the run.
	pub milliseconds: u64,
	/// Why the run failed.
	pub error: Option<String>,
}

/// Runs it on every set of instructions that the processor has, with one thread and with all.
pub fn check() -> Vec<Outcome> {
	let paths = [("portable", Path::Portable), ("avx2", Path::Avx2), ("avx512", Path::Avx512)];
	let supported = paths.into_iter().filter(|(_, path)| path.supported());
	supported.flat_map(|(name, path)| [1, 0].map(|threads| outcome(name, path, threads))).collect()
}

fn outcome(name: &'static str, path: Path, threads: usize) -> Outcome {
	let started = std::time::Instant::now();
	let (threads, result, int8) = match Cpu::new(path, threads).map(Arc::new) {
		Ok(cpu) => (cpu.threads(), run(cpu.clone(), Lane::F32), run(cpu, Lane::I8)),
		Err(error) => (threads, Err(error.to_string()), Err(error.to_string())),
	};
	let milliseconds = started.elapsed().as_millis() as u64;
	let (root, error) = match (result, int8) {
		(Ok(root), Ok(int8)) if int8 == EXPECTED_INT8 => (Some(root), None),
		(Ok(root), Ok(int8)) => (Some(root), Some(format!("the run in int8 ended in {int8}"))),
		(Ok(root), Err(error)) => (Some(root), Some(error)),
		(Err(error), _) => (None, Some(error)),
	};
	Outcome {
		path: name,
		threads,
		conforms: error.is_none() && root.as_deref() == Some(EXPECTED),
		root,
		milliseconds,
		error,
	}
}

fn run(cpu: Arc<Cpu>, lane: Lane) -> Result<String, String> {
	// Data of small integers: no rounding, no source of randomness.
	let x = (0..ROWS * FEATURES).map(|i| ((i.wrapping_mul(2_654_435_761) >> 24) as f32 / 256.0).to_bits()).collect();
	let y = (0..ROWS).map(|i| i % CLASSES).collect();
	let tensor = |dtype, cols, bits| Tensor::new(dtype, ROWS, cols, bits).map_err(|error| error.to_string());
	let split = Split { x: tensor(DType::F32, FEATURES, x)?, y: tensor(DType::I32, 1, y)? };
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
	let model = mlp(&config, &split).map_err(|error| error.to_string())?;
	let engine = Engine::new(model.program, model.data, cpu).map_err(|error| error.to_string())?;
	let mut state = engine.initial_state();
	engine.run(&mut state, STEPS, &mut |_| ControlFlow::Continue(())).map_err(|error| error.to_string())?;
	engine.state_root(&state).map(hex::encode).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn this_machine_conforms_on_every_path() {
		let outcomes = check();
		assert!(outcomes.iter().any(|outcome| outcome.path == "portable"));
		for outcome in outcomes {
			assert!(outcome.conforms, "{outcome:?}");
		}
	}
}
