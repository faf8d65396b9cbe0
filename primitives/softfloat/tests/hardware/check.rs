//! Comparison of one operation with the machine, as a plain function over a range of random cases.

// Shared by a test and an example, neither of which uses all of it.
#![allow(dead_code, unreachable_pub)]

use super::hardware::{canonical, Random};
use assay_softfloat::F32;

/// A disagreement: the operation, its operands, our bits and the machine's.
pub type Disagreement = (&'static str, [u32; 3], u32, u32);

fn compare(name: &'static str, operands: [u32; 3], ours: u32, machine: u32) -> Result<(), Disagreement> {
	if ours == machine {
		Ok(())
	} else {
		Err((name, operands, ours, machine))
	}
}

fn f(bits: u32) -> f32 {
	f32::from_bits(bits)
}

pub fn add(x: u32, y: u32) -> Result<(), Disagreement> {
	compare("add", [x, y, 0], F32(x).add(F32(y)).0, canonical(f(x) + f(y)))
}

pub fn sub(x: u32, y: u32) -> Result<(), Disagreement> {
	compare("sub", [x, y, 0], F32(x).sub(F32(y)).0, canonical(f(x) - f(y)))
}

pub fn mul(x: u32, y: u32) -> Result<(), Disagreement> {
	compare("mul", [x, y, 0], F32(x).mul(F32(y)).0, canonical(f(x) * f(y)))
}

pub fn div(x: u32, y: u32) -> Result<(), Disagreement> {
	compare("div", [x, y, 0], F32(x).div(F32(y)).0, canonical(f(x) / f(y)))
}

#[inline(always)]
fn fma_inline(x: u32, y: u32, z: u32) -> Result<(), Disagreement> {
	compare("fma", [x, y, z], F32(x).fma(F32(y), F32(z)).0, canonical(f(x).mul_add(f(y), f(z))))
}

pub fn fma(x: u32, y: u32, z: u32) -> Result<(), Disagreement> {
	fma_inline(x, y, z)
}

pub fn sqrt(x: u32) -> Result<(), Disagreement> {
	compare("sqrt", [x, 0, 0], F32(x).sqrt().0, canonical(f(x).sqrt()))
}

/// The four comparisons, minimum and maximum (by their definition in terms of the machine's comparison).
pub fn order(x: u32, y: u32) -> Result<(), Disagreement> {
	let (a, b) = (F32(x), F32(y));
	let (m, n) = (f(x), f(y));
	let ours = [a.lt(b), a.le(b), a.gt(b), a.ge(b), a.eq(b)];
	let machine = [m < n, m <= n, m > n, m >= n, m == n];
	let pack = |flags: [bool; 5]| flags.iter().fold(0, |sum, &flag| sum * 2 + flag as u32);
	compare("order", [x, y, 0], pack(ours), pack(machine))?;
	let unordered = m.is_nan() || n.is_nan();
	let min = if unordered {
		0x7fc0_0000
	} else if n < m {
		y
	} else {
		x
	};
	let max = if unordered {
		0x7fc0_0000
	} else if n > m {
		y
	} else {
		x
	};
	compare("min", [x, y, 0], a.min(b).0, min)?;
	compare("max", [x, y, 0], a.max(b).0, max)
}

/// Conversions, integer rounding, sign operations and classification.
pub fn convert(x: u32) -> Result<(), Disagreement> {
	let (a, m) = (F32(x), f(x));
	compare("from_i32", [x, 0, 0], F32::from_i32(x as i32).0, (x as i32 as f32).to_bits())?;
	compare("from_u32", [x, 0, 0], F32::from_u32(x).0, (x as f32).to_bits())?;
	compare("round_ties_even", [x, 0, 0], a.round_ties_even().0, canonical(m.round_ties_even()))?;
	// The cast saturates and maps NaN to zero.
	compare("to_i32_clamped", [x, 0, 0], a.to_i32_clamped() as u32, m.round_ties_even() as i32 as u32)?;
	compare("neg", [x, 0, 0], a.neg().0, canonical(-m))?;
	compare("abs", [x, 0, 0], a.abs().0, canonical(m.abs()))?;
	compare("is_nan", [x, 0, 0], a.is_nan() as u32, m.is_nan() as u32)?;
	compare("is_finite", [x, 0, 0], a.is_finite() as u32, m.is_finite() as u32)
}

/// The operations that [`random`] knows.
pub const OPERATIONS: [&str; 8] = ["add", "sub", "mul", "fma", "div", "sqrt", "order", "convert"];

/// Runs `cases` random cases of one operation; the sequence is fixed by `seed`.
pub fn random(operation: &str, seed: u64, cases: u64) -> Result<(), Disagreement> {
	#[cfg(target_arch = "x86_64")]
	if operation == "fma" && std::is_x86_feature_detected!("fma") {
		// SAFETY: the feature was just detected.
		return unsafe { random_fma_x86(seed, cases) };
	}
	let mut random = Random(seed);
	for _ in 0..cases {
		match operation {
			"add" => random.pair_then(add)?,
			"sub" => random.pair_then(sub)?,
			"mul" => random.factors_then(mul)?,
			"div" => random.factors_then(div)?,
			"fma" => {
				let (x, y, z) = random.triple();
				fma(x, y, z)?;
			}
			"sqrt" => sqrt(random.number() & if random.next() & 31 == 0 { u32::MAX } else { 0x7fff_ffff })?,
			"order" => random.pair_then(order)?,
			"convert" => convert(random.number())?,
			other => panic!("unknown operation {other}"),
		}
	}
	Ok(())
}

/// As [`random`], with the machine's fma instruction instead of the C library's function.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "fma")]
unsafe fn random_fma_x86(seed: u64, cases: u64) -> Result<(), Disagreement> {
	let mut random = Random(seed);
	for _ in 0..cases {
		let (x, y, z) = random.triple();
		fma_inline(x, y, z)?;
	}
	Ok(())
}

impl Random {
	fn pair_then(&mut self, check: fn(u32, u32) -> Result<(), Disagreement>) -> Result<(), Disagreement> {
		let (x, y) = self.pair();
		check(x, y)
	}

	fn factors_then(&mut self, check: fn(u32, u32) -> Result<(), Disagreement>) -> Result<(), Disagreement> {
		let (x, y) = self.factors();
		check(x, y)
	}
}
