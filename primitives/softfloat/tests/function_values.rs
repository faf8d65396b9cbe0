//! Values of the functions that follow from what they are: zeros, infinities, saturation, symmetry, order.

use assay_softfloat::{functions as ours, F32};

const NAN: u32 = 0x7fc0_0000;
const SIGN: u32 = 0x8000_0000;

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
fn erf_of_special_values() {
	let erf = |x: f32| ours::erf(F32(x.to_bits())).0;
	assert_eq!(erf(0.0), 0);
	assert_eq!(erf(-0.0), SIGN);
	assert_eq!(erf(4.0), 1f32.to_bits());
	assert_eq!(erf(f32::INFINITY), 1f32.to_bits());
	assert_eq!(erf(f32::NEG_INFINITY), (-1f32).to_bits());
	assert_eq!(ours::erf(F32(0xffa0_0001)).0, NAN);
}

/// Up to rounding, where the sequence goes from one piece to the other too: a greater input never gives a result that
/// is lower by more than one unit of the last place.
#[test]
fn erf_rises() {
	let mut before = 0;
	for bits in (0..0x4100_0000u32).step_by(997).chain(0x3f7f_f000..0x3f80_1000) {
		if bits == 0x3f7f_f000 {
			before = 0;
		}
		let erf = ours::erf(F32(bits)).0;
		assert!(erf + 1 >= before && erf <= 1f32.to_bits(), "erf({bits:08x}) = {erf:08x} after {before:08x}");
		before = erf;
	}
}

#[test]
fn sin_and_cos_of_special_values() {
	let sin = |x: f32| ours::sin(F32(x.to_bits())).0;
	let cos = |x: f32| ours::cos(F32(x.to_bits())).0;
	assert_eq!(sin(0.0), 0);
	assert_eq!(sin(-0.0), SIGN);
	assert_eq!(sin(f32::from_bits(1)), 1);
	assert_eq!(cos(0.0), 1f32.to_bits());
	assert_eq!(cos(-0.0), 1f32.to_bits());
	for x in [f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, f32::from_bits(0xffa0_0001)] {
		assert_eq!(sin(x), NAN);
		assert_eq!(cos(x), NAN);
	}
}

/// The largest angle has a sine and a cosine, the next number has none.
#[test]
fn sin_and_cos_end_at_their_bound() {
	let bound = 4_194_304f32.to_bits();
	for sign in [0, SIGN] {
		for function in [ours::sin::<F32>, ours::cos::<F32>] {
			assert_ne!(function(F32(bound | sign)).0, NAN);
			assert_eq!(function(F32((bound + 1) | sign)).0, NAN);
		}
	}
}

#[test]
fn rsqrt_of_special_values() {
	let rsqrt = |x: f32| ours::rsqrt(F32(x.to_bits())).0;
	assert_eq!(rsqrt(1.0), 1f32.to_bits());
	assert_eq!(rsqrt(4.0), 0.5f32.to_bits());
	assert_eq!(rsqrt(0.0), f32::INFINITY.to_bits());
	assert_eq!(rsqrt(-0.0), f32::NEG_INFINITY.to_bits());
	assert_eq!(rsqrt(f32::INFINITY), 0);
	assert_eq!(rsqrt(-1.0), NAN);
	assert_eq!(rsqrt(f32::NEG_INFINITY), NAN);
	assert_eq!(ours::rsqrt(F32(0xffa0_0001)).0, NAN);
	// Powers of four come out exact, the smallest subnormals included.
	for half in -74..=63i32 {
		assert_eq!(rsqrt(4f64.powi(half) as f32), 2f32.powi(-half).to_bits());
	}
}

#[test]
fn tanh_erf_and_sin_are_odd_and_cos_is_even() {
	for bits in (0..0x7f80_0000u32).step_by(9973) {
		let (plus, minus) = (F32(bits), F32(bits | SIGN));
		assert_eq!(ours::tanh(minus).0, ours::tanh(plus).0 | SIGN);
		assert_eq!(ours::erf(minus).0, ours::erf(plus).0 | SIGN);
		assert_eq!(ours::cos(minus), ours::cos(plus));
		let sin = ours::sin(plus);
		assert_eq!(ours::sin(minus), if sin.0 == NAN { sin } else { sin.neg() });
	}
}
