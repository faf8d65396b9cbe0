//! What the tests share: fixtures, and running a model forward.
// Each test file uses a part.
#![allow(dead_code)]

pub(crate) mod onnx_file;

use std::{collections::BTreeSet, ops::ControlFlow, path::PathBuf, sync::Arc};

use assay_engine::{Cpu, Engine, Path, Tensor};
use assay_import::{forward, Forward, Inputs, ModelDirectory, Safetensors, OUTPUT};
use assay_models::Model;
use assay_referee::whole;

pub(crate) fn fixture(name: &str) -> PathBuf {
	PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")).join(name)
}

pub(crate) fn engine(model: &Model) -> Engine {
	let cpu = Cpu::new(Path::Auto, 1).expect("a supported path");
	Engine::new(model.program.clone(), model.data.clone(), Arc::new(cpu)).expect("loads")
}

/// A whole run ends in the same state on every path of this machine, on one thread and on two.
pub(crate) fn assert_one_root(model: &Model, what: &str) {
	let mut roots = BTreeSet::new();
	for path in Path::here() {
		for threads in [1, 2] {
			let cpu = Arc::new(Cpu::new(path, threads).expect("supported"));
			let engine = Engine::new(model.program.clone(), model.data.clone(), cpu).expect("loads");
			let mut state = engine.initial_state();
			let steps = model.program.header.steps;
			engine.run(&mut state, steps, &mut |_| ControlFlow::Continue(())).expect("runs");
			roots.insert(engine.state_root(&state).expect("a root"));
		}
	}
	assert_eq!(roots.len(), 1, "{what}");
}

/// The output after the program's one step.
pub(crate) fn output(model: &Model) -> Tensor {
	let engine = engine(model);
	let mut state = engine.initial_state();
	engine.run(&mut state, 1, &mut |_| ControlFlow::Continue(())).expect("runs");
	engine.state_tensor_named(&state, OUTPUT).expect("an output")
}

/// A fixture's model, what it was run on, and what came out.
pub(crate) fn case(name: &str) -> (ModelDirectory, Inputs, Tensor) {
	let directory = ModelDirectory::open(&fixture(name)).expect("opens");
	let expected = Safetensors::open(&fixture(name).join("expected.safetensors")).expect("opens");
	let optional = |name: &str| expected.entries().contains_key(name).then(|| expected.read(name).expect("reads"));
	let ids = optional("input_ids").expect("ids");
	let inputs = Inputs { ids, mask: optional("attention_mask"), types: optional("token_type_ids") };
	(directory, inputs, optional("output").expect("an output"))
}

pub(crate) fn build(directory: &ModelDirectory, inputs: &Inputs, options: &Forward) -> Model {
	forward(directory.family(), directory.checkpoint(), inputs, options).expect("builds")
}

/// Largest difference of two tensors of one shape.
pub(crate) fn distance(a: &Tensor, b: &Tensor) -> f32 {
	assert_eq!(a.spec(), b.spec());
	a.to_f32().iter().zip(b.to_f32()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Every op's output chunks of the step after so many, by integers alone and by the backend.
pub(crate) fn refereed(model: &Model, steps: u64) {
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
