//! The digits classifier trained in lane F32 and in lane I8, on the same batches for the same steps.
//!
//! `cargo run --release -p assay-models --example lanes -- [seeds] [width of the hidden layers] [steps] [batch]`

use std::{fs::File, io::BufReader, ops::ControlFlow, sync::Arc, time::Instant};

use assay_engine::{Cpu, Engine, Path};
use assay_models::{evaluate, mlp, Classification, CsvOptions, Evaluation, MlpConfig};
use assay_program::Lane;

struct Run {
	/// Mean training loss of all steps, and of the last 100.
	losses: [f64; 2],
	evaluation: Evaluation,
	seconds: f64,
}

fn train(config: &MlpConfig, data: &Classification) -> Result<Run, Box<dyn std::error::Error>> {
	let cpu = Arc::new(Cpu::new(Path::Auto, 1)?);
	let model = mlp(config, &data.train)?;
	let engine = Engine::new(model.program, model.data, cpu.clone())?;
	let mut state = engine.initial_state();
	let mut losses = Vec::new();
	let started = Instant::now();
	engine.run(&mut state, config.steps, &mut |report| {
		losses.push(f64::from(report.metrics[0]));
		ControlFlow::Continue(())
	})?;
	let seconds = started.elapsed().as_secs_f64();
	let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
	let last = mean(&losses[losses.len().saturating_sub(100)..]);
	let evaluation = evaluate(config, &engine, &state, &data.held_out, cpu)?;
	Ok(Run { losses: [mean(&losses), last], evaluation, seconds })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
	let number = |at: usize, default: u32| std::env::args().nth(at).map_or(Ok(default), |number| number.parse());
	let (seeds, width, steps, batch) = (number(1, 3)?, number(2, 128)?, number(3, 600)?, number(4, 64)?);
	let file = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/digits.csv"))?;
	let options = CsvOptions { scale: 1.0 / 16.0, ..CsvOptions::default() };
	let data = Classification::from_csv(BufReader::new(file), &options)?;
	for seed in 0..seeds {
		for lane in [Lane::F32, Lane::I8] {
			let config = MlpConfig {
				hidden: vec![width; 2],
				batch,
				steps: steps.into(),
				lane,
				seed: [seed as u8; 32],
				..MlpConfig::new(data.features, data.classes)
			};
			let Run { losses: [all, last], evaluation: Evaluation { loss, accuracy }, seconds } =
				train(&config, &data)?;
			println!(
				"seed {seed}  {lane:?}  training loss {all:.5}, last 100 steps {last:.5}  held out {loss:.5}, accuracy {accuracy:.4}  {seconds:.2} s"
			);
		}
	}
	Ok(())
}
