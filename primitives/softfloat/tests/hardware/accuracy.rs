//! The transcendental functions: our bits against the machine's for the same sequence, and against binary64 for accuracy.

#![allow(dead_code, unreachable_pub)]

#[path = "exact.rs"]
pub mod exact;

use super::hardware::{Native, Random};
use assay_softfloat::{functions, Real, F32};

/// One function in its three forms.
pub struct Function {
	pub name: &'static str,
	/// On integers.
	pub soft: fn(F32) -> F32,
	/// The same sequence on the machine's binary32, for a slice of bit patterns in place.
	pub native: fn(&mut [u32]),
	/// In binary64: far more exact than the binary32 result under test.
	pub exact: fn(f64) -> f64,
	/// The largest error over all inputs, rounded up, in units of the last place.
	pub bound: f64,
	/// The input that has it.
	pub worst: u32,
	/// The digest of a sweep over all inputs.
	pub digest: u64,
}

macro_rules! native {
	($name:ident) => {{
		#[inline(always)]
		fn each(values: &mut [u32]) {
			for value in values {
				*value = functions::$name(Native::from_bits(*value)).to_bits();
			}
		}
		#[cfg(target_arch = "x86_64")]
		#[target_feature(enable = "avx2,fma")]
		fn each_x86(values: &mut [u32]) {
			each(values)
		}
		fn run(values: &mut [u32]) {
			#[cfg(target_arch = "x86_64")]
			if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
				// SAFETY: both features were just detected.
				return unsafe { each_x86(values) };
			}
			each(values)
		}
		run
	}};
}

macro_rules! function {
	($name:ident, $exact:expr, bound $bound:literal at $worst:literal, digest $digest:literal) => {
		Function {
			name: stringify!($name),
			soft: functions::$name,
			native: native!($name),
			exact: $exact,
			bound: $bound,
			worst: $worst,
			digest: $digest,
		}
	};
}

pub fn functions() -> [Function; 8] {
	[
		function!(exp, f64::exp, bound 0.8914 at 0xc0bb_2813, digest 0x5d9a_6459_c244_3caa),
		function!(log, f64::ln, bound 0.9230 at 0x3f34_d8a6, digest 0x16fd_d5bf_4041_61e5),
		function!(tanh, f64::tanh, bound 1.5058 at 0x3f10_1fb8, digest 0xbd7a_aa37_c589_952c),
		function!(sigmoid, exact::sigmoid, bound 1.4798 at 0xc09b_1629, digest 0x9abb_1776_c374_d526),
		function!(erf, exact::erf, bound 1.0484 at 0x3f87_fffc, digest 0xc3a6_6b76_a916_6bc8),
		function!(sin, exact::sin, bound 1.4019 at 0x4a60_92fd, digest 0x4f7f_4989_8af6_e411),
		function!(cos, exact::cos, bound 1.3560 at 0x4a70_660c, digest 0x9ec4_c1c0_dd9e_ea94),
		function!(rsqrt, exact::rsqrt, bound 1.4904 at 0x0080_cab3, digest 0xd6cf_589e_dea5_3336),
	]
}

/// Error of a result in units of the last place of the exact value; infinite when the class (NaN, infinity, sign) is wrong.
pub fn error_in_ulp(result: f32, exact: f64) -> f64 {
	const OVERFLOW: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0;
	if exact.is_nan() || result.is_nan() {
		return if exact.is_nan() && result.to_bits() == 0x7fc0_0000 { 0.0 } else { f64::INFINITY };
	}
	if exact == 0.0 && result == 0.0 {
		return 0.0;
	}
	if result.is_sign_negative() != exact.is_sign_negative() {
		return f64::INFINITY;
	}
	let (result, exact) = ((result as f64).abs().min(OVERFLOW), exact.abs().min(OVERFLOW));
	let exponent = ((exact.to_bits() >> 52) as i32 - 1023).clamp(-126, 127);
	let inverse_of_unit = f64::from_bits(((23 - exponent + 1023) as u64) << 52);
	(result - exact).abs() * inverse_of_unit
}

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Finding {
	/// Inputs tried.
	pub inputs: u64,
	/// Largest error and the input that has it.
	pub max_ulp: f64,
	pub worst: u32,
	/// Sum of a hash of every input with its output: the same for any order of the inputs.
	pub digest: u64,
	/// An input whose bits differ between integers and machine.
	pub differs: Option<u32>,
}

impl Finding {
	pub fn join(self, other: Finding) -> Finding {
		let larger = if other.max_ulp > self.max_ulp { other } else { self };
		Finding {
			inputs: self.inputs + other.inputs,
			max_ulp: larger.max_ulp,
			worst: larger.worst,
			digest: self.digest.wrapping_add(other.digest),
			differs: self.differs.or(other.differs),
		}
	}
}

/// Measures the machine's bits for every `stride`-th bit pattern of `range`, and compares those from integers on every
/// `soft_every`-th of them.
pub fn sweep(function: &Function, range: std::ops::Range<u64>, stride: u64, soft_every: usize) -> Finding {
	let mut finding = Finding::default();
	let mut inputs = [0u32; 1024];
	let mut next = range.start;
	while next < range.end {
		let count = inputs.len().min((range.end - next).div_ceil(stride) as usize);
		for input in &mut inputs[..count] {
			*input = next as u32;
			next += stride;
		}
		let mut native = inputs;
		(function.native)(&mut native[..count]);
		for (&input, &machine) in inputs[..count].iter().zip(&native[..count]).step_by(soft_every) {
			if (function.soft)(F32(input)).0 != machine {
				finding.differs = Some(input);
			}
		}
		for (&input, &output) in inputs[..count].iter().zip(&native[..count]) {
			let error = error_in_ulp(f32::from_bits(output), (function.exact)(f32::from_bits(input) as f64));
			if error > finding.max_ulp {
				finding.max_ulp = error;
				finding.worst = input;
			}
			finding.digest = finding.digest.wrapping_add(Random((input as u64) << 32 | output as u64).next());
		}
		finding.inputs += count as u64;
	}
	finding
}
