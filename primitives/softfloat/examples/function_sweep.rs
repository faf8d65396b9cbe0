//! Measures every function over every binary32 input and compares the bits with the machine's.
//!
//! `cargo run --release -p assay-softfloat --example function_sweep -- [--stride N] [--soft-every N] [--function NAME]`
//!
//! `--stride` thins the inputs; `--soft-every` thins only the comparison of integers with the machine, which is most of
//! the time. Both are 1 unless given.
//!
//! Prints, per function: inputs, largest error in units of the last place, the input that has it, and a digest of all
//! (input, output) pairs, which is the same on every machine. Fails if the bits differ, a stated bound is exceeded, or
//! the digest of all inputs is another one than stated.

#[path = "../tests/hardware/accuracy.rs"]
mod accuracy;
#[path = "../tests/hardware/mod.rs"]
mod hardware;

use accuracy::{functions, sweep, Finding};
use std::{process::ExitCode, time::Instant};

fn option(name: &str) -> Option<String> {
	let arguments: Vec<String> = std::env::args().collect();
	let at = arguments.iter().position(|argument| argument == name)?;
	arguments.get(at + 1).cloned()
}

fn positive(name: &str) -> Result<usize, String> {
	match option(name).map(|text| text.parse::<usize>()) {
		None => Ok(1),
		Some(Ok(value)) if value > 0 => Ok(value),
		_ => Err(format!("{name} takes a positive integer")),
	}
}

fn main() -> ExitCode {
	let (stride, soft_every) = match (positive("--stride"), positive("--soft-every")) {
		(Ok(stride), Ok(soft_every)) => (stride as u64, soft_every),
		(Err(message), _) | (_, Err(message)) => {
			eprintln!("{message}");
			return ExitCode::FAILURE;
		}
	};
	let only = option("--function");
	let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
	let mut correct = true;
	for function in functions() {
		if only.as_deref().is_some_and(|name| name != function.name) {
			continue;
		}
		let start = Instant::now();
		let slices = (1u64 << 32).div_ceil(stride).div_ceil(threads) * stride;
		let finding = std::thread::scope(|scope| {
			let function = &function;
			let workers: Vec<_> = (0..threads)
				.map(|i| {
					let range = (i * slices).min(1 << 32)..((i + 1) * slices).min(1 << 32);
					scope.spawn(move || sweep(function, range, stride, soft_every))
				})
				.collect();
			workers
				.into_iter()
				.map(|worker| worker.join().expect("a sweep does not panic"))
				.fold(Finding::default(), Finding::join)
		});
		let known = stride > 1 || finding.digest == function.digest;
		let good = finding.differs.is_none() && finding.max_ulp <= function.bound && known;
		correct &= good;
		println!(
			"{:<8} inputs {} max_ulp {:.4} at {:08x} digest {:016x} seconds {:.1} {}",
			function.name,
			finding.inputs,
			finding.max_ulp,
			finding.worst,
			finding.digest,
			start.elapsed().as_secs_f64(),
			match finding.differs {
				Some(input) => format!("BITS DIFFER at {input:08x}"),
				None if good => "ok".into(),
				None if !known => format!("THE DIGEST WAS {:016x}", function.digest),
				None => format!("ABOVE THE BOUND {}", function.bound),
			}
		);
	}
	if correct {
		ExitCode::SUCCESS
	} else {
		ExitCode::FAILURE
	}
}
