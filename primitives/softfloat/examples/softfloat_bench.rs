//! Time per operation.
//!
//! `cargo run --release -p assay-softfloat --example softfloat_bench [-- --json]`
//!
//! `fma` runs over independent random operands, `fma chain` feeds each result into the next as a dot product does, and
//! the functions run on integers (`exp`) and as the vectorised hardware sequence (`exp native`).

#[path = "../tests/hardware/accuracy.rs"]
mod accuracy;
#[path = "../tests/hardware/mod.rs"]
mod hardware;

use assay_softfloat::F32;
use hardware::Random;
use std::{hint::black_box, time::Instant};

const OPERANDS: usize = 1 << 14;
/// Each operation runs `OPERANDS * ROUNDS` (1.6 * 10^7) times.
const ROUNDS: usize = 1 << 10;

/// Nanoseconds per element of the fastest round: a round is short enough to finish between two interruptions.
fn time(mut run: impl FnMut()) -> f64 {
	(0..ROUNDS)
		.map(|_| {
			let start = Instant::now();
			run();
			start.elapsed().as_secs_f64() * 1e9 / OPERANDS as f64
		})
		.fold(f64::INFINITY, f64::min)
}

/// Normal numbers in `±[2^-8, 2^8)`.
fn operands(seed: u64) -> Vec<F32> {
	let mut random = Random(seed);
	(0..OPERANDS)
		.map(|_| {
			let word = random.next();
			let exponent = 119 + (word >> 32) as u32 % 16;
			F32((word as u32 & 0x807f_ffff) | (exponent << 23))
		})
		.collect()
}

fn main() {
	let (a, b, c) = (operands(1), operands(2), operands(3));
	let each = |operation: fn(F32, F32, F32) -> F32| {
		time(|| {
			for i in 0..OPERANDS {
				black_box(operation(a[i], b[i], c[i]));
			}
		})
	};
	let mut results: Vec<(String, f64)> = vec![
		("fma".into(), each(|a, b, c| a.fma(b, c))),
		("add".into(), each(|a, b, _| a.add(b))),
		("mul".into(), each(|a, b, _| a.mul(b))),
		("div".into(), each(|a, b, _| a.div(b))),
		("sqrt".into(), each(|a, _, _| a.abs().sqrt())),
		("lt".into(), each(|a, b, _| F32(a.lt(b) as u32))),
	];
	results.insert(
		1,
		(
			"fma chain".into(),
			time(|| {
				let sum = a.iter().zip(&b).fold(F32::ZERO, |sum, (a, b)| a.fma(*b, sum));
				black_box(sum);
			}),
		),
	);
	results.insert(
		2,
		(
			"fma by zero".into(),
			time(|| {
				for i in 0..OPERANDS {
					black_box(a[i].fma(F32::ZERO, c[i]));
				}
			}),
		),
	);
	let mut values = vec![0u32; OPERANDS];
	for function in accuracy::functions() {
		let soft = function.soft;
		results.push((
			function.name.into(),
			time(|| {
				for x in &a {
					black_box(soft(*x));
				}
			}),
		));
		let native = function.native;
		results.push((
			format!("{} native", function.name),
			time(|| {
				values.iter_mut().zip(&a).for_each(|(value, x)| *value = x.0);
				native(black_box(&mut values));
			}),
		));
	}
	if std::env::args().any(|argument| argument == "--json") {
		let fields: Vec<String> =
			results.iter().map(|(name, ns)| format!("\"{}\":{ns:.3}", name.replace(' ', "_"))).collect();
		println!("{{\"unit\":\"ns\",{}}}", fields.join(","));
	} else {
		for (name, ns) in results {
			println!("{name:<16} {ns:8.2} ns");
		}
	}
}
