//! A small language model: it learns, and its result is one on every path and by the referee.

mod support;

use std::{collections::BTreeSet, ops::ControlFlow};

use assay_engine::{Outcome, Path};
use assay_referee::whole;
use support::{cpu, engine, on, small_transformer};

#[test]
fn it_learns_the_rule() {
	let model = small_transformer(0.0);
	let engine = engine(&model, cpu(Path::Auto, 2));
	let mut state = engine.initial_state();
	let mut losses = Vec::new();
	let mut keep = |report: &assay_engine::StepReport<'_>| {
		losses.push(report.metrics[0]);
		ControlFlow::Continue(())
	};
	assert_eq!(engine.run(&mut state, 60, &mut keep), Ok(Outcome::Finished));
	// Guessing costs ln 13 = 2.565 nats.
	assert!((losses[0] - 2.565).abs() < 0.1, "{losses:?}");
	assert!(losses[59] < 0.3, "{losses:?}");
}

#[test]
fn paths_threads_and_interruptions_give_one_root() {
	let model = small_transformer(0.1);
	let mut roots = BTreeSet::new();
	for path in Path::here() {
		for threads in [1, 2] {
			let engine = engine(&model, cpu(path, threads));
			let mut state = engine.initial_state();
			engine.run(&mut state, 7, &mut on).expect("runs");
			let blob = engine.encode_checkpoint(&state).expect("encodes");
			let (mut state, _) = engine.decode_checkpoint(&blob).expect("decodes");
			engine.run(&mut state, 12, &mut on).expect("runs");
			roots.insert(engine.state_root(&state).expect("a root"));
		}
	}
	assert_eq!(roots.len(), 1);
}

#[test]
fn the_referee_gets_the_same_trace() {
	let model = small_transformer(0.1);
	let engine = engine(&model, cpu(Path::Auto, 2));
	let program = engine.program();
	let mut state = engine.initial_state();
	engine.run(&mut state, 2, &mut on).expect("runs");
	let soft = program
		.state_tensors()
		.map(|(id, _)| (id, engine.state_tensor(&state, id).expect("a state tensor").bits().to_vec()))
		.collect();
	let data = model.data.iter().map(|(id, tensor)| (*id, tensor.bits().to_vec())).collect();
	let step = whole::run_step(program, 2, &soft, &data).expect("runs");
	let leaves = whole::trace_leaves(program, 2, &step).expect("a trace");
	let trace = engine.trace(&state).expect("runs");
	assert_eq!(trace.leaves(), leaves.iter().copied().map(Some).collect::<Vec<_>>());
}
