//! What an import makes, the referee executes to the same bits.

mod support;

use assay_import::{generation, rows, Batches, Forward, Generation, Onnx, OnnxInput, Pooling, Safetensors};
use assay_models::Model;
use assay_program::Lane;
use support::{build, case, fixture};

/// Every op's output chunks, by integers alone and by the backend.
fn refereed(model: &Model) {
	support::refereed(model, 0);
}

#[test]
fn networks_of_each_family() {
	for name in ["gpt2", "llama", "bert", "bert-classes"] {
		let (directory, inputs, _) = case(name);
		refereed(&build(&directory, &inputs, &Forward::default()));
	}
}

#[test]
fn programs_that_generate() {
	let prompts = [vec![3, 1, 4], vec![1, 5], vec![9, 2]];
	let cases = [
		("gpt2", 0.0, Lane::F32, vec![]),
		("llama", 0.7, Lane::F32, vec![]),
		("llama3", 0.0, Lane::F32, (0..60).collect()),
		("gpt2", 0.5, Lane::I8, (0..60).collect()),
		("llama3", 0.0, Lane::I8, vec![]),
	];
	for (name, temperature, lane, ends) in cases {
		let (directory, _, _) = case(name);
		let config = Generation { batch: 2, tokens: 3, temperature, segment_groups: 1, seed: [2; 32], lane, ends };
		let model = generation(directory.family(), directory.checkpoint(), &prompts, &config).expect("builds");
		// The first position, one in the middle and the last of a group, and one of the padded group.
		for steps in [0, 2, 4, 8] {
			support::refereed(&model, steps);
		}
	}
}

#[test]
fn programs_of_rows() {
	let texts = [vec![3, 1, 4], vec![1, 5], vec![9]];
	let cases = [
		("gpt2", Pooling::Last, Lane::F32),
		("llama", Pooling::Mean, Lane::F32),
		("bert-classes", Pooling::Classes, Lane::F32),
		("llama", Pooling::Mean, Lane::I8),
		("bert-classes", Pooling::Classes, Lane::I8),
	];
	for (name, pooling, lane) in cases {
		let (directory, _, _) = case(name);
		let config = Batches { batch: 2, length: 0, pooling, segment_steps: 1, lane };
		let model = rows(directory.family(), directory.checkpoint(), &texts, &config).expect("builds");
		for steps in [0, 1] {
			support::refereed(&model, steps);
		}
	}
}

#[test]
fn graphs() {
	for name in ["encoder", "operators", "torch-gpt2"] {
		let onnx = Onnx::open(&fixture(&format!("onnx/{name}.onnx"))).expect("opens");
		let given = Safetensors::open(&fixture(&format!("onnx/{name}.safetensors"))).expect("opens");
		let input = |port: assay_import::OnnxPort| OnnxInput {
			shape: port.shape.expect("a shape").iter().map(|extent| extent.expect("fixed") as usize).collect(),
			tensor: given.read(&format!("in:{}", port.name)).expect("reads"),
			name: port.name,
		};
		let inputs: Vec<_> = onnx.inputs().expect("inputs").into_iter().map(input).collect();
		refereed(&onnx.program(&inputs).expect("builds"));
	}
}
