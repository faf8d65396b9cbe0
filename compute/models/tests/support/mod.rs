//! Small training runs for the tests.
// Each test file uses a part.
#![allow(dead_code)]

use std::{fs::File, io::BufReader, ops::ControlFlow, sync::Arc};

use assay_engine::{Cpu, Engine, Path, StepReport};
use assay_models::{mlp, Classification, CsvOptions, MlpConfig, Model};

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

pub(crate) fn cpu(path: Path, threads: usize) -> Arc<Cpu> {
	Arc::new(Cpu::new(path, threads).expect("a supported path"))
}

pub(crate) fn engine(model: &Model, cpu: Arc<Cpu>) -> Engine {
	Engine::new(model.program.clone(), model.data.clone(), cpu).expect("loads")
}

pub(crate) fn on(_: &StepReport<'_>) -> ControlFlow<()> {
	ControlFlow::Continue(())
}
