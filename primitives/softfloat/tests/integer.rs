//! Integers to numbers and back, and noise: the machine's bits, and the definitions in other words.

mod hardware;

use assay_softfloat::{functions, Real, F32};
use hardware::{special_values, Native, Random};

#[test]
fn integers_become_the_nearest_number() {
	let mut random = Random(7);
	let edges = (0..32).flat_map(|bit| (-70..70).map(move |offset| (1i32 << bit).wrapping_add(offset)));
	for value in edges.chain((0..2_000_000).map(|_| (random.next() as i32) >> (random.next() % 16))) {
		for value in [value, value.wrapping_neg()] {
			let by_steps = <F32 as Real>::from_i32(value);
			assert_eq!(by_steps, F32::from_i32(value), "{value}");
			assert_eq!(by_steps.0, (value as f32).to_bits(), "{value}");
			assert_eq!(by_steps.0, Native::from_i32(value).0.to_bits(), "{value}");
		}
	}
}

/// In the words of the numerics contract, in binary64 where binary32 is exact.
fn quantised(x: f32, scale: f32) -> i32 {
	let quotient = x / scale;
	if quotient.is_nan() {
		return 0;
	}
	let clamped = f64::from(quotient).clamp(-127.0, 127.0);
	let (below, part) = (clamped.floor(), clamped - clamped.floor());
	let up = part > 0.5 || part == 0.5 && below as i64 % 2 != 0;
	below as i32 + i32::from(up)
}

#[test]
fn quotients_are_clamped_and_rounded_to_even() {
	let mut random = Random(8);
	let check = |x: u32, scale: u32| {
		let expected = quantised(f32::from_bits(x), f32::from_bits(scale));
		assert_eq!(functions::quantise(F32(x), F32(scale)), expected, "{x:08x} / {scale:08x}");
		let native = functions::quantise(Native::from_bits(x), Native::from_bits(scale));
		assert_eq!(native, expected, "{x:08x} / {scale:08x}");
	};
	for x in special_values() {
		for scale in special_values() {
			check(x, scale);
		}
	}
	for half in -600..600 {
		check((half as f32 / 2.0).to_bits(), 1f32.to_bits());
		check((half as f32 / 4.0).to_bits(), 0.5f32.to_bits());
	}
	for _ in 0..2_000_000 {
		let scale = random.number();
		check((f32::from_bits(random.number()) * f32::from_bits(scale)).to_bits(), scale);
	}
}

#[test]
fn products_of_scales_are_rounded_one_after_the_other() {
	let mut random = Random(9);
	for _ in 0..1_000_000 {
		let (value, row, col) = (random.next() as i32, random.number(), random.number());
		let expected = value as f32 * f32::from_bits(row) * f32::from_bits(col);
		let soft = functions::dequantise(value, F32(row), F32(col)).0;
		assert!(soft == expected.to_bits() || expected.is_nan(), "{value} {row:08x} {col:08x}");
	}
}

/// Every value that a word can give: near binary64, in range, the same from integers and from the machine.
#[test]
fn noise_of_every_word() {
	let (mut least, mut most, mut sum, mut digest) = (f32::MAX, f32::MIN, 0f64, 0u64);
	let words = (0..1u32 << 23).map(|top| top << 9);
	for word in words {
		let noise = functions::gumbel::<Native>(word).0;
		(least, most, sum) = (least.min(noise), most.max(noise), sum + f64::from(noise));
		digest = digest.rotate_left(5).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(noise.to_bits());
		if word >> 9 & 0x3f == 0 || word >> 9 < 64 || word >> 9 > (1 << 23) - 64 {
			assert_eq!(functions::gumbel::<F32>(word | 0x1ff).0, noise.to_bits(), "{word:08x}");
			let uniform = f64::from(word >> 9) * 2f64.powi(-23) + 2f64.powi(-24);
			let exact = -(-uniform.ln()).ln();
			// The inner logarithm has a relative error below 2^-23, which the outer one turns into an absolute one.
			assert!((f64::from(noise) - exact).abs() < 3e-7 * exact.abs().max(1.0), "{word:08x}: {noise}, {exact}");
		}
	}
	assert!((-2.82..-2.81).contains(&least) && (16.63..=16.64).contains(&most), "{least} {most}");
	// The mean of the distribution is Euler's constant.
	assert!((sum / 2f64.powi(23) - 0.577_215_664_9).abs() < 1e-5, "{}", sum / 2f64.powi(23));
	assert_eq!(digest, 0xba99_c432_92a6_4ab0, "the definition changed");
}
