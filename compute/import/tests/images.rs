//! Convolutional networks from ONNX files: they compute what onnxruntime computes, the same bits on every path, by integers
//! alone and over rows, and in lane I8 with products of int8.

mod support;

use std::ops::ControlFlow;

use assay_engine::Tensor;
use assay_import::{Onnx, OnnxInput, RowBatches, Safetensors, OUTPUT};
use assay_models::Model;
use assay_program::{DType, Lane, OpKind};
use support::{distance, engine, fixture};

/// Outputs are of the order of one.
const TOLERANCE: f32 = 4e-6;

struct Case {
	onnx: Onnx,
	inputs: Vec<OnnxInput>,
	expected: Safetensors,
}

/// A fixture and what it was run on. An extent that the file leaves open is the number of images.
fn case(name: &str) -> Case {
	let onnx = Onnx::open(&fixture(&format!("onnx/images-{name}.onnx"))).expect("opens");
	let expected = Safetensors::open(&fixture(&format!("onnx/images-{name}.safetensors"))).expect("opens");
	let input = |port: assay_import::OnnxPort| {
		let tensor = expected.read(&format!("in:{}", port.name)).expect("reads");
		let extents = port.shape.expect("a shape");
		let known: u64 = extents.iter().flatten().product();
		let open = tensor.spec().elements() / known;
		let shape = extents.iter().map(|extent| extent.unwrap_or(open) as usize).collect();
		OnnxInput { name: port.name, shape, tensor }
	};
	let inputs = onnx.inputs().expect("inputs").into_iter().map(input).collect();
	Case { onnx, inputs, expected }
}

fn close(name: &str) {
	let Case { onnx, inputs, expected } = case(name);
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
fn every_operator_on_images() {
	close("operators");
}

#[test]
fn channels_last_and_uneven_padding() {
	close("last-channels");
}

#[test]
fn networks_from_the_exporters_of_pytorch() {
	for name in ["lenet", "residual", "residual-norms", "mobile"] {
		close(name);
	}
}

/// The images of a fixture, one a row.
fn rows(case: &Case) -> Tensor {
	let [input] = case.inputs.as_slice() else { panic!("one input") };
	let images = input.shape[0] as u32;
	let cols = (input.tensor.spec().elements() / u64::from(images)) as u32;
	Tensor::new(DType::F32, images, cols, input.tensor.bits().to_vec()).unwrap()
}

fn settings(batch: u32, lane: Lane) -> RowBatches {
	RowBatches { batch, segment_steps: 1, lane }
}

fn scores(model: &Model) -> Tensor {
	let engine = engine(model);
	let mut state = engine.initial_state();
	engine.run(&mut state, model.program.header.steps, &mut |_| ControlFlow::Continue(())).expect("runs");
	engine.state_tensor_named(&state, OUTPUT).expect("an output")
}

const NETWORKS: [&str; 4] = ["lenet", "residual-norms", "mobile", "last-channels"];

#[test]
fn rows_compute_what_one_step_computes() {
	for name in NETWORKS {
		let case = case(name);
		let whole = support::output(&case.onnx.program(&case.inputs).expect("builds"));
		// A file may fix how many images a step takes.
		let fixed = case.onnx.inputs().unwrap()[0].shape.as_ref().unwrap()[0];
		for batch in fixed.map_or(vec![1, 2], |fixed| vec![fixed as u32]) {
			let model = case.onnx.rows(&rows(&case), &settings(batch, Lane::F32)).expect("builds");
			assert_eq!(scores(&model), whole, "{name}, {batch} at a time");
		}
	}
}

#[test]
fn lane_i8_multiplies_int8() {
	for (name, products) in [("lenet", 4), ("residual-norms", 7), ("mobile", 7), ("last-channels", 3)] {
		let case = case(name);
		let exact = scores(&case.onnx.rows(&rows(&case), &settings(2, Lane::F32)).expect("builds"));
		let model = case.onnx.rows(&rows(&case), &settings(2, Lane::I8)).expect("builds");
		let is_int8 = |op: &&assay_program::Op| matches!(op.kind, OpKind::MatMulI8 { .. });
		assert_eq!(model.program.ops.iter().filter(is_int8).count(), products, "{name}");
		let found = scores(&model);
		let largest = exact.to_f32().iter().fold(0f32, |largest, x| largest.max(x.abs()));
		let error = distance(&found, &exact) / largest;
		println!("{name}: off by {error:.3} of the largest score in int8");
		assert!(error > 0.0 && error < 0.06, "{name}: {error}");
	}
}

#[test]
fn one_root_on_every_path() {
	for name in NETWORKS {
		for lane in [Lane::F32, Lane::I8] {
			let case = case(name);
			let model = case.onnx.rows(&rows(&case), &settings(2, lane)).expect("builds");
			support::assert_one_root(&model, &format!("{name} in {lane:?}"));
		}
	}
}

#[test]
fn the_referee_agrees() {
	for (name, lane) in [("lenet", Lane::I8), ("mobile", Lane::F32), ("last-channels", Lane::I8)] {
		let case = case(name);
		support::refereed(&case.onnx.rows(&rows(&case), &settings(2, lane)).expect("builds"), 0);
	}
	let case = case("operators");
	support::refereed(&case.onnx.program(&case.inputs).expect("builds"), 0);
}
