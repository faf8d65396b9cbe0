//! The example data set through the whole numeric stack.

mod support;

use std::ops::ControlFlow;

use assay_engine::Path;
use assay_models::{evaluate, mlp, MlpConfig};
use support::{cpu, digits, engine};

#[test]
fn the_default_model_learns_the_digits() {
	let data = digits();
	assert_eq!((data.features, data.classes), (64, 10));
	assert_eq!((data.train.y.spec().rows, data.held_out.y.spec().rows), (1438, 359));
	let config = MlpConfig::new(data.features, data.classes);
	let cpu = cpu(Path::Auto, 1);
	let model = mlp(&config, &data.train).expect("valid");
	let engine = engine(&model, cpu.clone());
	assert_eq!(engine.segments(), 24);
	let mut state = engine.initial_state();
	let before = evaluate(&config, &engine, &state, &data.held_out, cpu.clone()).expect("evaluates");
	assert!(before.accuracy < 0.3, "untrained: {before:?}");
	let started = std::time::Instant::now();
	let mut losses = Vec::new();
	engine
		.run(&mut state, config.steps, &mut |report| {
			losses.push(report.metrics[0]);
			ControlFlow::Continue(())
		})
		.expect("runs");
	let after = evaluate(&config, &engine, &state, &data.held_out, cpu).expect("evaluates");
	println!("{} steps in {:?}: {after:?}, first loss {}", losses.len(), started.elapsed(), losses[0]);
	assert!(after.accuracy >= 0.96, "trained: {after:?}");
	assert!(after.loss < 0.2, "trained: {after:?}");
}
