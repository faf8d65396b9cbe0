//! How accurate the Gaussian error linear unit is in its exact form.

use std::{ops::ControlFlow, sync::Arc};

use assay_engine::{Cpu, Engine, Path};
use assay_models::{gelu_erf, Graph};
use assay_program::{Header, Init, Lane};

/// The error function by its Taylor series; 1 from 4 on, within 2e-8.
fn erf(x: f64) -> f64 {
	if x.abs() > 4.0 {
		return x.signum();
	}
	let (mut power, mut sum) = (x, x);
	for n in 1..120 {
		power *= -x * x / f64::from(n);
		sum += power / f64::from(2 * n + 1);
	}
	sum * core::f64::consts::FRAC_2_SQRT_PI
}

#[test]
fn it_is_within_a_millionth_of_the_exact_form() {
	let mut graph = Graph::new(1);
	let step = graph.state("step", 1, 1, Init::Constant((-12.0f32).to_bits()));
	let next = graph.add(step, 0.003_713);
	graph.update(step, next);
	let y = gelu_erf(&mut graph, step);
	graph.metric(y);
	let version = assay_program::validate::VERSION;
	let header = Header { version, lane: Lane::F32, seed: [0; 32], steps: 6500, batch: 1, segment_steps: 1 };
	let program = graph.finish(header).unwrap();
	let engine = Engine::new(program, Vec::new(), Arc::new(Cpu::new(Path::Portable, 1).unwrap())).unwrap();
	let mut state = engine.initial_state();
	let mut x = -12.0f32;
	let mut worst = 0f64;
	engine
		.run(&mut state, 6500, &mut |report| {
			let exact = 0.5 * f64::from(x) * (1.0 + erf(f64::from(x) * core::f64::consts::FRAC_1_SQRT_2));
			worst = worst.max((f64::from(report.metrics[0]) - exact).abs());
			x += 0.003_713;
			ControlFlow::Continue(())
		})
		.unwrap();
	assert!(x > 12.0 && worst < 1e-6, "{x} {worst:e}");
}
