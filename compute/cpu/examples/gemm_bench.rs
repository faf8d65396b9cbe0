//! Speed of the matrix product, beside OpenBLAS where the system has it.
//!
//! `cargo run --release -p assay-cpu --example gemm_bench -- [--json FILE]`
//!
//! Prints GFLOP/s, the best of several runs, for square f32 matrices. OpenBLAS computes something else (another order
//! of sums, any contraction); it is here as the measure of what the machine can do.

use std::time::{Duration, Instant};

use assay_cpu::{Context, Cpu, Input, Matrix, Output, Path};
use assay_program::{DType, OpKind};

const SIZES: [usize; 3] = [256, 1024, 2048];
const THREADS: [usize; 2] = [1, 2];
/// Time to spend on each measurement.
const BUDGET: Duration = Duration::from_millis(800);

type Sgemm =
	unsafe extern "C" fn(i32, i32, i32, i32, i32, i32, f32, *const f32, i32, *const f32, i32, f32, *mut f32, i32);

struct OpenBlas(libloading::Library);

impl OpenBlas {
	fn load() -> Option<Self> {
		// SAFETY: the library's initialisers only read the environment and start its threads.
		unsafe { libloading::Library::new("libopenblas.so.0") }.ok().map(Self)
	}

	fn sgemm(&self, threads: usize, n: usize, a: &[f32], b: &[f32], c: &mut [f32]) -> Option<f64> {
		assert!(a.len() == n * n && b.len() == n * n && c.len() == n * n);
		// SAFETY: these are the library's documented symbols with these types.
		let (set_threads, sgemm) = unsafe {
			let set = self.0.get::<unsafe extern "C" fn(i32)>(b"openblas_set_num_threads\0").ok()?;
			(set, self.0.get::<Sgemm>(b"cblas_sgemm\0").ok()?)
		};
		// SAFETY: any number is accepted.
		unsafe { set_threads(threads as i32) };
		let (row_major, no_trans, size) = (101, 111, n as i32);
		Some(gflops(n, || {
			// SAFETY: three n x n matrices, as the lengths above say.
			unsafe {
				let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
				sgemm(row_major, no_trans, no_trans, size, size, size, 1.0, a, size, b, size, 0.0, c, size)
			}
		}))
	}
}

fn gflops(n: usize, mut product: impl FnMut()) -> f64 {
	product();
	let (start, mut best) = (Instant::now(), Duration::MAX);
	while start.elapsed() < BUDGET {
		let begin = Instant::now();
		product();
		best = best.min(begin.elapsed());
	}
	2.0 * (n as f64).powi(3) / best.as_secs_f64() / 1e9
}

fn main() {
	let json = std::env::args().skip_while(|arg| arg != "--json").nth(1);
	let openblas = OpenBlas::load();
	if openblas.is_none() {
		eprintln!("libopenblas.so.0 not found: no comparison");
	}
	let paths: Vec<Path> = Path::here().collect();
	let mut rows = Vec::new();
	for n in SIZES {
		let mut state = 1u32;
		let mut matrix = || -> Vec<f32> {
			let mut next = || {
				state = state.wrapping_mul(1664525).wrapping_add(1013904223);
				(state >> 8) as f32 / 8388608.0 - 1.0
			};
			(0..n * n).map(|_| next()).collect()
		};
		let (a, b, mut c) = (matrix(), matrix(), vec![0f32; n * n]);
		let bits = |x: &[f32]| -> Vec<u32> { x.iter().map(|x| x.to_bits()).collect() };
		let (a_bits, b_bits, mut c_bits) = (bits(&a), bits(&b), vec![0u32; n * n]);
		for threads in THREADS {
			let mut measured = Vec::new();
			for path in &paths {
				if *path == Path::Portable && n > 1024 {
					continue;
				}
				let cpu = Cpu::new(*path, threads).expect("a supported path");
				let side = n as u32;
				let context = Context { seed: [0; 32], step: 0 };
				let speed = gflops(n, || {
					let input = |bits| Input::Tensor(Matrix { dtype: DType::F32, rows: side, cols: side, bits });
					let out = Output { dtype: DType::F32, rows: side, cols: side, bits: &mut c_bits };
					let kind = OpKind::MatMul { trans_a: false, trans_b: false };
					cpu.run(kind, &[input(&a_bits), input(&b_bits)], &context, out).expect("finite");
				});
				measured.push((format!("{path:?}").to_lowercase(), speed));
			}
			if let Some(speed) = openblas.as_ref().and_then(|blas| blas.sgemm(threads, n, &a, &b, &mut c)) {
				measured.push(("openblas".into(), speed));
			}
			for (name, speed) in measured {
				println!("n {n:5}  threads {threads}  {name:9} {speed:8.1} GFLOP/s");
				rows.push(serde_json::json!({ "n": n, "threads": threads, "kernel": name, "gflops": speed }));
			}
		}
	}
	if let Some(path) = json {
		let text = serde_json::to_string_pretty(&rows).expect("plain values");
		std::fs::write(&path, text).unwrap_or_else(|error| panic!("{path}: {error}"));
	}
}
