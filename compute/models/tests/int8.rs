//! Lane I8: products near those of lane F32, training beside it, one result everywhere.

mod support;

use std::{collections::BTreeSet, ops::ControlFlow};

use assay_engine::{Engine, Path, Tensor};
use assay_models::{cnn, evaluate, evaluate_cnn, mlp, quantised, CnnConfig, Evaluation, Graph, MlpConfig, Value};
use assay_program::{Axis, DType, Header, Init, Lane, TensorId};
use assay_referee::whole;
use support::{cpu, digits, engine, on, small_transformer_of};

fn header() -> Header {
	Header { version: 1, lane: Lane::F32, seed: [3; 32], steps: 1, batch: 1, segment_steps: 1 }
}

fn id(value: Value) -> TensorId {
	value.tensor().expect("a tensor")
}

/// Distance over norm.
fn distance(a: &Tensor, b: &Tensor) -> f64 {
	let pairs = || a.to_f32().into_iter().map(f64::from).zip(b.to_f32().into_iter().map(f64::from));
	let (apart, norm) = pairs().fold((0.0, 0.0), |(apart, norm), (a, b)| (apart + (a - b).powi(2), norm + b * b));
	(apart / norm).sqrt()
}

#[test]
fn products_and_gradients_are_near_the_exact_ones() {
	for (trans_a, trans_b) in [(false, false), (false, true), (true, false), (true, true)] {
		let mut graph = Graph::new(1);
		let (m, k, n) = (37, 100, 29);
		let a = if trans_a { (k, m) } else { (m, k) };
		let b = if trans_b { (n, k) } else { (k, n) };
		let p = [a, b].map(|(rows, cols)| graph.uniform_param(&format!("{rows}x{cols}"), rows, cols, 1.0));
		let (mut outputs, mut near) = (Vec::new(), p[0]);
		for bytes in [false, true] {
			let product = match bytes {
				false => graph.matmul_transposed(p[0], trans_a, p[1], trans_b),
				true => graph.matmul_i8_transposed(p[0], trans_a, p[1], trans_b),
			};
			let square = graph.mul(product, product);
			let loss = graph.mean_all(square);
			let gradients = graph.gradients(loss, &p);
			near = product;
			outputs.push([product, gradients[0], gradients[1]].map(id));
		}
		let state = graph.state("g", m, n, Init::Zeros);
		graph.update(state, near);
		let program = graph.finish(header()).expect("valid");
		assert_eq!(program.header.lane, Lane::I8);
		let engine = Engine::new(program, Vec::new(), cpu(Path::Auto, 1)).expect("loads");
		let values = engine.outputs(&engine.initial_state(), &outputs.concat()).expect("runs");
		let (exact, near) = values.split_at(3);
		for (near, exact) in near.iter().zip(exact) {
			let distance = distance(near, exact);
			assert!(distance > 1e-4 && distance < 0.02, "{trans_a} {trans_b}: {distance}");
		}
	}
}

/// Distance of the int8 product from the exact one, where one column in 50 of the first operand is 100 times as large.
fn error_with_outliers(rotation: u8) -> [f64; 3] {
	let mut graph = Graph::new(1);
	graph.rotate_int8_products(rotation);
	let (m, k, n) = (64, 96, 32);
	let scales = (0..k).map(|col| if col % 50 == 7 { 100f32 } else { 1.0 }.to_bits()).collect();
	let scales = Tensor::new(DType::F32, 1, k, scales).expect("a row");
	let data = graph.data("scales", scales.spec(), scales.root());
	let p = [(m, k), (k, n)].map(|(rows, cols)| graph.uniform_param(&format!("{rows}x{cols}"), rows, cols, 1.0));
	let x = graph.mul(p[0], data);
	let exact = graph.matmul(x, p[1]);
	let near = graph.matmul_i8(x, p[1]);
	let mut outputs = vec![id(exact), id(near)];
	for product in [exact, near] {
		let square = graph.mul(product, product);
		let loss = graph.mean_all(square);
		outputs.extend(graph.gradients(loss, &p).into_iter().map(id));
	}
	let state = graph.state("y", m, n, Init::Zeros);
	graph.update(state, near);
	let program = graph.finish(header()).expect("valid");
	let engine = Engine::new(program, vec![(id(data), scales)], cpu(Path::Auto, 1)).expect("loads");
	let values = engine.outputs(&engine.initial_state(), &outputs).expect("runs");
	[(1, 0), (4, 2), (5, 3)].map(|(near, exact)| distance(&values[near], &values[exact]))
}

