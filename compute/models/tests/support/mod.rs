//! Small training runs for the tests.
// Each test file uses a part.
#![allow(dead_code)]

use std::{fs::File, io::BufReader, ops::ControlFlow, sync::Arc};

use assay_engine::{Cpu, Engine, Path, StepReport, Tensor};
use assay_models::{mlp, transformer, Classification, CsvOptions, MlpConfig, Model, Optimiser, TransformerConfig};
use assay_program::{DType, Lane};

/// The digits data set, pixels in 0..1.
pub(crate) fn digits() -> Classification {
	let file =
		File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/digits.csv")).expect("the data set");
	let options = CsvOptions { scale: 1.0 / 16.0, ..CsvOptions::default() };
	Classification::from_csv(BufReader::new(file), &options).expect("well formed")
}

/// A digits classifier of two hidden layers, 12 steps in segments of 4.
pub(crate) fn small() -> (MlpConfig, Model) {
	let data = digits();
	let config = MlpConfig {
		hidden: vec![40, 33],
		batch: 17,
		steps: 12,
		segment_steps: 4,
		seed: [5; 32],
		..MlpConfig::new(data.features, data.classes)
	};
	let model = mlp(&config, &data.train).expect("valid");
	(config, model)
}

/// Sequences in which each token follows from the one before: 3 x + 1 modulo 13, from every start.
fn sequences(length: u32) -> Tensor {
	let tokens = (0..13u32).flat_map(|start| {
		(0..length).scan(start, |token, _| {
			let now = *token;
			*token = (3 * now + 1) % 13;
			Some(now)
		})
	});
	Tensor::new(DType::I32, 13, length, tokens.collect()).expect("one per position")
}

/// A language model of two blocks, 60 steps in segments of 10.
pub(crate) fn small_transformer(dropout: f32) -> Model {
	small_transformer_of(dropout, Lane::F32)
}

/// The same, with its linear layers in a lane.
pub(crate) fn small_transformer_of(dropout: f32, lane: Lane) -> Model {
	let config = TransformerConfig {
		vocabulary: 13,
		context: 9,
		layers: 2,
		heads: 2,
		width: 32,
		dropout,
		lane,
		optimiser: Optimiser::adamw(0.003),
		batch: 5,
		steps: 60,
		segment_steps: 10,
		seed: [7; 32],
	};
	transformer(&config, &sequences(10)).expect("valid")
}

pub(crate) fn cpu(path: Path, threads: usize) -> Arc<Cpu> {
	Arc::new(Cpu::new(path, threads).expect("a supported path"))
}

pub(crate) fn engine(model: &Model, cpu: Arc<Cpu>) -> Engine {
	Engine::new(model.program.clone(), model.data.clone(), cpu).expect("loads")
}

pub(crate) fn on(_: &StepReport<'_>) -> ControlFlow<()> {
	ControlFlow::Continue(())
}
