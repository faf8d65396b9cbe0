//! exp, log, tanh and sigmoid: special values, accuracy, and the same bits from integers and from the machine.

#[path = "hardware/accuracy.rs"]
mod accuracy;
mod hardware;

use accuracy::{error_in_ulp, functions, sweep, Function};
use assay_softfloat::{functions as ours, F32};
use hardware::special_values;

const NAN: u32 = 0x7fc0_0000;

fn check(function: &Function, input: u32) {
	let soft = (function.soft)(F32(input)).0;
	let mut native = [input];
	(function.native)(&mut native);
	let name = function.name;
	assert_eq!(soft, native[0], "{name}({input:08x}) differs from the machine");
	let error = error_in_ulp(f32::from_bits(soft), (function.exact)(f32::from_bits(input) as f64));
	assert!(error <= function.bound, "{name}({input:08x}) = {soft:08x} is off by {error} ulp");
}

#[test]
fn special_values_are_within_bounds() {
	for function in functions() {
		for input in special_values() {
			check(&function, input);
		}
	}
}

/// Where results overflow, become subnormal, vanish, saturate, or where the sequence changes its piece.
#[test]
fn boundaries_are_within_bounds() {
	let centres = [
		88.722_84f32,
		89.0,
		-87.336_54,
		-103.278_93,
		-103.972_08,
		-104.0,
		0.346_573_6,
		1.039_720_8,
		std::f32::consts::FRAC_1_SQRT_2,
		std::f32::consts::SQRT_2,
		0.5625,
		9.010_913,
		1.0,
		2.0,
		1e-38,
		16.635_532,
		0.281_25,
	];
	for function in functions() {
		for centre in centres {
			for offset in 0..4000u32 {
				let bits = (centre.to_bits() - 2000).wrapping_add(offset);
				check(&function, bits);
				check(&function, bits ^ 0x8000_0000);
			}
		}
	}
}

/// Digests of every 4,099th (input, output) pair. The functions are part of what a dispute is judged by: a change that
/// is as accurate but returns other bits must not pass unnoticed.
const DIGESTS: [(&str, u64); 4] = [
	("exp", 0x9e10_9701_ff75_1d89),
	("log", 0x3fe3_9ca2_3398_43a6),
	("tanh", 0x70f3_294e_f29f_dd34),
	("sigmoid", 0x8f2f_d355_0350_fb09),
];

/// The stride is prime, so the sweep visits every exponent, both signs and changing low bits.
#[test]
fn every_4099th_input_is_within_bounds() {
	for (function, digest) in functions().into_iter().zip(DIGESTS) {
		let finding = sweep(&function, 0..1 << 32, 4099, 1);
		let name = function.name;
		assert_eq!(finding.inputs, 1_047_809);
		assert_eq!((name, finding.digest), digest, "the definition changed");
		assert_eq!(finding.differs, None, "{name}: the machine disagrees");
		assert!(finding.max_ulp <= function.bound, "{name}({:08x}): {} ulp", finding.worst, finding.max_ulp);
		assert!(finding.max_ulp > 0.5, "{name}: an error below half an ulp means that nothing was measured");
	}
}

#[test]
fn exp_of_special_values() {
	let bits = |x: f32| ours::exp(F32(x.to_bits())).0;
	assert_eq!(bits(0.0), 1f32.to_bits());
	assert_eq!(bits(-0.0), 1f32.to_bits());
	assert_eq!(bits(f32::INFINITY), f32::INFINITY.to_bits());
	assert_eq!(bits(f32::NEG_INFINITY), 0);
	assert_eq!(bits(f32::MAX), f32::INFINITY.to_bits());
	assert_eq!(bits(f32::MIN), 0);
	assert_eq!(bits(-103.9), 1);
	assert_eq!(ours::exp(F32(0xffa0_0001)).0, NAN);
}

#[test]
fn log_of_special_values() {
	let bits = |x: f32| ours::log(F32(x.to_bits())).0;
	assert_eq!(bits(1.0), 0);
	assert_eq!(bits(0.0), f32::NEG_INFINITY.to_bits());
	assert_eq!(bits(-0.0), f32::NEG_INFINITY.to_bits());
	assert_eq!(bits(f32::INFINITY), f32::INFINITY.to_bits());
	assert_eq!(bits(f32::NEG_INFINITY), NAN);
	assert_eq!(bits(-1e-45), NAN);
	assert_eq!(ours::log(F32(0xffa0_0001)).0, NAN);
}

#[test]
fn tanh_and_sigmoid_of_special_values() {
	let tanh = |x: f32| ours::tanh(F32(x.to_bits())).0;
	assert_eq!(tanh(0.0), 0);
	assert_eq!(tanh(-0.0), 0x8000_0000);
	assert_eq!(tanh(9.1), 1f32.to_bits());
	assert_eq!(tanh(f32::INFINITY), 1f32.to_bits());
	assert_eq!(tanh(f32::NEG_INFINITY), (-1f32).to_bits());
	assert_eq!(ours::tanh(F32(0xffa0_0001)).0, NAN);
	let sigmoid = |x: f32| ours::sigmoid(F32(x.to_bits())).0;
	assert_eq!(sigmoid(0.0), 0.5f32.to_bits());
	assert_eq!(sigmoid(f32::INFINITY), 1f32.to_bits());
	assert_eq!(sigmoid(f32::NEG_INFINITY), 0);
	assert_eq!(ours::sigmoid(F32(0xffa0_0001)).0, NAN);
}

#[test]
fn tanh_is_odd() {
	for bits in (0..0x7f80_0000u32).step_by(9973) {
		assert_eq!(ours::tanh(F32(bits | 0x8000_0000)).0, ours::tanh(F32(bits)).0 | 0x8000_0000);
	}
}

/// The measure itself: a neighbour is one ulp away, a wrong class is infinitely wrong.
#[test]
fn error_measure_can_fail() {
	assert_eq!(error_in_ulp(1.0, 1.0), 0.0);
	assert_eq!(error_in_ulp(f32::from_bits(0x3f80_0001), 1.0), 1.0);
	assert_eq!(error_in_ulp(f32::from_bits(2), f32::from_bits(1) as f64), 1.0);
	assert_eq!(error_in_ulp(f32::INFINITY, f32::MAX as f64), 1.0);
	assert_eq!(error_in_ulp(f32::NAN, 1.0), f64::INFINITY);
	assert_eq!(error_in_ulp(-1.0, 1.0), f64::INFINITY);
}
