//! Checks a GPU against the referee and measures it.
//!
//! ```text
//! cargo run --release -p assay-cuda --example conformance [-- DEVICE]
//! ```
//!
//! Every suite of `compute/cuda/conformance`, then products larger than the referee's patience against the CPU backend,
//! then times. Ends with 0 if all is equal, 1 if something differs, 2 if there is no usable GPU. Lines that begin with
//! `measured` are what `scripts/gpu-check` keeps.

#[path = "../conformance/mod.rs"]
mod conformance;

use std::{process::ExitCode, time::Instant};

use assay_cpu::{Cpu, Matrix, Output, Path};
use assay_cuda::cases::Random;
use assay_cuda::{Context, Cuda, CudaError, DeviceTensor, Driver, Input, OpError};
use assay_program::{BinaryKind, DType, OpKind, TensorSpec};

const CONTEXT: Context = Context { seed: [0; 32], step: 0 };

/// Runs of each measurement; the fastest counts.
const RUNS: u32 = 20;

fn main() -> ExitCode {
	let ordinal = match std::env::args().nth(1).map(|argument| argument.parse()) {
		None => 0,
		Some(Ok(ordinal)) => ordinal,
		Some(Err(_)) => {
			eprintln!("conformance: the argument is the device's number, from 0");
			return ExitCode::from(2);
		}
	};
	let cuda = match Cuda::new(ordinal) {
		Ok(cuda) => cuda,
		Err(error) => {
			eprintln!("conformance: {error}");
			return ExitCode::from(2);
		}
	};
	let info = cuda.device().info().clone();
	println!(
		"device {}: {}, compute capability {}.{}, {} processors, {:.1} GiB, driver for CUDA {}.{}",
		info.ordinal,
		info.name,
		info.capability.0,
		info.capability.1,
		info.multiprocessors,
		info.memory as f64 / f64::from(1 << 30),
		info.driver / 1000,
		info.driver % 1000 / 10,
	);
	let devices = [cuda];
	let mut failures = 0;
	let mut report = |name: &str, result: Result<(), String>, started: Instant| match result {
		Ok(()) => println!("ok      {name} ({:.1} s)", started.elapsed().as_secs_f64()),
		Err(error) => {
			failures += 1;
			println!("DIFFERS {name}: {error}");
		}
	};
	for (name, suite) in conformance::suites::<Driver>() {
		let started = Instant::now();
		report(name, suite(&devices), started);
	}
	let started = Instant::now();
	report("large products, against the CPU backend", large_products(&devices[0]), started);
	let started = Instant::now();
	report("large int8 products, against the CPU backend", large_int8_products(&devices[0]), started);
	if failures > 0 {
		println!("{failures} suites differ: this device must not earn; nothing was measured");
		return ExitCode::from(1);
	}
	match measure(&devices[0]) {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("conformance: {error}");
			ExitCode::from(1)
		}
	}
}

fn ordinary(spec: TensorSpec, seed: u64) -> Vec<u32> {
	let mut random = Random::new(seed);
	(0..spec.elements()).map(|_| random.ordinary()).collect()
}

fn bytes(spec: TensorSpec, seed: u64) -> Vec<u32> {
	let mut random = Random::new(seed);
	(0..spec.elements()).map(|_| (random.next() >> 24) as u8 as i8 as u32).collect()
}

const fn i8s(rows: u32, cols: u32) -> TensorSpec {
	TensorSpec { dtype: DType::I8, rows, cols }
}

/// Both tile sizes, all transpositions, edges, several segments.
fn large_products(cuda: &Cuda) -> Result<(), String> {
	let cpu = Cpu::new(Path::Auto, 0).map_err(|error| error.to_string())?;
	for (m, k, n) in [(1100, 1537, 1030), (2048, 2048, 2048), (64, 8192, 96), (4099, 515, 131)] {
		for (trans_a, trans_b) in [(false, false), (false, true), (true, false), (true, true)] {
			let a = if trans_a { TensorSpec::f32(k, m) } else { TensorSpec::f32(m, k) };
			let b = if trans_b { TensorSpec::f32(n, k) } else { TensorSpec::f32(k, n) };
			let kind = OpKind::MatMul { trans_a, trans_b };
			same_product(cuda, &cpu, kind, [(a, ordinary(a, 1)), (b, ordinary(b, 2))], TensorSpec::f32(m, n))?;
		}
	}
	Ok(())
}

/// The same of bytes.
fn large_int8_products(cuda: &Cuda) -> Result<(), String> {
	let cpu = Cpu::new(Path::Auto, 0).map_err(|error| error.to_string())?;
	for (m, k, n) in [(1100, 1537, 1030), (4096, 4096, 4096), (64, 131_071, 96), (4099, 515, 131)] {
		for (trans_a, trans_b) in [(false, false), (false, true), (true, false), (true, true)] {
			let a = if trans_a { i8s(k, m) } else { i8s(m, k) };
			let b = if trans_b { i8s(n, k) } else { i8s(k, n) };
			let out = TensorSpec { dtype: DType::I32, rows: m, cols: n };
			let kind = OpKind::MatMulI8 { trans_a, trans_b };
			same_product(cuda, &cpu, kind, [(a, bytes(a, 1)), (b, bytes(b, 2))], out)?;
		}
	}
	Ok(())
}

