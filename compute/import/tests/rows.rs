//! Programs that turn texts into rows give what running each text alone gives.

mod support;

use std::ops::ControlFlow;

use assay_engine::Tensor;
use assay_import::{
	forward, rows, Batches, Family, Forward, ImportError, Inputs, ModelDirectory, Pooling, Safetensors, OUTPUT,
};
use assay_program::{DType, Lane};
use support::{assert_one_root, case, engine, fixture, output};

fn texts() -> Vec<Vec<u32>> {
	[5u32, 1, 8, 3, 6].iter().map(|length| (0..*length).map(|at| (3 + 17 * length + 29 * at) % 80).collect()).collect()
}

fn settings(batch: u32, length: u32, pooling: Pooling) -> Batches {
	Batches { batch, length, pooling, segment_steps: 2, lane: Lane::F32 }
}

fn run(directory: &ModelDirectory, texts: &[Vec<u32>], config: &Batches) -> Tensor {
	let model = rows(directory.family(), directory.checkpoint(), texts, config).expect("builds");
	let engine = engine(&model);
	let mut state = engine.initial_state();
	engine.run(&mut state, model.program.header.steps, &mut |_| ControlFlow::Continue(())).expect("runs");
	engine.state_tensor_named(&state, OUTPUT).expect("an output")
}

/// What the network computes of one text, without padding.
fn alone(directory: &ModelDirectory, text: &[u32]) -> Tensor {
	let ids = Tensor::new(DType::I32, 1, text.len() as u32, text.to_vec()).unwrap();
	let model = forward(directory.family(), directory.checkpoint(), &Inputs::tokens(ids), &Forward::default());
	output(&model.expect("builds"))
}

fn close(found: &[f32], expected: &[f32]) {
	assert_eq!(found.len(), expected.len());
	let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
	assert!(worst < 4e-6, "{worst:e}: {found:?} {expected:?}");
}

/// An encoder whose output is activations: the fixture's has a head for that.
fn encoder() -> (ModelDirectory, tempfile::TempDir) {
	let folder = tempfile::TempDir::new().unwrap();
	let source = fixture("bert-classes");
	std::fs::copy(source.join("model.safetensors"), folder.path().join("model.safetensors")).unwrap();
	let config = std::fs::read_to_string(source.join("config.json")).unwrap();
	let mut config: serde_json::Value = serde_json::from_str(&config).unwrap();
	config["architectures"] = serde_json::json!(["BertModel"]);
	std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
	strip_classifier(&folder.path().join("model.safetensors"));
	(ModelDirectory::open(folder.path()).unwrap(), folder)
}

fn strip_classifier(path: &std::path::Path) {
	let file = Safetensors::open(path).unwrap();
	let kept = file.entries().iter().filter(|(name, _)| !name.starts_with("classifier"));
	let tensors: Vec<_> =
		kept.map(|(name, entry)| (name.clone(), file.read(name).unwrap(), entry.shape.len() == 1)).collect();
	let named: Vec<_> =
		tensors.iter().map(|(name, tensor, flat)| assay_import::Named { name, tensor, flat: *flat }).collect();
	assay_import::write_safetensors(path, &named).unwrap();
}

#[test]
fn an_encoders_activations_are_pooled() {
	let (directory, _folder) = encoder();
	let texts = texts();
	for pooling in [Pooling::Mean, Pooling::First, Pooling::Last] {
		let found = run(&directory, &texts, &settings(2, 0, pooling)).to_f32();
		let width = found.len() / texts.len();
		for (text, found) in texts.iter().zip(found.chunks(width)) {
			let all = alone(&directory, text).to_f32();
			let positions: Vec<&[f32]> = all.chunks(width).collect();
			let mean = |col: usize| positions.iter().map(|row| row[col]).sum::<f32>() / positions.len() as f32;
			let expected: Vec<f32> = match pooling {
				Pooling::Mean => (0..width).map(mean).collect(),
				Pooling::First => positions[0].to_vec(),
				_ => positions[positions.len() - 1].to_vec(),
			};
			close(found, &expected);
		}
	}
}

#[test]
fn a_decoders_last_activation_gives_its_logits() {
	for name in ["gpt2", "llama3"] {
		let (directory, _, _) = case(name);
		let texts = texts();
		let found = run(&directory, &texts, &settings(3, 0, Pooling::Last));
		let table = match directory.family() {
			Family::Gpt2(_) => "transformer.wte.weight",
			_ => "model.embed_tokens.weight",
		};
		let table = directory.checkpoint().read(table).unwrap();
		let width = table.spec().cols as usize;
		let rows = table.to_f32();
		for (text, hidden) in texts.iter().zip(found.to_f32().chunks(width)) {
			let logits: Vec<f32> =
				rows.chunks(width).map(|row| row.iter().zip(hidden).map(|(a, b)| a * b).sum()).collect();
			let all = alone(&directory, text).to_f32();
			close(&logits, &all[all.len() - logits.len()..]);
		}
	}
}

