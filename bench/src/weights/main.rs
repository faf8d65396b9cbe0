//! Measures the runtime's benchmarks in its own WebAssembly and writes the pallets' weights from them. `scripts/bench
//! weights` builds the runtime with its benchmarks and runs this.
//!
//! `bench-weights RUNTIME.wasm [--pallet NAME]... [--points N] [--repeats N] [--date DATE] [--json FILE] [--write ROOT]`
//!
//! The state lies in memory, so what is timed is computation; storage accesses are counted and cost what the runtime's
//! `DbWeight` says. `--write` replaces `pallets/*/src/weights/measured.rs` of the measured pallets below ROOT.

mod arguments;
mod chain;
mod cost;
mod file;
mod measure;

use std::path::Path;

use anyhow::{Context, Result};
use arguments::Arguments;
use chain::Chain;
use measure::Measured;
use serde_json::{json, Value};

/// Benchmarks whose costs another pallet charges: benchmark's pallet, benchmark, the pallet that charges it.
const CHARGED_ELSEWHERE: [(&str, &str, &str); 1] = [
	// What the receiver of a verdict does is the verification's work, and part of the call that ends the dispute.
	("pallet_verification", "verdict", "pallet_disputes"),
];

fn main() -> Result<()> {
	let arguments = Arguments::read(std::env::args_os().skip(1))?;
	let code = std::fs::read(&arguments.runtime).with_context(|| format!("{}", arguments.runtime.display()))?;
	let chain = Chain::new(code)?;
	let mut measured = Vec::new();
	println!(
		"{:24} {:24} {:>11} {:>11} {:>7} {:>7} {:>9}",
		"pallet", "benchmark", "median, us", "least, us", "reads", "writes", "proof, B"
	);
	for list in chain.benchmarks()? {
		if !arguments.wants(&list.pallet) {
			continue;
		}
		for benchmark in &list.benchmarks {
			let mut result = measure::run(&chain, &list, benchmark, &arguments)?;
			println!("{result}");
			let moved = CHARGED_ELSEWHERE.iter().find(|(from, name, _)| *from == result.pallet && *name == result.name);
			if let Some((_, _, charged)) = moved {
				result.pallet = (*charged).into();
			}
			measured.push(result);
		}
	}
	if let Some(path) = &arguments.json {
		let rows: Vec<Value> = measured.iter().map(row).collect();
		write(path, &serde_json::to_string_pretty(&rows)?)?;
	}
	if let Some(root) = &arguments.write {
		for (path, text) in file::all(root, &measured, &arguments) {
			write(&path, &text)?;
			println!("wrote {}", path.display());
		}
	}
	Ok(())
}

fn row(measured: &Measured) -> Value {
	let Measured { pallet, name, parameters, cost, least } = measured;
	let parameters: Vec<Value> = parameters
		.iter()
		.zip(&cost.slopes)
		.map(|((name, low, high), slope)| {
			json!({
				"name": name, "low": low, "high": high, "ref_time_ps": slope.time, "reads": slope.reads,
				"writes": slope.writes, "proof_bytes": slope.proof,
			})
		})
		.collect();
	json!({
		"what": "weight", "pallet": pallet, "benchmark": name, "ref_time_ps": cost.base.time, "reads": cost.base.reads,
		"writes": cost.base.writes, "proof_bytes": cost.base.proof, "least_ns": least, "parameters": parameters,
	})
}

fn write(path: &Path, text: &str) -> Result<()> {
	std::fs::write(path, text).with_context(|| format!("{}", path.display()))
}