#[test]
fn rotation_keeps_what_outliers_take() {
	let (plain, rotated) = (error_with_outliers(0), error_with_outliers(5));
	println!("plain {plain:?}, rotated {rotated:?}");
	for (plain, rotated) in plain.into_iter().zip(rotated) {
		assert!(rotated < 1.5 * plain && rotated < 0.02, "plain {plain}, rotated {rotated}");
	}
	assert!(rotated[0] < 0.8 * plain[0], "plain {plain:?}, rotated {rotated:?}");
}

#[test]
fn zeros_and_extremes_do_not_fail_a_run() {
	let mut graph = Graph::new(1);
	// Rows of zeros, of subnormals whose scale is zero, and of large numbers.
	let rows = [[0.0f32; 4], [1e-45; 4], [3e33; 4], [1.0, -0.0, 1e-30, -2.0]];
	let x = Tensor::new(DType::F32, 4, 4, rows.concat().into_iter().map(f32::to_bits).collect()).expect("a matrix");
	let data = graph.data("x", x.spec(), x.root());
	let w = graph.param("w", 4, 3, Init::Constant(0.25f32.to_bits()));
	let product = graph.matmul_i8(data, w);
	let state = graph.state("y", 4, 3, Init::Zeros);
	graph.update(state, product);
	let engine = Engine::new(graph.finish(header()).expect("valid"), vec![(id(data), x)], cpu(Path::Auto, 1));
	let engine = engine.expect("loads");
	let values = engine.outputs(&engine.initial_state(), &[id(product)]).expect("runs").remove(0).to_f32();
	let near = |x: f32, y: f32| (x - y).abs() <= 0.01 * y.abs();
	assert_eq!(values[..6], [0.0; 6]);
	assert!(near(values[6], 3e33) && near(values[9], -0.25), "{values:?}");
}

#[test]
fn int8_state_survives_a_checkpoint() {
	let mut graph = Graph::new(1);
	let x = graph.uniform_param("x", 70, 130, 1.0);
	let bytes = graph.quantise(x, 0.01);
	let kept = graph.int8_state("kept", 70, 130, -128);
	graph.update(kept, bytes);
	let sums = graph.int8_matmul(kept, false, kept, true);
	let product = graph.dequantise(sums, 0.01, 0.01);
	let row = graph.sum(product, assay_program::Axis::Rows);
	let state = graph.state("row", 1, 70, Init::Zeros);
	graph.update(state, row);
	let program = graph.finish(Header { steps: 3, ..header() }).expect("valid");
	let engine = Engine::new(program, Vec::new(), cpu(Path::Auto, 1)).expect("loads");
	let (mut whole, mut parts) = (engine.initial_state(), engine.initial_state());
	assert_eq!(engine.state_tensor_named(&whole, "kept").expect("a tensor").bits()[0], -128i32 as u32);
	engine.run(&mut whole, 3, &mut on).expect("runs");
	for step in 1..4 {
		engine.run(&mut parts, step, &mut on).expect("runs");
		let blob = engine.encode_checkpoint(&parts).expect("encodes");
		assert_eq!(blob.len() as u64, engine.checkpoint_len());
		let (loaded, root) = engine.decode_checkpoint(&blob).expect("decodes");
		assert_eq!((&loaded, root), (&parts, engine.state_root(&parts).expect("a root")));
		parts = loaded;
	}
	assert_eq!(parts, whole);
	let tensor = engine.state_tensor_named(&parts, "kept").expect("a tensor");
	assert_eq!(tensor.to_canonical().len(), 2 * 3 * 4096);
	assert!(tensor.bits().iter().any(|bits| (*bits as i32) < 0));
}