#[test]
fn classes_are_those_of_the_network() {
	let (directory, _, _) = case("bert-classes");
	let texts = texts();
	let found = run(&directory, &texts, &settings(2, 0, Pooling::Classes)).to_f32();
	let classes = found.len() / texts.len();
	for (text, found) in texts.iter().zip(found.chunks(classes)) {
		close(found, &alone(&directory, text).to_f32());
	}
}

#[test]
fn groups_and_lengths_change_nothing() {
	let texts = texts();
	for name in ["gpt2", "llama", "llama3"] {
		let (directory, _, _) = case(name);
		let first = run(&directory, &texts, &settings(1, 8, Pooling::Last));
		assert_eq!(first.spec().rows, 5);
		for (batch, length) in [(2, 8), (4, 0), (2, 13), (5, 20)] {
			let found = run(&directory, &texts, &settings(batch, length, Pooling::Last));
			close(&found.to_f32(), &first.to_f32());
		}
	}
	let (encoder, _, _) = case("bert-classes");
	let first = run(&encoder, &texts, &settings(1, 8, Pooling::Classes));
	for (batch, length) in [(2, 8), (3, 12)] {
		close(&run(&encoder, &texts, &settings(batch, length, Pooling::Classes)).to_f32(), &first.to_f32());
	}
}

#[test]
fn fails_when_texts_or_settings_do_not_fit() {
	let (gpt2, _, _) = case("gpt2");
	let refused = |directory: &ModelDirectory, texts: &[Vec<u32>], config: &Batches| match rows(
		directory.family(),
		directory.checkpoint(),
		texts,
		config,
	) {
		Err(ImportError::Request(problem)) => problem,
		other => panic!("{other:?}"),
	};
	let last = |batch, length| settings(batch, length, Pooling::Last);
	assert!(refused(&gpt2, &[], &last(1, 0)).contains("no texts"));
	assert!(refused(&gpt2, &[vec![]], &last(1, 0)).contains("text 0 has no tokens"));
	assert!(refused(&gpt2, &[vec![1; 3]], &last(1, 2)).contains("3 tokens"));
	assert!(refused(&gpt2, &[vec![1; 3]], &last(1, 25)).contains("the model has 24"));
	assert!(refused(&gpt2, &[vec![80]], &last(1, 0)).contains("token 80"));
	assert!(refused(&gpt2, &[vec![1]], &last(0, 0)).contains("at least 1"));
	assert!(refused(&gpt2, &[vec![1]], &settings(1, 0, Pooling::First)).contains("knows nothing"));
	assert!(refused(&gpt2, &[vec![1]], &settings(1, 0, Pooling::Classes)).contains("no classification head"));
}

/// Rows in int8 are near those in f32, and do not depend on their neighbours by a single bit.
#[test]
fn int8_is_near_and_neighbours_change_nothing() {
	let texts = texts();
	for (name, pooling, most) in
		[("gpt2", Pooling::Mean, 0.05), ("llama", Pooling::Last, 0.05), ("bert-classes", Pooling::Classes, 0.05)]
	{
		let (directory, _, _) = case(name);
		let exact = run(&directory, &texts, &settings(2, 8, pooling));
		let int8 = |batch| run(&directory, &texts, &Batches { lane: Lane::I8, ..settings(batch, 8, pooling) });
		let found = int8(2);
		let largest = exact.to_f32().iter().fold(0f32, |max, x| max.max(x.abs()));
		let error = support::distance(&found, &exact) / largest;
		println!("{name}: int8 differs by {error:.1e} of the largest");
		assert!(error > 0.0 && error < most, "{name}: {error}");
		for batch in [1, 3] {
			assert_eq!(int8(batch), found, "{name}");
		}
	}
}

#[test]
fn one_root_on_every_path() {
	let texts = texts();
	for (name, pooling) in [("gpt2", Pooling::Mean), ("bert-classes", Pooling::Classes)] {
		let (directory, _, _) = case(name);
		for lane in [Lane::F32, Lane::I8] {
			let config = Batches { lane, ..settings(2, 0, pooling) };
			let model = rows(directory.family(), directory.checkpoint(), &texts, &config).expect("builds");
			assert_one_root(&model, &format!("{name}, {lane:?}"));
		}
	}
}
