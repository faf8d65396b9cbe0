//! Programs of every kind of job, small enough for the emulation.

use std::{fs::File, io::BufReader, path::PathBuf};

use assay_engine::Tensor;
use assay_import::{fine_tuning, generation, FineTuning, Generation, LoraTerms, ModelDirectory};
use assay_models::{
	cnn, mlp, transformer, Classification, CnnConfig, CsvOptions, MlpConfig, Model, Optimiser, TransformerConfig,
};
use assay_program::{DType, Lane};

/// Every program by name.
pub(crate) fn all() -> Vec<(&'static str, Model)> {
	vec![
		("digits", digits_mlp(Lane::F32, 0.002)),
		("digits in int8", digits_mlp(Lane::I8, 0.002)),
		("language model", language(Lane::F32, 6, 3)),
		("language model in int8", language(Lane::I8, 6, 3)),
		("images", images()),
		("low-rank tuning", low_rank()),
		("generation", continuations(Lane::F32)),
		("generation in int8", continuations(Lane::I8)),
	]
}

fn digits() -> Classification {
	let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/digits.csv");
	let options = CsvOptions { scale: 1.0 / 16.0, ..CsvOptions::default() };
	Classification::from_csv(BufReader::new(File::open(path).expect("the data set")), &options).expect("well formed")
}

pub(crate) fn digits_mlp(lane: Lane, rate: f32) -> Model {
	let data = digits();
	let config = MlpConfig {
		hidden: vec![40, 33],
		lane,
		optimiser: Optimiser::adamw(rate),
		batch: 17,
		steps: 9,
		segment_steps: 4,
		seed: [5; 32],
		..MlpConfig::new(data.features, data.classes)
	};
	mlp(&config, &data.train).expect("valid")
}

/// A classifier whose numbers overflow after some steps.
pub(crate) fn diverging() -> Model {
	let data = digits();
	let config = MlpConfig {
		optimiser: Optimiser::Sgd { rate: 1e12, momentum: 0.0 },
		steps: 50,
		segment_steps: 50,
		..MlpConfig::new(data.features, data.classes)
	};
	mlp(&config, &data.train).expect("valid")
}

/// A GPT-2-style model on 64 sequences of small integers.
pub(crate) fn language(lane: Lane, steps: u64, segment_steps: u32) -> Model {
	let config = TransformerConfig {
		vocabulary: 48,
		context: 12,
		layers: 1,
		heads: 2,
		width: 24,
		dropout: 0.1,
		lane,
		optimiser: Optimiser::adamw(0.002),
		batch: 2,
		steps,
		segment_steps,
		seed: [3; 32],
	};
	let tokens = (0..64 * 13u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 20) % 48).collect();
	transformer(&config, &Tensor::new(DType::I32, 64, 13, tokens).expect("tokens")).expect("valid")
}

fn images() -> Model {
	let data = digits();
	let config = CnnConfig {
		convolutions: vec![5, 33],
		batch: 6,
		steps: 4,
		segment_steps: 2,
		..CnnConfig::new(8, 8, 1, data.classes)
	};
	cnn(&config, &data.train).expect("valid")
}

fn published(name: &str) -> ModelDirectory {
	let fixtures = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../import/tests/fixtures"));
	ModelDirectory::open(&fixtures.join(name)).expect("opens")
}

fn low_rank() -> Model {
	let directory = published("gpt2");
	let ids = (0..4u32).flat_map(|row| (0..9u32).map(move |position| 3 + (row + position) % 6)).collect();
	let tokens = Tensor::new(DType::I32, 4, 9, ids).expect("tokens");
	let lora = Some(LoraTerms { rank: 4, alpha: 8.0 });
	let optimiser = Optimiser::adamw(0.01);
	let config = FineTuning { optimiser, lora, lane: Lane::F32, batch: 2, steps: 4, segment_steps: 2, seed: [3; 32] };
	fine_tuning(directory.family(), directory.checkpoint(), &tokens, &config).expect("builds")
}

fn continuations(lane: Lane) -> Model {
	let directory = published("llama3");
	let prompts: Vec<Vec<u32>> =
		(0..3).map(|prompt| (0..=prompt).map(|at| (7 + 31 * prompt + 11 * at) % 80).collect()).collect();
	let settings =
		Generation { batch: 2, tokens: 3, temperature: 0.8, segment_groups: 1, seed: [9; 32], lane, ends: vec![5] };
	generation(directory.family(), directory.checkpoint(), &prompts, &settings).expect("builds")
}
