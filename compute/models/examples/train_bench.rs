//! A training step of a transformer in lanes F32 and I8, beside PyTorch's in f32.
//!
//! `cargo run --release -p assay-models --example train_bench -- [--rounds N] [--ops yes] [--json FILE]`
//!
//! All of them take turns, step by step, so that each meets the same load; the fastest step counts. `scripts/bench train`
//! finds a Python with PyTorch to compare with.

mod support;

use std::{ops::ControlFlow, sync::Arc, time::Instant};

use assay_engine::{Cpu, Engine, Path, State};
use assay_models::transformer;
use assay_program::Lane;
use support::{config, least, option, peer::Peer, tokens, write_rows, SHAPE};

struct Ours {
	name: &'static str,
	engine: Engine,
	state: State,
	best: Option<f64>,
}

impl Ours {
	fn new(name: &'static str, lane: Lane, threads: usize) -> Result<Self, Box<dyn std::error::Error>> {
		let config = config(lane);
		let model = transformer(&config, &tokens(&config)?)?;
		let engine = Engine::new(model.program, model.data, Arc::new(Cpu::new(Path::Auto, threads)?))?;
		let state = engine.initial_state();
		Ok(Self { name, engine, state, best: None })
	}

	/// Steps, the fastest of which counts: the first of a run makes room for its tensors.
	fn steps(&mut self, count: u64) -> Result<(), Box<dyn std::error::Error>> {
		let (mut last, mut best) = (Instant::now(), self.best);
		let until = self.state.step() + count;
		self.engine.run(&mut self.state, until, &mut |_| {
			best = least(best, Some(last.elapsed().as_secs_f64()));
			last = Instant::now();
			ControlFlow::Continue(())
		})?;
		self.best = best;
		Ok(())
	}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
	let rounds: usize = option("--rounds").and_then(|rounds| rounds.parse().ok()).unwrap_or(4);
	let mut rows = Vec::new();
	for threads in [1u32, 2] {
		let mut ours = [Ours::new("F32", Lane::F32, threads as usize)?, Ours::new("I8", Lane::I8, threads as usize)?];
		let settings: Vec<(&str, u32)> = SHAPE.into_iter().chain([("threads", threads)]).collect();
		let mut peer = Peer::start("train", &settings);
		let mut theirs = None;
		for _ in 0..rounds {
			for ours in &mut ours {
				ours.steps(3)?;
			}
			for _ in 0..3 {
				theirs = least(theirs, peer.as_mut().and_then(Peer::run));
			}
		}
		for ours in &ours {
			let (seconds, flops) = (ours.best.unwrap_or(f64::NAN), ours.engine.program().step_cost().flops);
			let rate = flops as f64 / seconds / 1e9;
			let ratio = theirs.map(|theirs| seconds / theirs);
			println!(
				"{threads} threads, lane {}: {:.1} ms, {rate:.1} GFLOP/s; {}: {} ms, ours takes {} of it",
				ours.name,
				seconds * 1e3,
				peer.as_ref().map_or("no comparison", |peer| peer.version.as_str()),
				theirs.map_or("-".into(), |theirs| format!("{:.1}", theirs * 1e3)),
				ratio.map_or("-".into(), |ratio| format!("{ratio:.2}")),
			);
			let number = |value: Option<f64>| value.map_or("null".into(), |value| value.to_string());
			rows.push(format!(
				r#"{{"threads": {threads}, "lane": "{}", "seconds": {seconds}, "gflops": {rate}, "peer": "{}", "peer_seconds": {}, "ratio": {}}}"#,
				ours.name,
				peer.as_ref().map_or("", |peer| peer.version.as_str()),
				number(theirs),
				number(ratio)
			));
		}
	}
	for (name, lane) in [("F32", Lane::F32), ("I8", Lane::I8)] {
		let mut ours = Ours::new(name, lane, 1)?;
		println!("one thread, lane {name}, by work:\n{}", ours.engine.profile(&mut ours.state, 4)?);
		if option("--ops").is_some() {
			let engine = ours.engine.op_by_op();
			println!("the same, op by op:\n{}", engine.profile(&mut ours.state, 3)?);
		}
	}
	write_rows(&rows)?;
	Ok(())
}
