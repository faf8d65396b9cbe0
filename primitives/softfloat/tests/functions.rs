//! The functions: accuracy, and the same bits from integers and from the machine.

#[path = "hardware/accuracy.rs"]
mod accuracy;
mod hardware;

use accuracy::{error_in_ulp, functions, sweep, Function};
use assay_softfloat::{functions as ours, F32};
use hardware::{special_values, Random};

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
		4.0,
		3.920_065,
		std::f32::consts::FRAC_PI_4,
		std::f32::consts::FRAC_PI_2,
		std::f32::consts::PI,
		1_048_576.0,
		4_194_304.0,
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

/// Numbers of every size, most of them near one.
#[test]
fn random_inputs_are_within_bounds() {
	let mut random = Random(0x5eed);
	for function in functions() {
		for _ in 0..300_000 {
			check(&function, random.number());
		}
	}
}

/// Where the reduction of an angle cancels most: the numbers around the multiples of pi / 2.
#[test]
fn angles_next_to_multiples_of_half_pi_are_within_bounds() {
	let trigonometric = functions().into_iter().filter(|function| ["sin", "cos"].contains(&function.name));
	for function in trigonometric {
		// The multiples 161, 322 and 33,433 come nearest to a binary32 number.
		for k in (1..2_670_176u32).step_by(11).chain([161, 322, 33_433]) {
			let bits = ((k as f64 * std::f64::consts::FRAC_PI_2) as f32).to_bits();
			for bits in bits - 1..=bits + 1 {
				check(&function, bits);
			}
		}
	}
}

/// `erf(x)` is `2 / sqrt(pi) x` for tiny numbers, subnormal ones too: the coefficient adds little to the one rounding.
#[test]
fn erf_of_tiny_inputs_is_rounded_once() {
	for bits in (1..0x3800_0000u32).step_by(997).chain(1..10_000) {
		let exact = f32::from_bits(bits) as f64 * std::f64::consts::FRAC_2_SQRT_PI;
		let error = error_in_ulp(f32::from_bits(ours::erf(F32(bits)).0), exact);
		assert!(error < 0.53, "erf({bits:08x}): {error} ulp");
	}
}

/// The inputs that the sweep over all found to be the worst have the stated error.
#[test]
fn bounds_are_reached() {
	for function in functions() {
		let result = (function.soft)(F32(function.worst)).0;
		let error = error_in_ulp(f32::from_bits(result), (function.exact)(f32::from_bits(function.worst) as f64));
		let name = function.name;
		assert!((function.bound - 0.0002..=function.bound).contains(&error), "{name}: {error} ulp");
	}
}

/// Digests of every 4,099th (input, output) pair. The functions are part of what a dispute is judged by: a change that
/// is as accurate but returns other bits must not pass unnoticed.
const DIGESTS: [(&str, u64); 8] = [
	("exp", 0x9e10_9701_ff75_1d89),
	("log", 0x3fe3_9ca2_3398_43a6),
	("tanh", 0x70f3_294e_f29f_dd34),
	("sigmoid", 0x8f2f_d355_0350_fb09),
	("erf", 0xffdb_babb_5c5b_2eae),
	("sin", 0x90a0_b06e_55b2_0fb8),
	("cos", 0xe84d_fcab_354a_2f58),
	("rsqrt", 0x1caf_9d7a_3aaa_e411),
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
