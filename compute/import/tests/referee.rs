//! What an import makes, the referee executes to the same bits.

mod support;

use std::ops::ControlFlow;

use assay_import::{generation, rows, Batches, Forward, Generation, Onnx, OnnxInput, Pooling, Safetensors};
use assay_models::Model;
use assay_referee::whole;
use support::{build, case, engine, fixture};

/// Every op's output chunks, by integers alone and by the backend.
fn refereed(model: &Model) {
	refereed_after(model, 0);
}

/// The same, of the step after so many.
fn refereed_after(model: &Model, steps: u64) {
	let engine = engine(model);
	let mut state = engine.initial_state();
	engine.run(&mut state, steps, &mut |_| ControlFlow::Continue(())).expect("runs");
	let program = engine.program();
	let tensor = |id| engine.state_tensor(&state, id).expect("a state tensor").bits().to_vec();
	let soft = program.state_tensors().map(|(id, _)| (id, tensor(id))).collect();
	let data = model.data.iter().map(|(id, tensor)| (*id, tensor.bits().to_vec())).collect();
	let step = whole::run_step(program, steps, &soft, &data).expect("runs");
	let leaves = whole::trace_leaves(program, steps, &step).expect("a trace");
	let trace = engine.trace(&state).expect("runs");
	assert_eq!(trace.leaves(), leaves.iter().copied().map(Some).collect::<Vec<_>>());
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
	for (name, temperature) in [("gpt2", 0.0), ("llama", 0.7), ("llama3", 0.0)] {
		let (directory, _, _) = case(name);
		let config = Generation { batch: 2, tokens: 3, temperature, segment_groups: 1, seed: [2; 32] };
		let model = generation(directory.family(), directory.checkpoint(), &prompts, &config).expect("builds");
		// The first position, one in the middle and the last of a group, and one of the padded group.
		for steps in [0, 2, 4, 8] {
			refereed_after(&model, steps);
		}
	}
}

#[test]
fn programs_of_rows() {
	let texts = [vec![3, 1, 4], vec![1, 5], vec![9]];
	for (name, pooling) in [("gpt2", Pooling::Last), ("llama", Pooling::Mean), ("bert-classes", Pooling::Classes)] {
		let (directory, _, _) = case(name);
		let config = Batches { batch: 2, length: 0, pooling, segment_steps: 1 };
		let model = rows(directory.family(), directory.checkpoint(), &texts, &config).expect("builds");
		for steps in [0, 1] {
			refereed_after(&model, steps);
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
