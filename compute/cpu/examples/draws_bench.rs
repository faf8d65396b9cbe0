//! Speed of the ops that draw random numbers.
//!
//! `cargo run --release -p assay-cpu --example draws_bench`
//!
//! Prints millions of elements per second on one thread, the best of several runs, on every path.

use std::time::{Duration, Instant};

use assay_cpu::{Context, Cpu, Input, Matrix, Output, Path};
use assay_program::{DType, OpKind};

const ELEMENTS: u32 = 1 << 16;
/// Time to spend on each measurement.
const BUDGET: Duration = Duration::from_millis(500);

fn main() {
	let context = Context { seed: [3; 32], step: 5 };
	let x: Vec<u32> = (0..ELEMENTS).map(|i| (i as f32 / 1024.0).to_bits()).collect();
	let mut out = vec![0; ELEMENTS as usize];
	let kinds = [
		("dropout", OpKind::Dropout { stream: 1, keep: 3 << 30, scale: 1.25f32.to_bits() }, 256),
		("gumbel", OpKind::Gumbel { stream: 1 }, 256),
		("batch of single columns", OpKind::GatherBatch { stream: 1 }, 1),
	];
	for path in Path::here() {
		let cpu = Cpu::new(path, 1).expect("a supported path");
		for (name, kind, cols) in kinds {
			let rows = ELEMENTS / cols;
			let mut run = || {
				let x = Input::Tensor(Matrix { dtype: DType::F32, rows, cols, bits: &x });
				let out = Output { dtype: DType::F32, rows, cols, bits: &mut out };
				cpu.run(kind, &[x], &context, out).expect("finite");
			};
			run();
			let (start, mut best) = (Instant::now(), Duration::MAX);
			while start.elapsed() < BUDGET {
				let begin = Instant::now();
				run();
				best = best.min(begin.elapsed());
			}
			println!("{:8}  {name:24} {:8.1} M/s", path.name(), f64::from(ELEMENTS) / best.as_secs_f64() / 1e6);
		}
	}
}
