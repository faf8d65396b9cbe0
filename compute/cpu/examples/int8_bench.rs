//! Speed of the int8 matrix product beside the f32 one, of a product with the ops around it, and beside onnxruntime's.
//!
//! `cargo run --release -p assay-cpu --example int8_bench -- [--json FILE]`
//!
//! Prints Gop/s (a multiplication and an addition are two), the best of several runs, for square matrices. `int8 with
//! scales` is what a linear layer pays: both operands quantised and the product dequantised, scales given.

#[path = "../../models/examples/support/peer.rs"]
mod peer;

use std::time::{Duration, Instant};

use assay_cpu::{to_words, Context, Cpu, Input, Matrix, Output, Path};
use assay_program::{DType, OpKind};
use peer::Peer;

const SIZES: [usize; 3] = [256, 1024, 2048];
const THREADS: [usize; 2] = [1, 2];
/// Time to spend on each measurement.
const BUDGET: Duration = Duration::from_millis(800);

/// Best time of a run, seconds.
fn best(mut run: impl FnMut()) -> f64 {
	run();
	let (start, mut best) = (Instant::now(), Duration::MAX);
	while start.elapsed() < BUDGET {
		let begin = Instant::now();
		run();
		best = best.min(begin.elapsed());
	}
	best.as_secs_f64()
}

struct Square {
	dtype: DType,
	side: usize,
	/// In memory.
	bits: Vec<u32>,
}

impl Square {
	fn new(dtype: DType, side: usize, element: impl FnMut() -> u32) -> Self {
		let elements = core::iter::repeat_with(element).take(side * side).collect();
		Self { dtype, side, bits: to_words(dtype, elements) }
	}

	fn input(&self) -> Input<'_> {
		let side = self.side as u32;
		Input::Tensor(Matrix { dtype: self.dtype, rows: side, cols: side, bits: &self.bits })
	}

	fn output(&mut self) -> Output<'_> {
		let side = self.side as u32;
		Output { dtype: self.dtype, rows: side, cols: side, bits: &mut self.bits }
	}
}

fn main() {
	let json = std::env::args().skip_while(|arg| arg != "--json").nth(1);
	let paths: Vec<Path> = Path::here().collect();
	let context = Context { seed: [0; 32], step: 0 };
	let (f32s, i8s) =
		(OpKind::MatMul { trans_a: false, trans_b: false }, OpKind::MatMulI8 { trans_a: false, trans_b: false });
	let mut rows = Vec::new();
	for n in SIZES {
		let mut state = 1u32;
		let mut next = || {
			state = state.wrapping_mul(1664525).wrapping_add(1013904223);
			state
		};
		let mut float = || ((next() >> 8) as f32 / 8388608.0 - 1.0).to_bits();
		let (a, b) = (Square::new(DType::F32, n, &mut float), Square::new(DType::F32, n, &mut float));
		let (mut c, mut sums) = (Square::new(DType::F32, n, || 0), Square::new(DType::I32, n, || 0));
		let (mut p, mut q) = (Square::new(DType::I8, n, || 0), Square::new(DType::I8, n, || 0));
		let scale: Vec<u32> = vec![(1.0f32 / 127.0).to_bits(); n];
		let along = |rows, cols| Input::Tensor(Matrix { dtype: DType::F32, rows, cols, bits: &scale });
		let (by_row, by_col) = (along(n as u32, 1), along(1, n as u32));
		for path in &paths {
			if *path == Path::Portable && n > 1024 {
				continue;
			}
			for threads in THREADS {
				let cpu = Cpu::new(*path, threads).expect("a supported path");
				let run = |kind, inputs: &[Input<'_>], out: Output<'_>| {
					cpu.run(kind, inputs, &context, out).expect("finite");
				};
				run(OpKind::Quantise, &[a.input(), by_row], p.output());
				run(OpKind::Quantise, &[b.input(), by_col], q.output());
				let of_floats = best(|| run(f32s, &[a.input(), b.input()], c.output()));
				let of_bytes = best(|| run(i8s, &[p.input(), q.input()], sums.output()));
				let with_scales = best(|| {
					run(OpKind::Quantise, &[a.input(), by_row], p.output());
					run(OpKind::Quantise, &[b.input(), by_col], q.output());
					run(i8s, &[p.input(), q.input()], sums.output());
					run(OpKind::Dequantise, &[sums.input(), by_row, by_col], c.output());
				});
				let mut speeds = vec![("f32", of_floats), ("int8", of_bytes), ("int8 with scales", with_scales)];
				// Ours again, between runs of the other.
				let settings = [("n", n as u32), ("threads", threads as u32)];
				let peer = if Some(path) == paths.last() { Peer::start("int8", &settings) } else { None };
				if let Some(mut peer) = peer {
					let (begin, mut theirs, mut ours) = (Instant::now(), f64::INFINITY, of_bytes);
					while begin.elapsed() < 2 * BUDGET {
						theirs = theirs.min(peer.run().unwrap_or(f64::INFINITY));
						let begin = Instant::now();
						run(i8s, &[p.input(), q.input()], sums.output());
						ours = ours.min(begin.elapsed().as_secs_f64());
					}
					println!("n {n:5}  {}: ours is {:.2} of its speed", peer.version, theirs / ours);
					speeds.push(("onnxruntime MatMulInteger", theirs));
				}
				for (name, seconds) in speeds {
					let (speed, path) = (2.0 * (n as f64).powi(3) / seconds / 1e9, format!("{path:?}").to_lowercase());
					println!("n {n:5}  {path:8}  threads {threads}  {name:16} {speed:8.1} Gop/s");
					let row =
						serde_json::json!({ "n": n, "path": path, "threads": threads, "op": name, "gops": speed });
					rows.push(row);
				}
			}
		}
	}
	if let Some(path) = json {
		let text = serde_json::to_string_pretty(&rows).expect("plain values");
		std::fs::write(&path, text).unwrap_or_else(|error| panic!("{path}: {error}"));
	}
}