/// Whether both backends multiply alike.
fn same_product(
	cuda: &Cuda,
	cpu: &Cpu,
	kind: OpKind,
	[(a, a_bits), (b, b_bits)]: [(TensorSpec, Vec<u32>); 2],
	out: TensorSpec,
) -> Result<(), String> {
	let mut expected = vec![0; out.elements() as usize];
	let matrix = |spec: TensorSpec, bits| Matrix { dtype: spec.dtype, rows: spec.rows, cols: spec.cols, bits };
	let inputs = [matrix(a, &a_bits), matrix(b, &b_bits)].map(assay_cpu::Input::Tensor);
	let output = Output { dtype: out.dtype, rows: out.rows, cols: out.cols, bits: &mut expected };
	let context = assay_cpu::Context { seed: [0; 32], step: 0 };
	cpu.run(kind, &inputs, &context, output).map_err(|error| error.to_string())?;

	let run = || -> Result<Vec<u32>, OpError> {
		let (a, b) = (cuda.upload(a, &a_bits)?, cuda.upload(b, &b_bits)?);
		let mut product = cuda.allocate(out)?;
		cuda.run(kind, &[Input::Tensor(&a), Input::Tensor(&b)], &CONTEXT, &mut product)?;
		Ok(cuda.download(&product)?)
	};
	if run().map_err(|error| error.to_string())? != expected {
		return Err(format!("{kind:?} of {a:?} and {b:?}"));
	}
	Ok(())
}

/// Seconds of the fastest of several runs, waiting for each.
fn fastest(mut run: impl FnMut() -> Result<(), OpError>) -> Result<f64, OpError> {
	run()?;
	let mut best = f64::INFINITY;
	for _ in 0..RUNS {
		let started = Instant::now();
		run()?;
		best = best.min(started.elapsed().as_secs_f64());
	}
	Ok(best)
}

fn random_tensor(cuda: &Cuda, spec: TensorSpec) -> Result<DeviceTensor<Driver>, CudaError> {
	cuda.upload(spec, &ordinary(spec, 3))
}

fn measure(cuda: &Cuda) -> Result<(), OpError> {
	for n in [1024u32, 4096] {
		let spec = TensorSpec::f32(n, n);
		let (a, b, mut out) = (random_tensor(cuda, spec)?, random_tensor(cuda, spec)?, cuda.allocate(spec)?);
		let operations = 2.0 * f64::from(n).powi(3);
		for (trans_a, trans_b) in [(false, false), (false, true), (true, false)] {
			let kind = OpKind::MatMul { trans_a, trans_b };
			let inputs = [Input::Tensor(&a), Input::Tensor(&b)];
			let seconds = fastest(|| cuda.run(kind, &inputs, &CONTEXT, &mut out))?;
			let name = match (trans_a, trans_b) {
				(false, false) => "A B",
				(false, true) => "A B^T",
				_ => "A^T B",
			};
			println!("measured | {name}, {n} x {n} x {n}, F32 | {:.2} TFLOP/s |", operations / seconds / 1e12);
		}
	}
	for n in [1024u32, 4096] {
		let spec = i8s(n, n);
		let (a, b) = (cuda.upload(spec, &bytes(spec, 1))?, cuda.upload(spec, &bytes(spec, 2))?);
		let mut out = cuda.allocate(TensorSpec { dtype: DType::I32, ..spec })?;
		let operations = 2.0 * f64::from(n).powi(3);
		for (trans_a, trans_b, name) in [(false, false, "A B"), (false, true, "A B^T"), (true, false, "A^T B")] {
			let kind = OpKind::MatMulI8 { trans_a, trans_b };
			let inputs = [Input::Tensor(&a), Input::Tensor(&b)];
			let seconds = fastest(|| cuda.run(kind, &inputs, &CONTEXT, &mut out))?;
			println!(
				"measured | {name}, {n} x {n} x {n}, I8, packing included | {:.2} TOP/s |",
				operations / seconds / 1e12
			);
		}
	}
	let spec = TensorSpec::f32(8192, 8192);
	let bytes = spec.elements() as f64 * 4.0;
	let (x, y, mut out) = (random_tensor(cuda, spec)?, random_tensor(cuda, spec)?, cuda.allocate(spec)?);
	let seconds = fastest(|| cuda.root(&x).map(|_| ()))?;
	println!("measured | BLAKE3 root of 256 MiB | {:.1} GB/s |", bytes / seconds / 1e9);
	let add = OpKind::Binary(BinaryKind::Add);
	let seconds = fastest(|| cuda.run(add, &[Input::Tensor(&x), Input::Tensor(&y)], &CONTEXT, &mut out))?;
	println!("measured | sum of two tensors of 256 MiB, bytes moved | {:.1} GB/s |", 3.0 * bytes / seconds / 1e9);
	Ok(())
}
