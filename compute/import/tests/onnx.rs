//! ONNX graphs compute what onnxruntime computes, and what has no equivalent is refused by name.

mod support;

use std::ops::ControlFlow;

use assay_engine::Tensor;
use assay_import::{ImportError, Onnx, OnnxInput, Safetensors, OUTPUT};
use assay_program::DType;
use support::{distance, engine, fixture};

/// Outputs are of the order of ten at most.
const TOLERANCE: f32 = 4e-6;

/// A fixture's inputs, by the shapes that its graph fixes.
fn inputs(name: &str) -> (Onnx, Vec<OnnxInput>, Safetensors) {
	let onnx = Onnx::open(&fixture(&format!("onnx/{name}.onnx"))).expect("opens");
	let expected = Safetensors::open(&fixture(&format!("onnx/{name}.safetensors"))).expect("opens");
	let input = |port: assay_import::OnnxPort| OnnxInput {
		shape: port.shape.expect("a shape").iter().map(|extent| extent.expect("fixed") as usize).collect(),
		tensor: expected.read(&format!("in:{}", port.name)).expect("reads"),
		name: port.name,
	};
	let inputs = onnx.inputs().expect("inputs").into_iter().map(input).collect();
	(onnx, inputs, expected)
}

fn close(name: &str) {
	let (onnx, inputs, expected) = inputs(name);
	let engine = engine(&onnx.program(&inputs).expect("builds"));
	let mut state = engine.initial_state();
	engine.run(&mut state, 1, &mut |_| ControlFlow::Continue(())).expect("runs");
	let mut worst = 0f32;
	for (index, port) in onnx.outputs().expect("outputs").iter().enumerate() {
		let own = if index == 0 { OUTPUT.into() } else { format!("{OUTPUT}{index}") };
		let found = engine.state_tensor_named(&state, &own).expect("an output");
		let error = distance(&found, &expected.read(&format!("out:{index}")).expect("reads"));
		assert!(error < TOLERANCE, "{name}, {}: {error:e}", port.name);
		worst = worst.max(error);
	}
	println!("{name}: largest error {worst:.1e}");
}

#[test]
fn a_classifier_of_gemms() {
	close("classifier");
}

#[test]
fn an_encoder_as_exporters_write_it() {
	close("encoder");
}

#[test]
fn every_operator() {
	close("operators");
}

#[test]
fn a_decoder_from_the_exporter_of_pytorch() {
	close("torch-gpt2");
}

#[test]
fn an_encoder_with_a_mask_from_the_exporter_of_pytorch() {
	close("torch-bert");
}

#[test]
fn fails_when_inputs_are_not_the_graphs() {
	let (onnx, good, _) = inputs("encoder");
	let refused = |alter: &dyn Fn(&mut Vec<OnnxInput>)| {
		let mut inputs = good.clone();
		alter(&mut inputs);
		match onnx.program(&inputs) {
			Err(ImportError::Request(problem)) => problem,
			Err(error @ ImportError::Node { .. }) => error.to_string(),
			other => panic!("{other:?}"),
		}
	};
	assert!(refused(&|inputs| drop(inputs.pop())).contains("`mask`: no value is given"));
	assert!(refused(&|inputs| inputs[1].name = "other".into()).contains("`mask`: no value is given"));
	assert!(
		refused(&|inputs| inputs.push(OnnxInput { name: "z".into(), ..inputs[0].clone() })).contains("no input `z`")
	);
	assert!(refused(&|inputs| inputs[0].shape = vec![7, 2]).contains("the model takes"));
	assert!(refused(&|inputs| inputs[0].shape = vec![2, 8]).contains("not that of the elements"));
	let floats = Tensor::new(DType::F32, 2, 7, vec![0; 14]).unwrap();
	assert!(refused(&|inputs| inputs[0].tensor = floats.clone()).contains("the model takes INT64"));
	let ids = Tensor::new(DType::I32, 2, 7, vec![30; 14]).unwrap();
	let problem = refused(&|inputs| inputs[0].tensor = ids.clone());
	assert!(problem.contains("node 0 `word`, op Gather (opset 17): index 30 on an axis of 30"), "{problem}");
}
