//! The language models that are trained.

use assay_engine::{Engine, Tensor};
use assay_models::{transformer, Model, Optimiser, TransformerConfig};
use assay_program::{DType, Lane};

const OPTIMISER: Optimiser =
	Optimiser::AdamW { rate: 1e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.01 };

/// A small one, with dropout, whose shapes are no multiple of a tile.
pub(crate) fn small(lane: Lane, steps: u64) -> Result<Model, String> {
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
		steps,
		segment_steps: u32::try_from(steps.div_ceil(10)).unwrap_or(u32::MAX),
		seed: [9; 32],
	};
	build(&config, 64)
}

/// GPT-2 with 124 million parameters, or in a quick run one that is nothing like it.
pub(crate) fn gpt2(lane: Lane, batch: u32, quick: bool) -> Result<Model, String> {
	let config = TransformerConfig {
		vocabulary: if quick { 61 } else { 50_257 },
		context: if quick { 12 } else { 1024 },
		layers: if quick { 1 } else { 12 },
		heads: if quick { 2 } else { 12 },
		width: if quick { 24 } else { 768 },
		dropout: 0.0,
		lane,
		optimiser: OPTIMISER,
		batch,
		steps: 10_000,
		segment_steps: 10,
		seed: [7; 32],
	};
	build(&config, 64)
}

fn build(config: &TransformerConfig, rows: u32) -> Result<Model, String> {
	let cols = config.context + 1;
	let ids = (0..rows * cols).map(|i| (i.wrapping_mul(2_654_435_761) >> 7) % config.vocabulary).collect();
	let tokens = Tensor::new(DType::I32, rows, cols, ids).map_err(|error| error.to_string())?;
	transformer(config, &tokens).map_err(|error| error.to_string())
}

/// Parameters of an engine's program.
pub(crate) fn parameters(engine: &Engine) -> u64 {
	let params = engine.program().tensors.iter().filter(|decl| matches!(decl.role, assay_program::Role::Param(_)));
	params.map(|decl| decl.spec().elements()).sum()
}

#[cfg(test)]
mod tests {
	use std::sync::Arc;

	use assay_cuda::{DeviceAccelerator, Profile, StepTraffic};
	use assay_cuda_emulation::{Emulated, Order};
	use assay_engine::{AcceleratorError, Cpu, Path};

	use super::*;

	/// Bytes that a device needs for it, as a device without memory says.
	fn needed(lane: Lane, batch: u32) -> u64 {
		let model = gpt2(lane, batch, false).expect("valid");
		let cpu = Arc::new(Cpu::new(Path::Auto, 1).expect("a path"));
		let mut engine = Engine::new(model.program, model.data, cpu).expect("loads");
		assert_eq!(parameters(&engine) / 1_000_000, 124);
		let none = Emulated::new(132, Order::Ascending).with_int8_tiles().with_memory(4096);
		match engine.accelerate(&DeviceAccelerator::new("none", none).expect("its flags")) {
			Err(AcceleratorError::OutOfMemory { needed, .. }) => needed,
			other => panic!("{other:?}"),
		}
	}

	/// The model is within the protocol's limits, and cards of 24 GiB and 80 GiB can train it.
	#[test]
	fn the_measured_model_fits_cards() {
		for lane in [Lane::F32, Lane::I8] {
			let [one, eight] = [1, 8].map(|batch| needed(lane, batch) >> 20);
			println!("{lane:?}: {one} MiB, {eight} MiB");
			assert!(one < 20 << 10 && eight < 78 << 10, "{lane:?}: {one} MiB, {eight} MiB");
		}
	}

	/// What a step takes, counted from its launches: `cargo test -p assay-gpu-check -- --nocapture a_step_of`.
	#[test]
	fn a_step_of_the_measured_model_is_fewer_launches_and_bytes_than_its_ops() {
		let profile = Profile { multiprocessors: 132, int8_tiles: true };
		for lane in [Lane::F32, Lane::I8] {
			let program = gpt2(lane, 8, false).expect("valid").program;
			let (before, now) = (StepTraffic::one_by_one(&program, &profile), StepTraffic::of(&program, &profile));
			let (before, now) = (before.expect("lowers"), now.expect("lowers"));
			for (what, step) in [("one by one", before.sum()), ("in groups", now.sum())] {
				let [read, again, written] = [step.read, step.read_again, step.written].map(|bytes| bytes as f64 / 1e9);
				let launches = step.launches;
				println!("{lane:?}, ops {what}: {launches} launches, GB: {read:.1} read, {again:.1} again, {written:.1} written");
			}
			for (kernels, traffic) in &now.kernels {
				println!("{:8.2} GB in {:4}: {kernels}", traffic.bytes() as f64 / 1e9, traffic.launches);
			}
			assert!(now.sum().launches * 2 < before.sum().launches);
			assert!(now.sum().bytes() * 2 < before.sum().bytes());
		}
	}
}
