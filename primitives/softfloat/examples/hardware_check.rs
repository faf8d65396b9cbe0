//! Compares every operation of `F32` with the machine on many random cases.
//!
//! `cargo run --release -p assay-softfloat --example hardware_check -- --cases 100000000 [--seed N] [--sqrt-sweep]`
//!
//! `--sqrt-sweep` also compares sqrt and the conversions on all 2^32 inputs.

#[path = "../tests/hardware/check.rs"]
mod check;
#[path = "../tests/hardware/mod.rs"]
mod hardware;

use std::{process::ExitCode, time::Instant};

fn number(name: &str, default: u64) -> Result<u64, String> {
	let arguments: Vec<String> = std::env::args().collect();
	let Some(at) = arguments.iter().position(|argument| argument == name) else {
		return Ok(default);
	};
	let text = arguments.get(at + 1).map(String::as_str).unwrap_or_default();
	text.parse().map_err(|_| format!("{name} takes a non-negative integer, not {text:?}"))
}

/// Splits the work over the cores; true if every part agreed.
fn parallel(name: &str, cases: u64, run: impl Fn(u64, u64) -> Result<(), check::Disagreement> + Sync) -> bool {
	let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
	let share = cases.div_ceil(threads);
	let start = Instant::now();
	let results: Vec<_> = std::thread::scope(|scope| {
		let run = &run;
		let workers: Vec<_> = (0..threads)
			.map(|i| scope.spawn(move || run((i * share).min(cases), ((i + 1) * share).min(cases))))
			.collect();
		workers.into_iter().map(|worker| worker.join().expect("a check does not panic")).collect()
	});
	let seconds = start.elapsed().as_secs_f64();
	for result in &results {
		if let Err((operation, operands, ours, machine)) = result {
			println!("{operation}({operands:08x?}) = {ours:08x}, the machine says {machine:08x}");
		}
	}
	let agreed = results.iter().all(Result::is_ok);
	println!("{name:<10} cases {cases} seconds {seconds:.1} {}", if agreed { "ok" } else { "DIFFERS" });
	agreed
}

fn main() -> ExitCode {
	let (cases, seed) = match (number("--cases", 10_000_000), number("--seed", 1)) {
		(Ok(cases), Ok(seed)) => (cases, seed),
		(Err(message), _) | (_, Err(message)) => {
			eprintln!("{message}");
			return ExitCode::FAILURE;
		}
	};
	let mut agreed = true;
	for operation in check::OPERATIONS {
		agreed &= parallel(operation, cases, |from, to| {
			check::random(operation, seed.wrapping_mul(0x9e37_79b9).wrapping_add(from) << 8, to - from)
		});
	}
	if std::env::args().any(|argument| argument == "--sqrt-sweep") {
		agreed &= parallel("all inputs", 1 << 32, |from, to| {
			(from..to).try_for_each(|bits| {
				check::sqrt(bits as u32)?;
				check::convert(bits as u32)
			})
		});
	}
	if agreed {
		ExitCode::SUCCESS
	} else {
		ExitCode::FAILURE
	}
}