#[test]
fn an_int8_tensor_needs_its_lane() {
	let model = short(Lane::I8);
	let mut program = model.program.clone();
	program.header.lane = Lane::F32;
	let error = program.validate(&assay_program::Limits::default()).expect_err("refused");
	assert!(error.to_string().contains("lane I8"), "{error}");
	assert_eq!(short(Lane::F32).program.header.lane, Lane::F32);
}

fn short(lane: Lane) -> assay_models::Model {
	let data = digits();
	let config = MlpConfig {
		hidden: vec![40, 33],
		lane,
		batch: 17,
		steps: 12,
		segment_steps: 4,
		seed: [5; 32],
		..MlpConfig::new(data.features, data.classes)
	};
	mlp(&config, &data.train).expect("valid")
}

#[test]
fn paths_threads_and_the_referee_give_one_root() {
	let model = short(Lane::I8);
	let mut roots = BTreeSet::new();
	for path in Path::here() {
		for threads in [1, 2] {
			let engine = engine(&model, cpu(path, threads));
			let mut state = engine.initial_state();
			engine.run(&mut state, 12, &mut on).expect("runs");
			roots.insert(engine.state_root(&state).expect("a root"));
		}
	}
	assert_eq!(roots.len(), 1);

	let engine = engine(&model, cpu(Path::Auto, 2));
	let program = engine.program();
	let mut state = engine.initial_state();
	engine.run(&mut state, 5, &mut on).expect("runs");
	let soft = program
		.state_tensors()
		.map(|(id, _)| (id, engine.state_tensor(&state, id).expect("a state tensor").bits().to_vec()))
		.collect();
	let data = model.data.iter().map(|(id, tensor)| (*id, tensor.bits().to_vec())).collect();
	let step = whole::run_step(program, 5, &soft, &data).expect("runs");
	let leaves = whole::trace_leaves(program, 5, &step).expect("a trace");
	let trace = engine.trace(&state).expect("runs");
	assert_eq!(trace.leaves(), leaves.iter().copied().map(Some).collect::<Vec<_>>());
}

/// Trains the digits; returns the mean training loss of all steps, and the evaluation.
fn train(lane: Lane) -> (f64, Evaluation) {
	let data = digits();
	let config = MlpConfig { hidden: vec![128, 128], steps: 600, lane, ..MlpConfig::new(data.features, data.classes) };
	let model = mlp(&config, &data.train).expect("valid");
	let cpu = cpu(Path::Auto, 1);
	let engine = engine(&model, cpu.clone());
	let (mut state, mut total) = (engine.initial_state(), 0f64);
	let mut sum = |report: &assay_engine::StepReport<'_>| {
		total += f64::from(report.metrics[0]);
		ControlFlow::Continue(())
	};
	engine.run(&mut state, config.steps, &mut sum).expect("runs");
	let evaluation = evaluate(&config, &engine, &state, &data.held_out, cpu).expect("evaluates");
	(total / config.steps as f64, evaluation)
}

#[test]
fn a_language_model_trains_as_well_in_int8() {
	let losses = |lane| {
		let model = small_transformer_of(0.0, lane);
		assert_eq!(model.program.header.lane, lane);
		let engine = engine(&model, cpu(Path::Auto, 1));
		let mut losses = Vec::new();
		let mut keep = |report: &assay_engine::StepReport<'_>| {
			losses.push(f64::from(report.metrics[0]));
			ControlFlow::Continue(())
		};
		engine.run(&mut engine.initial_state(), 60, &mut keep).expect("runs");
		losses
	};
	let (exact, bytes) = (losses(Lane::F32), losses(Lane::I8));
	let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
	println!("mean loss {} and {}, last {} and {}", mean(&exact), mean(&bytes), exact[59], bytes[59]);
	assert!((mean(&bytes) / mean(&exact) - 1.0).abs() < 0.01, "{} and {}", mean(&exact), mean(&bytes));
	assert_ne!(exact, bytes, "nothing was rounded");
	assert!(bytes[59] < 0.3, "{bytes:?}");
}

