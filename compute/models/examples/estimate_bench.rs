//! Times of steps as the calibration of this machine foretells them, beside the real ones.
//!
//! `cargo run --release -p assay-models --example estimate_bench -- [--json FILE] [--kinds]`

mod support;

use std::sync::Arc;

use assay_engine::{Calibration, Cpu, Engine, Path, Profile, Tensor};
use assay_models::{cnn, mlp, transformer, Classification, CnnConfig, CsvOptions, MlpConfig, Model};
use assay_program::Lane;
use support::{config, least, tokens, write_rows};

fn digits() -> Result<Classification, Box<dyn std::error::Error>> {
	let file = std::fs::File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data/digits.csv"))?;
	let options = CsvOptions { scale: 1.0 / 16.0, ..CsvOptions::default() };
	Ok(Classification::from_csv(std::io::BufReader::new(file), &options)?)
}

fn language(lane: Lane) -> Result<Model, Box<dyn std::error::Error>> {
	let config = config(lane);
	let data: Tensor = tokens(&config)?;
	Ok(transformer(&config, &data)?)
}

/// Foretold and measured time of each kind of work, in milliseconds.
fn print_kinds(engine: &Engine, profile: &Profile, calibration: &Calibration) {
	println!("{calibration:?}");
	let foretold = engine.estimate_by_kind(calibration);
	for entry in &profile.entries {
		let known = foretold.iter().find(|(kind, _)| *kind == entry.kind);
		let (foretold, time) = (known.map_or(0.0, |(_, time)| time.as_secs_f64()), entry.time.as_secs_f64());
		println!("{:9.3} {:9.3} {:5} pieces  {}", foretold * 1e3, time * 1e3, entry.count, entry.kind);
	}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
	let data = digits()?;
	let wide = MlpConfig {
		hidden: vec![1024, 1024],
		batch: 256,
		steps: 100_000,
		..MlpConfig::new(data.features, data.classes)
	};
	let images = CnnConfig { steps: 100_000, ..CnnConfig::new(8, 8, 1, data.classes) };
	let models = [
		("mlp", mlp(&wide, &data.train)?, 20),
		("cnn", cnn(&images, &data.train)?, 20),
		("transformer F32", language(Lane::F32)?, 4),
		("transformer I8", language(Lane::I8)?, 4),
	];
	let mut rows = Vec::new();
	for threads in [1, 2] {
		let cpu = Arc::new(Cpu::new(Path::Auto, threads)?);
		for (name, model, steps) in &models {
			let engine = Engine::new(model.program.clone(), model.data.clone(), cpu.clone())?;
			let mut state = engine.initial_state();
			let (mut best, mut foretold) = (None, None);
			// In turns, so that both meet the same load. Both are sums of the fastest runs of small pieces, so what else the
			// machine does distorts neither much.
			for _ in 0..3 {
				let estimate = engine.estimate(&Calibration::measure(&cpu)?).as_secs_f64();
				foretold = least(foretold, Some(estimate));
				best = least(best, Some(engine.profile(&mut state, *steps)?.time().as_secs_f64()));
			}
			if std::env::args().any(|argument| argument == "--kinds") {
				print_kinds(&engine, &engine.profile(&mut state, *steps)?, &Calibration::measure(&cpu)?);
			}
			let (best, foretold) = (best.unwrap_or(f64::NAN), foretold.unwrap_or(f64::NAN));
			println!(
				"{name}, {threads} threads: foretold {:.2} ms, measured {:.2} ms, {:+.0} %",
				foretold * 1e3,
				best * 1e3,
				(foretold / best - 1.0) * 100.0
			);
			rows.push(format!(
				r#"{{"model": "{name}", "threads": {threads}, "foretold_seconds": {foretold}, "seconds": {best}}}"#
			));
		}
	}
	write_rows(&rows)?;
	Ok(())
}
