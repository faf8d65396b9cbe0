//! A small convolutional classifier on the digits.

mod support;

use std::{collections::BTreeSet, ops::ControlFlow};

use assay_engine::Path;
use assay_models::{cnn, evaluate_cnn, BuildError, CnnConfig, Model};
use assay_referee::whole;
use support::{cpu, digits, engine, on};

#[test]
fn it_learns_the_digits() {
	let data = digits();
	let config = CnnConfig { steps: 200, ..CnnConfig::new(8, 8, 1, data.classes) };
	let model = cnn(&config, &data.train).expect("valid");
	let cpu = cpu(Path::Auto, 2);
	let engine = engine(&model, cpu.clone());
	let mut state = engine.initial_state();
	let started = std::time::Instant::now();
	engine.run(&mut state, config.steps, &mut |_| ControlFlow::Continue(())).expect("runs");
	let after = evaluate_cnn(&config, &engine, &state, &data.held_out, cpu).expect("evaluates");
	println!("{} steps in {:?}: {after:?}", config.steps, started.elapsed());
	assert!(after.accuracy >= 0.97, "{after:?}");
}

fn short() -> Model {
	let data = digits();
	let config = CnnConfig {
		convolutions: vec![5, 33],
		batch: 6,
		steps: 4,
		segment_steps: 2,
		..CnnConfig::new(8, 8, 1, data.classes)
	};
	cnn(&config, &data.train).expect("valid")
}

#[test]
fn paths_threads_and_the_referee_give_one_root() {
	let model = short();
	let mut roots = BTreeSet::new();
	for path in Path::here() {
		for threads in [1, 2] {
			let engine = engine(&model, cpu(path, threads));
			let mut state = engine.initial_state();
			engine.run(&mut state, 4, &mut on).expect("runs");
			roots.insert(engine.state_root(&state).expect("a root"));
		}
	}
	assert_eq!(roots.len(), 1);

	let engine = engine(&model, cpu(Path::Auto, 2));
	let program = engine.program();
	let state = engine.initial_state();
	let data = model.data.iter().map(|(id, tensor)| (*id, tensor.bits().to_vec())).collect();
	let step = whole::run_step(program, 0, &whole::init_state(program), &data).expect("runs");
	let leaves = whole::trace_leaves(program, 0, &step).expect("a trace");
	let trace = engine.trace(&state).expect("runs");
	assert_eq!(trace.leaves(), leaves.iter().copied().map(Some).collect::<Vec<_>>());
}

#[test]
fn what_does_not_fit_is_refused() {
	let data = digits();
	let build = |config: CnnConfig| cnn(&config, &data.train).expect_err("refused");
	let config = CnnConfig::new(8, 8, 1, data.classes);
	let channels = CnnConfig { channels: 3, ..config.clone() };
	assert!(matches!(build(channels), BuildError::Data { what: "features", data: 64, model: 192 }));
	let deep = CnnConfig { convolutions: vec![4; 5], ..config.clone() };
	assert!(matches!(build(deep), BuildError::Window(window) if window.height == 1));
	assert_eq!(build(CnnConfig { clip: Some(0.0), ..config }), BuildError::Setting("clip"));
}