#[test]
fn digits_train_as_well_in_int8() {
	let ((loss, exact), (loss_i8, bytes)) = (train(Lane::F32), train(Lane::I8));
	println!("training loss {loss} and {loss_i8}; held out {exact:?} and {bytes:?}");
	assert!((loss_i8 / loss - 1.0).abs() < 0.01, "training loss {loss} and {loss_i8}");
	assert_ne!(loss_i8, loss, "nothing was rounded");
	assert!(bytes.loss < exact.loss * 1.01, "held out {exact:?} and {bytes:?}");
	assert!(bytes.accuracy >= 0.96, "held out {bytes:?}");
}

/// What is quantised once is what every step of a product in int8 quantises.
#[test]
fn quantised_before_is_quantised_in_the_step() {
	let special = [0.0f32, -0.0, 1e-45, -1e-45, 1e-38, 3e38, -3e38, 0.5, -1.5, 127.0, 63.5];
	let number = |at: u32| match at % 5 {
		0 => special[(at / 5) as usize % special.len()],
		_ => (at.wrapping_mul(2_654_435_761) >> 8) as f32 / 4096.0 - 2048.0,
	};
	for (rows, cols, factor) in [(7, 5, 1.0f32), (40, 66, 1e-3), (1, 9, 1e-42), (9, 1, 0.0)] {
		let bits = (0..rows * cols).map(|at| (number(at) * factor).to_bits()).collect();
		let w = Tensor::new(DType::F32, rows, cols, bits).expect("one per element");
		for transposed in [false, true] {
			let (inner, over) = if transposed { (cols, Axis::Cols) } else { (rows, Axis::Rows) };
			let (bytes, scales) = quantised(&w, over).expect("a tensor");
			let mut graph = Graph::new(1);
			let x = graph.uniform_param("x", 3, inner, 1.0);
			let given = [("w", &w), ("bytes", &bytes), ("scales", &scales)];
			let data = given.map(|(name, tensor)| (graph.data(name, tensor.spec(), tensor.root()), tensor.clone()));
			let [w, bytes, scales] = [0, 1, 2].map(|at: usize| data[at].0);
			let inside = graph.matmul_i8_transposed(x, false, w, transposed);
			let (rows_of_x, by_row) = graph.quantise_rows(x);
			let sums = graph.int8_matmul(rows_of_x, false, bytes, transposed);
			let before = graph.dequantise(sums, by_row, scales);
			let spec = graph.spec(inside);
			let state = graph.state("y", spec.rows, spec.cols, Init::Zeros);
			graph.update(state, inside);
			let program = graph.finish(header()).expect("valid");
			let data = data.into_iter().map(|(value, tensor)| (id(value), tensor)).collect();
			let engine = Engine::new(program, data, cpu(Path::Auto, 1)).expect("loads");
			let values = engine.outputs(&engine.initial_state(), &[id(inside), id(before)]).expect("runs");
			assert_eq!(values[0], values[1], "{rows} x {cols}, {transposed}");
		}
	}
}

#[test]
fn a_convolutional_network_learns_in_int8() {
	let data = digits();
	let config = CnnConfig { steps: 120, lane: Lane::I8, ..CnnConfig::new(8, 8, 1, data.classes) };
	let model = cnn(&config, &data.train).expect("valid");
	assert_eq!(model.program.header.lane, Lane::I8);
	let mut roots = BTreeSet::new();
	for (path, threads) in [(Path::Auto, 1), (Path::Portable, 2)] {
		let cpu = cpu(path, threads);
		let engine = engine(&model, cpu.clone());
		let mut state = engine.initial_state();
		let steps = if path == Path::Auto { config.steps } else { 3 };
		engine.run(&mut state, 3, &mut on).expect("runs");
		roots.insert(engine.state_root(&state).expect("a root"));
		engine.run(&mut state, steps, &mut on).expect("runs");
		if path == Path::Auto {
			let after = evaluate_cnn(&config, &engine, &state, &data.held_out, cpu).expect("evaluates");
			assert!(after.accuracy > 0.93, "{after:?}");
		}
	}
	assert_eq!(roots.len(), 1);
}
