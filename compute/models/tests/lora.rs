//! Low-rank adaptation: the adapted layer learns, the frozen weight stays.

mod support;

use std::ops::ControlFlow;

use assay_engine::{Engine, Path};
use assay_models::{lora, Graph, Optimiser};
use assay_program::{Header, Init, Lane};
use support::cpu;

#[test]
fn only_the_low_rank_part_is_trained() {
	let mut graph = Graph::new(1);
	let x = graph.uniform_param("x", 30, 20, 1.0);
	let weight = graph.uniform_param("weight", 20, 10, 0.3);
	let layer = lora(&mut graph, "layer", x, weight, 4, 8.0);
	// What the layer should learn: its own output plus a rank-one part.
	let shift = graph.param("shift", 20, 10, Init::Constant(0.1f32.to_bits()));
	let (frozen, moved) = (graph.matmul(x, weight), graph.matmul(x, shift));
	let wanted = graph.add(frozen, moved);
	let error = graph.sub(layer.output, wanted);
	let square = graph.mul(error, error);
	let loss = graph.mean_all(square);
	graph.metric(loss);
	let params = [layer.a, layer.b];
	let gradients = graph.gradients(loss, &params);
	Optimiser::adamw(0.02).apply(&mut graph, &params, &gradients);
	let header = Header { version: 1, lane: Lane::F32, seed: [3; 32], steps: 150, batch: 1, segment_steps: 50 };
	let program = graph.finish(header).expect("valid");
	let engine = Engine::new(program, Vec::new(), cpu(Path::Auto, 1)).expect("loads");
	let start = engine.initial_state();
	let mut state = start.clone();
	let mut losses = Vec::new();
	let mut keep = |report: &assay_engine::StepReport<'_>| {
		losses.push(report.metrics[0]);
		ControlFlow::Continue(())
	};
	engine.run(&mut state, 150, &mut keep).expect("runs");
	assert!(losses[149] < 0.01 * losses[0], "{} to {}", losses[0], losses[149]);
	let at = |state, name: &str| engine.state_tensor_named(state, name).expect("a tensor");
	assert_eq!(at(&start, "weight"), at(&state, "weight"));
	for trained in ["layer.lora_a", "layer.lora_b"] {
		assert_ne!(at(&start, trained), at(&state, trained));
	}
	assert!(at(&start, "layer.lora_b").bits().iter().all(|bits| *bits == 0));
}
