//! Whole training runs: state, metrics and roots after every step are those of the CPU engine.

use std::{ops::ControlFlow, sync::Arc};

use assay_cuda::{Backend, Session, SessionError};
use assay_cuda_emulation::{Emulated, Order};
use assay_engine::{Cpu, Engine, Path, State, Tensor};
use assay_models::{transformer, Model, Optimiser, TransformerConfig};
use assay_program::{DType, TensorId};

/// Sequences in which each token follows from the one before: 3 x + 1 modulo 13, from every start.
fn sequences(length: u32) -> Tensor {
	let tokens = (0..13u32).flat_map(|start| {
		(0..length).scan(start, |token, _| {
			let now = *token;
			*token = (3 * now + 1) % 13;
			Some(now)
		})
	});
	Tensor::new(DType::I32, 13, length, tokens.collect()).expect("one per position")
}

/// A language model of two blocks with dropout: every kind of op that training one needs.
fn model(learning_rate: f32) -> Model {
	let config = TransformerConfig {
		vocabulary: 13,
		context: 9,
		layers: 2,
		heads: 2,
		width: 32,
		dropout: 0.1,
		optimiser: Optimiser::adamw(learning_rate),
		batch: 5,
		steps: 60,
		segment_steps: 10,
		seed: [7; 32],
	};
	transformer(&config, &sequences(10)).expect("valid")
}

fn engine(model: &Model) -> Engine {
	let cpu = Arc::new(Cpu::new(Path::Auto, 1).expect("a backend"));
	Engine::new(model.program.clone(), model.data.clone(), cpu).expect("loads")
}

fn bits(engine: &Engine, state: &State) -> Vec<Vec<u32>> {
	let tensors = engine.program().state_tensors();
	tensors.map(|(id, _)| engine.state_tensor(state, id).expect("a state tensor").bits().to_vec()).collect()
}

fn data(model: &Model) -> Vec<(TensorId, &[u32])> {
	model.data.iter().map(|(id, tensor)| (*id, tensor.bits())).collect()
}

#[test]
fn training_gives_the_state_of_the_cpu_engine() {
	let model = model(0.003);
	let engine = engine(&model);
	for (multiprocessors, order) in [(1, Order::Descending), (200, Order::Scattered)] {
		let backend = Backend::on(Emulated::new(multiprocessors, order)).expect("memory");
		let mut state = engine.initial_state();
		let mut session =
			Session::new(&backend, engine.program(), &data(&model), &bits(&engine, &state), 0).expect("fits");
		for step in 0..3 {
			let mut metrics = Vec::new();
			let mut keep = |report: &assay_engine::StepReport<'_>| {
				metrics = report.metrics.iter().map(|metric| metric.to_bits()).collect();
				ControlFlow::Continue(())
			};
			engine.run(&mut state, step + 1, &mut keep).expect("runs");
			session.step().expect("runs");
			assert_eq!(session.steps_done(), step + 1);
			assert_eq!(session.metrics().expect("reads"), metrics, "step {step}");
			assert!(session.state().expect("reads") == bits(&engine, &state), "step {step}: the states differ");
		}
		let tensors = engine.program().state_tensors();
		let roots: Vec<_> =
			tensors.map(|(id, _)| engine.state_tensor(&state, id).expect("a state tensor").root()).collect();
		assert_eq!(session.state_roots().expect("hashes"), roots);
	}
}

#[test]
fn a_session_goes_on_from_a_checkpoint() {
	let model = model(0.003);
	let engine = engine(&model);
	let backend = Backend::on(Emulated::new(8, Order::Ascending)).expect("memory");
	let mut state = engine.initial_state();
	engine.run(&mut state, 4, &mut |_| ControlFlow::Continue(())).expect("runs");
	let mut session = Session::new(&backend, engine.program(), &data(&model), &bits(&engine, &state), 4).expect("fits");
	session.step().expect("runs");
	engine.run(&mut state, 5, &mut |_| ControlFlow::Continue(())).expect("runs");
	assert!(session.state().expect("reads") == bits(&engine, &state));
}

#[test]
fn a_step_that_overflows_leaves_the_state() {
	let model = model(0.003);
	let engine = engine(&model);
	let backend = Backend::on(Emulated::new(8, Order::Ascending)).expect("memory");
	let mut start = bits(&engine, &engine.initial_state());
	// The largest number everywhere in the first parameter: products with it overflow.
	start[0].fill(0x7f7f_ffff);
	let mut session = Session::new(&backend, engine.program(), &data(&model), &start, 0).expect("fits");
	let failed = session.step();
	let (_, large) = engine.program().state_tensors().next().expect("a parameter");
	let tensor = Tensor::new(large.dtype, large.rows, large.cols, start[0].clone()).expect("its shape");
	let mut state = engine.state_at(0, |name| (name.as_bytes() == large.name).then(|| tensor.clone())).expect("fits");
	match (engine.run(&mut state, 1, &mut |_| ControlFlow::Continue(())), failed) {
		(Err(assay_engine::RunError::NonFinite { op: cpu, .. }), Err(SessionError::NonFinite { step: 0, op })) => {
			assert_eq!(op, cpu);
		}
		other => panic!("{other:?}"),
	}
	assert_eq!(session.steps_done(), 0);
	assert!(session.state().expect("reads") == start, "the state was written");
}

#[test]
fn what_does_not_belong_to_the_program_is_refused() {
	let model = model(0.003);
	let engine = engine(&model);
	let backend = Backend::on(Emulated::new(8, Order::Ascending)).expect("memory");
	let start = bits(&engine, &engine.initial_state());
	let refused = |data: &[(TensorId, &[u32])], state: &[Vec<u32>]| {
		Session::new(&backend, engine.program(), data, state, 0).map(|_| ()).expect_err("refused")
	};
	assert!(matches!(refused(&[], &start), SessionError::Data(_)));
	assert_eq!(refused(&data(&model), &start[1..]), SessionError::State);
	let longer: Vec<_> = start.iter().cloned().chain([vec![0]]).collect();
	assert_eq!(refused(&data(&model), &longer), SessionError::State);
}
