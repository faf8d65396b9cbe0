//! A model trained here is a directory that this crate, like any other tool, reads.

mod support;

use std::ops::ControlFlow;

use assay_engine::{Engine, State, Tensor};
use assay_import::{
	byte_tokenizer, export_gpt2, fine_tuned, fine_tuning, forward, write_model, FineTuning, Forward, ImportError,
	Inputs, ModelDirectory, Tokenizer,
};
use assay_models::{transformer, transformer_evaluation, Optimiser, Sequences, TransformerConfig};
use assay_program::{DType, Lane};
use proptest::prelude::*;
use support::{case, distance, engine, fixture, output};
use tempfile::TempDir;

fn config(layers: u32) -> TransformerConfig {
	TransformerConfig {
		vocabulary: 256,
		context: 12,
		layers,
		heads: 2,
		width: 32,
		dropout: 0.0,
		lane: Lane::F32,
		optimiser: Optimiser::adamw(0.01),
		batch: 4,
		steps: 30,
		segment_steps: 10,
		seed: [1; 32],
	}
}

fn text() -> Sequences {
	let ids: Vec<u32> = "the same program gives the same bits. ".repeat(8).bytes().map(u32::from).collect();
	Sequences::cut(&ids, 12, 4).unwrap()
}

fn trained(config: &TransformerConfig) -> (Engine, State) {
	let engine = engine(&transformer(config, &text().train).unwrap());
	let mut state = engine.initial_state();
	engine.run(&mut state, config.steps, &mut |_| ControlFlow::Continue(())).unwrap();
	(engine, state)
}

fn tokenizer(folder: &TempDir) -> Tokenizer {
	std::fs::write(folder.path().join("tokenizer.json"), byte_tokenizer().to_string()).unwrap();
	Tokenizer::open(&folder.path().join("tokenizer.json")).unwrap()
}

#[test]
fn a_trained_transformer_is_imported_as_a_gpt2() {
	let config = config(2);
	let (engine, state) = trained(&config);
	let (json, tensors) = export_gpt2(&config, |name| engine.state_tensor_named(&state, name)).unwrap();
	let folder = TempDir::new().unwrap();
	write_model(folder.path(), &json, &tensors, Some(&byte_tokenizer())).unwrap();
	let directory = ModelDirectory::open(folder.path()).unwrap();
	let text = text().held_out;
	// The trained program's own logits: the first of their shape in its evaluation.
	let evaluation = support::engine(&transformer_evaluation(&config, &text).unwrap());
	let start = evaluation.initial_state_with(|name| engine.state_tensor_named(&state, name)).unwrap();
	let rows = text.spec().rows.min(config.batch);
	let program = evaluation.program();
	let logits = program.ops.iter().map(|op| op.output).find(|id| {
		program.decl(*id).is_some_and(|decl| (decl.rows, decl.cols) == (rows * config.context, config.vocabulary))
	});
	let expected = evaluation.outputs(&start, &[logits.unwrap()]).unwrap().remove(0);
	let ids = text.bits().chunks(13).take(rows as usize).flat_map(|row| row[..12].to_vec()).collect();
	let ids = Tensor::new(DType::I32, rows, 12, ids).unwrap();
	let model = forward(directory.family(), directory.checkpoint(), &Inputs::tokens(ids), &Forward::default()).unwrap();
	let error = distance(&output(&model), &expected);
	println!("largest error {error:.1e}");
	assert!(error < 1e-4, "{error:e}");
	let tokenizer = directory.tokenizer().unwrap().expect("written");
	assert_eq!(tokenizer.encode("bits").unwrap(), [98, 105, 116, 115]);
}

#[test]
fn fails_when_the_state_is_of_another_model() {
	let (engine, state) = trained(&TransformerConfig { steps: 1, ..config(1) });
	let param = |name: &str| engine.state_tensor_named(&state, name);
	assert!(export_gpt2(&config(1), param).is_ok());
	for config in
		[config(2), TransformerConfig { width: 16, ..config(1) }, TransformerConfig { vocabulary: 9, ..config(1) }]
	{
		assert!(matches!(export_gpt2(&config, param), Err(ImportError::Request(_))));
	}
}

#[test]
fn a_fine_tuned_model_is_a_directory_again() {
	let folder = TempDir::new().unwrap();
	for name in ["gpt2", "llama", "llama3"] {
		let (source, inputs, _) = case(name);
		let config = FineTuning {
			optimiser: Optimiser::adamw(0.01),
			lora: None,
			lane: Lane::F32,
			batch: 2,
			steps: 2,
			segment_steps: 1,
			seed: [0; 32],
		};
		let tokens = Tensor::new(DType::I32, 2, 9, (0..18).collect()).unwrap();
		let engine = engine(&fine_tuning(source.family(), source.checkpoint(), &tokens, &config).unwrap());
		let mut state = engine.initial_state();
		engine.run(&mut state, 2, &mut |_| ControlFlow::Continue(())).unwrap();
		let tensors = fine_tuned(source.family(), source.checkpoint(), &config, &engine, &state).unwrap();
		let json = std::fs::read_to_string(fixture(name).join("config.json")).unwrap();
		write_model(folder.path(), &serde_json::from_str(&json).unwrap(), &tensors, None).unwrap();
		let directory = ModelDirectory::open(folder.path()).unwrap();
		assert_eq!(directory.family(), source.family());
		assert!(directory.tokenizer().unwrap().is_none());
		for (name, tensor) in &tensors {
			assert_eq!(&directory.checkpoint().read(name).unwrap(), tensor);
		}
		let logits =
			|of: &ModelDirectory| output(&forward(of.family(), of.checkpoint(), &inputs, &Forward::default()).unwrap());
		assert_ne!(logits(&directory), logits(&source));
	}
}

#[test]
fn every_byte_is_a_token() {
	let folder = TempDir::new().unwrap();
	let tokenizer = tokenizer(&folder);
	assert_eq!(tokenizer.vocabulary(), 256);
	let all: String = (0..0x2ff).filter_map(char::from_u32).chain("\u{10ffff}\u{fffd} \t\r\n\0".chars()).collect();
	let ids = tokenizer.encode(&all).unwrap();
	assert_eq!(ids, all.bytes().map(u32::from).collect::<Vec<_>>());
	assert_eq!(tokenizer.decode(&ids).unwrap(), all);
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

	#[test]
	fn any_text_comes_back(texts in prop::collection::vec(any::<String>(), 1..8)) {
		let folder = TempDir::new().unwrap();
		let tokenizer = tokenizer(&folder);
		for text in texts {
			let ids = tokenizer.encode(&text).unwrap();
			prop_assert_eq!(&ids, &text.bytes().map(u32::from).collect::<Vec<_>>());
			prop_assert_eq!(tokenizer.decode(&ids).unwrap(), text);
		}
	}
}
