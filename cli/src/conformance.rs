//! Whether this machine computes the bits that every other machine computes, on each set of instructions that it has.

use assay_engine::{Cpu, Path};
use assay_models::conformance;
use serde::Serialize;
use std::sync::Arc;

/// The outcome of one run on one set of instructions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
	/// Instructions: portable, avx2, avx512, amx or neon.
	pub path: &'static str,
	/// Threads.
	pub threads: usize,
	/// What was trained.
	pub run: &'static str,
	/// State root at the end; absent if the run failed.
	pub root: Option<String>,
	/// Whether it is the known one.
	pub conforms: bool,
	/// Time of all runs on these instructions and threads.
	pub milliseconds: u64,
	/// Why the run failed.
	pub error: Option<String>,
}

/// Runs it on every set of instructions that the processor has, with one thread and with all. Those that it was found to get
/// wrong before are in the list too: they do not start.
pub fn check() -> Vec<Outcome> {
	Path::here()
		.chain(Path::faulty())
		.flat_map(|path| [1, 0].map(|threads| outcomes(path.name(), path, threads)))
		.flatten()
		.collect()
}

fn outcomes(path: &'static str, instructions: Path, threads: usize) -> Vec<Outcome> {
	let started = std::time::Instant::now();
	let failed = Outcome { path, threads, run: "start", root: None, conforms: false, milliseconds: 0, error: None };
	let cpu = match Cpu::new(instructions, threads) {
		Ok(cpu) => Arc::new(cpu),
		Err(error) => return vec![Outcome { error: Some(error.to_string()), ..failed }],
	};
	let runs = conformance(&cpu);
	let milliseconds = started.elapsed().as_millis() as u64;
	let outcome = |run: assay_models::Conformance| Outcome {
		threads: cpu.threads(),
		run: run.run,
		conforms: run.conforms(),
		milliseconds,
		error: run.found.as_ref().err().cloned(),
		root: run.found.ok(),
		..failed.clone()
	};
	runs.into_iter().map(outcome).collect()
}
