//! The long check of identity: every op kind, on everything that can run here, against the referee.
//!
//! ```text
//! cargo run --release -p assay-cuda-emulation --example identity_check [-- OPTIONS]
//!
//!   --elements N      input elements of each op kind (10000000)
//!   --emulated N      of these, on the emulated CUDA devices too (1000000)
//!   --seed N          of the random cases (1)
//!   --json FILE       also writes what was checked as data
//! ```
//!
//! Backends are every path of the CPU that this machine has, on one and on two threads, and the CUDA kernels as the
//! emulation runs them: a small device, and a large one with tensor cores. Shapes, special values and attributes are random
//! (`compute/cuda/src/cases/`). Of elementwise kinds and reductions each counts for itself. Ends with 0 if every
//! bit is equal, and with 1 at the first case that is not, which its seed and number repeat.

#[path = "../../cuda/conformance/mod.rs"]
mod conformance;
mod support;

use std::{
	collections::BTreeMap,
	process::ExitCode,
	sync::{
		atomic::{AtomicBool, AtomicU64, Ordering},
		Mutex, PoisonError,
	},
	time::Instant,
};

use assay_cpu::{Cpu, Path};
use assay_cuda::{
	cases::{case, compare, label, Given, CLASSES},
	Backend,
};
use assay_cuda_emulation::{Emulated, Order};
use conformance::{check::referee, fuzz::kinds};
use support::{on_cpus, Options};

/// Cases of a class in which each of its kinds was seen.
const SEEN_AFTER: u64 = 256;

/// What was checked of a kind.
#[derive(Clone, Copy, Default)]
struct Count {
	cases: u64,
	inputs: u64,
	outputs: u64,
	emulated: u64,
}

fn main() -> ExitCode {
	let options = match Options::parse(std::env::args().skip(1)) {
		Ok(options) => options,
		Err(error) => {
			eprintln!("identity_check: {error}");
			return ExitCode::from(2);
		}
	};
	let started = Instant::now();
	let counts: Mutex<BTreeMap<String, Count>> =
		Mutex::new(kinds().map(|kind| (label(kind), Count::default())).collect());
	let (next, failed) = (AtomicU64::new(0), AtomicBool::new(false));
	let failure = Mutex::new(None);
	let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get()).min(CLASSES as usize);
	println!("{} kinds, {threads} threads", lock(&counts).len());
	std::thread::scope(|scope| {
		for _ in 0..threads {
			scope.spawn(|| loop {
				let class = next.fetch_add(1, Ordering::Relaxed);
				if class >= CLASSES || failed.load(Ordering::Relaxed) {
					return;
				}
				if let Err(error) = check_class(class, &options, &counts, &failed) {
					failed.store(true, Ordering::Relaxed);
					lock(&failure).get_or_insert(error);
				}
				println!("class {} of {CLASSES} after {:.0} s", class + 1, started.elapsed().as_secs_f64());
			});
		}
	});
	let counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
	println!("{:36} {:>9} {:>13} {:>13} {:>13}", "kind", "cases", "inputs", "outputs", "emulated");
	for (kind, count) in &counts {
		println!("{kind:36} {:>9} {:>13} {:>13} {:>13}", count.cases, count.inputs, count.outputs, count.emulated);
	}
	if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
		println!("DIFFERS {error}");
		return ExitCode::FAILURE;
	}
	if let Some(kind) = counts.iter().find(|(_, count)| count.inputs < options.elements) {
		println!("FAILED {} was not checked in full", kind.0);
		return ExitCode::FAILURE;
	}
	println!("every bit is equal, after {:.0} s", started.elapsed().as_secs_f64());
	let rows =
		counts.iter().map(|(kind, count)| (kind.as_str(), [count.cases, count.inputs, count.outputs, count.emulated]));
	match options.write(rows) {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("identity_check: {error}");
			ExitCode::from(2)
		}
	}
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Checks cases of a class until each of its kinds has enough elements.
fn check_class(
	class: u64,
	options: &Options,
	counts: &Mutex<BTreeMap<String, Count>>,
	failed: &AtomicBool,
) -> Result<(), String> {
	let cpus = cpus()?;
	let devices = devices()?;
	// Other classes may add to the same kinds.
	let mut own: BTreeMap<String, u64> = BTreeMap::new();
	for turn in 0.. {
		if failed.load(Ordering::Relaxed) || (turn >= SEEN_AFTER && own.values().all(|done| *done >= options.elements))
		{
			break;
		}
		let number = turn * CLASSES + class;
		let case = case(options.seed, number, 1);
		let label = label(case.kind);
		let done = own.entry(label.clone()).or_default();
		if *done >= options.elements {
			continue;
		}
		let inputs: u64 = case.given.iter().map(elements).sum();
		let emulated = *done < options.emulated;
		*done += inputs;
		let place = |error| format!("seed {}, case {number}: {error}", options.seed);
		let expected = referee(&case).map_err(place)?;
		on_cpus(&cpus, &case, &expected).map_err(place)?;
		if emulated {
			compare(&devices, &case, &expected).map_err(place)?;
		}
		let mut counts = lock(counts);
		let count = counts.entry(label).or_default();
		count.cases += 1;
		count.inputs += inputs;
		count.outputs += case.output.elements();
		count.emulated += if emulated { inputs } else { 0 };
	}
	Ok(())
}

/// Elements of a tensor; a scalar is part of the op.
fn elements(given: &Given) -> u64 {
	match given {
		Given::Tensor(spec, ..) => spec.elements(),
		Given::Scalar(_) => 0,
	}
}

fn cpus() -> Result<Vec<Cpu>, String> {
	let paths = Path::here();
	let each = paths.flat_map(|path| [1, 2].map(|threads| Cpu::new(path, threads)));
	each.collect::<Result<_, _>>().map_err(|error| error.to_string())
}

fn devices() -> Result<[Backend<Emulated>; 2], String> {
	let small = Backend::on(Emulated::new(1, Order::Scattered)).map_err(|error| error.to_string())?;
	let large = Emulated::new(1000, Order::Descending).with_int8_tiles();
	Ok([small, Backend::on(large).map_err(|error| error.to_string())?])
}
