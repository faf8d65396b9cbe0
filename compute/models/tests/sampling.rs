//! Sampling is a function of seed, step and logits, and has the odds of the softmax.

mod support;

use assay_engine::{Engine, Path, Tensor};
use assay_models::{sample, Graph};
use assay_program::{DType, Header, Init, Lane};
use support::cpu;

const LOGITS: [f32; 4] = [0.0, 1.0, -1.0, 2.0];

/// Columns drawn for `rows` rows of the same logits in each of two steps.
fn drawn(rows: u32, temperature: f32, seed: u8) -> [Vec<u32>; 2] {
	let mut graph = Graph::new(1);
	let logits = Tensor::new(DType::F32, 1, 4, LOGITS.map(f32::to_bits).to_vec()).expect("a row");
	let data = graph.data("logits", logits.spec(), logits.root());
	let zeros = graph.param("zeros", rows, 4, Init::Zeros);
	let each = graph.add(zeros, data);
	let ids = sample(&mut graph, each, temperature);
	let hot = graph.one_hot(ids, 4);
	let kept = graph.state("kept", rows, 4, Init::Zeros);
	graph.update(kept, hot);
	let header = Header { version: 1, lane: Lane::F32, seed: [seed; 32], steps: 2, batch: 1, segment_steps: 1 };
	let data = vec![(data.tensor().expect("data"), logits)];
	let engine = Engine::new(graph.finish(header).expect("valid"), data, cpu(Path::Auto, 2)).expect("loads");
	let mut state = engine.initial_state();
	[0, 1].map(|step| {
		engine.run(&mut state, step, &mut support::on).expect("runs");
		let id = ids.tensor().expect("an op's output");
		engine.outputs(&state, &[id]).expect("runs").remove(0).bits().to_vec()
	})
}

#[test]
fn draws_have_the_odds_of_the_softmax() {
	let rows = 40_000u32;
	for temperature in [1.0, 0.5] {
		let [columns, _] = drawn(rows, temperature, 1);
		let powers = LOGITS.map(|logit| f64::from(logit / temperature).exp());
		for (column, power) in powers.iter().enumerate() {
			let odds = power / powers.iter().sum::<f64>();
			let share = columns.iter().filter(|drawn| **drawn == column as u32).count() as f64 / f64::from(rows);
			// Five standard deviations.
			let bound = 5.0 * (odds * (1.0 - odds) / f64::from(rows)).sqrt();
			assert!((share - odds).abs() < bound, "{column}: {share} of {odds}");
		}
	}
}

#[test]
fn draws_depend_on_seed_and_step_alone() {
	let [first, second] = drawn(500, 1.0, 1);
	assert_ne!(first, second);
	assert_eq!([first.clone(), second], drawn(500, 1.0, 1));
	assert_ne!(first, drawn(500, 1.0, 2)[0]);
}
