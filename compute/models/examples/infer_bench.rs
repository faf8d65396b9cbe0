//! Tokens per second of a language model's forward pass and sequences per second of an encoder, in lanes F32 and I8, beside
//! onnxruntime in f32 and int8.
//!
//! `cargo run --release -p assay-models --example infer_bench -- [--rounds N] [--json FILE]`
//!
//! All take turns, so that each meets the same load; the fastest run counts. Programs keep no cache of keys and values from step to
//! step yet, so what is measured is the pass over whole sequences, as in prefill, and not token by token.

mod support;

use std::{ops::ControlFlow, sync::Arc, time::Instant};

use assay_engine::{Cpu, Engine, Path, State};
use assay_program::Lane;
use support::{least, net::Shape, option, peer::Peer, write_rows};

/// The language model of `train_bench`, and an encoder of the shape of small sentence encoders.
const NETS: [(&str, Shape, &str); 2] = [
	(
		"language model",
		Shape {
			vocabulary: 8192,
			context: 128,
			layers: 6,
			heads: 6,
			width: 384,
			batch: 8,
			encode: false,
			lane: Lane::F32,
		},
		"infer-onnx",
	),
	(
		"encoder",
		Shape {
			vocabulary: 30_522,
			context: 64,
			layers: 6,
			heads: 12,
			width: 384,
			batch: 8,
			encode: true,
			lane: Lane::F32,
		},
		"encode-onnx",
	),
];

struct Ours {
	engine: Engine,
	state: State,
	best: Option<f64>,
}

impl Ours {
	fn new(shape: Shape, threads: usize) -> Result<Self, Box<dyn std::error::Error>> {
		let model = shape.build()?;
		let engine = Engine::new(model.program, model.data, Arc::new(Cpu::new(Path::Auto, threads)?))?;
		let state = engine.initial_state();
		Ok(Self { engine, state, best: None })
	}

	fn run(&mut self, count: u64) -> Result<(), Box<dyn std::error::Error>> {
		let (until, mut last, mut best) = (self.state.step() + count, Instant::now(), self.best);
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
	for (name, shape, kind) in NETS {
		for threads in [1u32, 2] {
			let lanes = [Lane::F32, Lane::I8];
			let mut ours = Vec::new();
			for lane in lanes {
				ours.push(Ours::new(Shape { lane, ..shape }, threads as usize)?);
			}
			let settings = shape.settings(threads);
			let int8: Vec<_> = settings.iter().copied().chain([("int8", 1)]).collect();
			let mut peers = [Peer::start(kind, &settings), Peer::start(kind, &int8)];
			let mut theirs = [None; 2];
			for _ in 0..rounds {
				for ours in &mut ours {
					ours.run(5)?;
				}
				for (peer, theirs) in peers.iter_mut().zip(&mut theirs) {
					for _ in 0..5 {
						*theirs = least(*theirs, peer.as_mut().and_then(Peer::run));
					}
				}
			}
			let units = if shape.encode { shape.batch } else { shape.batch * shape.context };
			let rate = |seconds: Option<f64>| seconds.map(|seconds| f64::from(units) / seconds);
			let text = |rate: Option<f64>| rate.map_or("-".into(), |rate| format!("{rate:.1}"));
			let number = |value: Option<f64>| value.map_or("null".into(), |value| value.to_string());
			let unit = if shape.encode { "embeddings/s" } else { "tokens/s" };
			let version = peers.iter().flatten().map(|peer| peer.version.as_str()).next().unwrap_or("no comparison");
			for (ours, lane) in ours.iter().zip(lanes) {
				let rates = [ours.best, theirs[0], theirs[1]].map(rate);
				let [ours, f32, int8] = rates;
				println!(
					"{name}, {threads} threads, lane {lane:?}: {} {unit}; {version}: f32 {}, int8 {}; ours is {} and {} of it",
					text(ours),
					text(f32),
					text(int8),
					text(ours.zip(f32).map(|(a, b)| a / b)),
					text(ours.zip(int8).map(|(a, b)| a / b)),
				);
				rows.push(format!(
					r#"{{"net": "{name}", "threads": {threads}, "lane": "{lane:?}", "unit": "{unit}", "rate": {}, "peer": "{version}", "peer_f32": {}, "peer_int8": {}}}"#,
					number(ours),
					number(f32),
					number(int8)
				));
			}
		}
		if option("--profile").is_some() {
			for lane in [Lane::F32, Lane::I8] {
				let mut ours = Ours::new(Shape { lane, ..shape }, 1)?;
				println!("{name}, one thread, lane {lane:?}:\n{}", ours.engine.profile(&mut ours.state, 6)?);
			}
		}
	}
	write_rows(&rows)?;
	Ok(())
}
