//! What committing to a state costs beside the steps between two commitments.
//!
//! `cargo run --release -p assay-models --example commit_bench -- [--rounds N] [--json FILE]`
//!
//! A job commits to its state once per segment. The model is that of `train_bench`: 13.8 million parameters, with AdamW's
//! moments 166 MB of state.

mod support;

use std::{sync::Arc, time::Instant};

use assay_engine::{Cpu, Engine, Path};
use assay_models::transformer;
use assay_program::Lane;
use support::{config, least, option, tokens, write_rows};

/// Steps of a segment, for the shares printed.
const SEGMENTS: [u64; 3] = [1, 10, 100];

fn main() -> Result<(), Box<dyn std::error::Error>> {
	let rounds: usize = option("--rounds").and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
	let mut rows = Vec::new();
	for threads in [1, 2] {
		let config = config(Lane::F32);
		let model = transformer(&config, &tokens(&config)?)?;
		let engine = Engine::new(model.program, model.data, Arc::new(Cpu::new(Path::Auto, threads)?))?;
		let mut state = engine.initial_state();
		let (mut step, mut root) = (None, None);
		for _ in 0..rounds {
			let (until, mut last) = (state.step() + 3, Instant::now());
			engine.run(&mut state, until, &mut |_| {
				step = least(step, Some(last.elapsed().as_secs_f64()));
				last = Instant::now();
				std::ops::ControlFlow::Continue(())
			})?;
			let begin = Instant::now();
			engine.state_root(&state)?;
			root = least(root, Some(begin.elapsed().as_secs_f64()));
		}
		let (step, root) = (step.unwrap_or(f64::NAN), root.unwrap_or(f64::NAN));
		let bytes = engine.memory().state as f64;
		println!(
			"{threads} threads: step {:.1} ms, state root of {:.0} MB {:.1} ms ({:.1} GB/s)",
			step * 1e3,
			bytes / 1e6,
			root * 1e3,
			bytes / root / 1e9
		);
		for steps in SEGMENTS {
			let share = root / (root + step * steps as f64);
			println!("  segments of {steps} steps: {:.2} % of the time", share * 100.0);
			rows.push(format!(
				r#"{{"threads": {threads}, "segment_steps": {steps}, "step_seconds": {step}, "root_seconds": {root}, "share": {share}}}"#
			));
		}
	}
	write_rows(&rows)?;
	Ok(())
}
