//! What an import makes, the referee executes to the same bits.

mod support;

use assay_import::{Forward, Onnx, OnnxInput, Safetensors};
use assay_models::Model;
use assay_referee::whole;
use support::{build, case, engine, fixture};

/// Every op's output chunks, by integers alone and by the backend.
fn refereed(model: &Model) {
	let engine = engine(model);
	let state = engine.initial_state();
	let program = engine.program();
	let tensor = |id| engine.state_tensor(&state, id).expect("a state tensor").bits().to_vec();
	let soft = program.state_tensors().map(|(id, _)| (id, tensor(id))).collect();
	let data = model.data.iter().map(|(id, tensor)| (*id, tensor.bits().to_vec())).collect();
	let step = whole::run_step(program, 0, &soft, &data).expect("runs");
	let leaves = whole::trace_leaves(program, 0, &step).expect("a trace");
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
