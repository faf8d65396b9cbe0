//! A language model over the bytes of a text, trained in lane F32 and in lane I8 on the same sequences for the same steps.
//!
//! `cargo run --release -p assay-models --example language_lanes -- [--steps N] [--width N] [--seeds N] [--text FILE]`
//!
//! Without `--text` it reads the pages in `docs/`.

mod support;

use std::{error::Error, fs, ops::ControlFlow, sync::Arc};

use assay_engine::{Cpu, Engine, Path};
use assay_models::{evaluate_transformer, transformer, Optimiser, Sequences, TransformerConfig};
use assay_program::Lane;

fn text() -> Result<Vec<u8>, Box<dyn Error>> {
	if let Some(file) = support::option("--text") {
		return Ok(fs::read(file)?);
	}
	let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
	let mut pages: Vec<_> =
		fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
	pages.retain(|page| page.extension().is_some_and(|suffix| suffix == "md"));
	pages.sort();
	let read: Vec<Vec<u8>> = pages.iter().map(fs::read).collect::<Result<_, _>>()?;
	Ok(read.concat())
}

/// Mean training loss of all steps, of the last tenth, and the loss on what was held out.
fn train(config: &TransformerConfig, data: &Sequences) -> Result<[f64; 3], Box<dyn Error>> {
	let cpu = Arc::new(Cpu::new(Path::Auto, 0)?);
	let model = transformer(config, &data.train)?;
	let engine = Engine::new(model.program, model.data, cpu.clone())?;
	let (mut state, mut losses) = (engine.initial_state(), Vec::new());
	engine.run(&mut state, config.steps, &mut |report| {
		losses.push(f64::from(report.metrics[0]));
		ControlFlow::Continue(())
	})?;
	let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
	let held_out = evaluate_transformer(config, &engine, &state, &data.held_out, cpu)?;
	Ok([mean(&losses), mean(&losses[losses.len() - losses.len().div_ceil(10)..]), f64::from(held_out.loss)])
}

fn main() -> Result<(), Box<dyn Error>> {
	let number = |name: &str, default: u32| support::option(name).map_or(Ok(default), |number| number.parse());
	let (steps, width, seeds) = (number("--steps", 500)?, number("--width", 128)?, number("--seeds", 2)?);
	let ids: Vec<u32> = text()?.into_iter().map(u32::from).collect();
	let context = 64;
	let data = Sequences::cut(&ids, context, 10)?;
	println!("{} bytes of text, {steps} steps, width {width}", ids.len());
	for seed in 0..seeds {
		let mut found = Vec::new();
		for lane in [Lane::F32, Lane::I8] {
			let config = TransformerConfig {
				vocabulary: 256,
				context,
				layers: 4,
				heads: 4,
				width,
				dropout: 0.0,
				lane,
				optimiser: Optimiser::adamw(1e-3),
				batch: 16,
				steps: steps.into(),
				segment_steps: steps,
				seed: [seed as u8; 32],
			};
			let [all, last, held_out] = train(&config, &data)?;
			println!("seed {seed}  {lane:?}  training loss {all:.4}, last tenth {last:.4}, held out {held_out:.4}");
			found.push([all, last, held_out]);
		}
		let [exact, bytes] = [found[0], found[1]];
		let differences: Vec<String> =
			bytes.iter().zip(exact).map(|(bytes, exact)| format!("{:+.2} %", (bytes / exact - 1.0) * 100.0)).collect();
		println!("seed {seed}  I8 beside F32: {}", differences.join(", "));
	}
	Ok(())
}
