//! Every operation of `F32` returns the bits that the machine's binary32 returns.

#[path = "hardware/check.rs"]
mod check;
mod hardware;

use hardware::special_values;

const CASES: u64 = 2_000_000;

fn assert_agrees(result: Result<(), check::Disagreement>) {
	if let Err((name, operands, ours, machine)) = result {
		panic!("{name}({operands:08x?}) = {ours:08x}, the machine says {machine:08x}");
	}
}

#[test]
fn special_values_of_one_operand() {
	for x in special_values() {
		assert_agrees(check::sqrt(x));
		assert_agrees(check::convert(x));
	}
}

#[test]
fn special_values_in_pairs() {
	let values = special_values();
	for &x in &values {
		for &y in &values {
			for operation in [check::add, check::sub, check::mul, check::div, check::order] {
				assert_agrees(operation(x, y));
			}
		}
	}
}

#[test]
fn special_values_in_triples() {
	let values = special_values();
	for &x in &values {
		for &y in &values {
			for &z in &values {
				assert_agrees(check::fma(x, y, z));
			}
		}
	}
}

/// The neighbourhood of every power of two, where binades, ties and the integer range meet.
#[test]
fn neighbours_of_powers_of_two() {
	for field in 0..=255u32 {
		for offset in -40i32..40 {
			for sign in [0, 0x8000_0000] {
				let x = (field << 23).wrapping_add(offset as u32) ^ sign;
				assert_agrees(check::sqrt(x));
				assert_agrees(check::convert(x));
				assert_agrees(check::convert(x ^ 0x0040_0000));
			}
		}
	}
}

/// Every half integer up to 2^16, where rounding must pick the even neighbour.
#[test]
fn half_integers() {
	for n in 0..1u32 << 17 {
		let bits = (n as f32 / 2.0).to_bits();
		assert_agrees(check::convert(bits));
		assert_agrees(check::convert(bits | 0x8000_0000));
	}
}

macro_rules! random_cases {
	($($name:ident),*) => {$(
		#[test]
		fn $name() {
			assert_agrees(check::random(stringify!($name), 0x5eed, CASES));
		}
	)*};
}

random_cases!(add, sub, mul, fma, div, sqrt, order, convert);

/// A comparison that could not fail would hide everything: flip one bit of one operand and it must notice.
#[test]
fn a_wrong_bit_is_noticed() {
	let three = assay_softfloat::F32::from_i32(3);
	assert_eq!(three.sqrt().0, 3f32.sqrt().to_bits());
	assert_ne!(three.sqrt().0, f32::from_bits(3f32.to_bits() + 3).sqrt().to_bits());
}
