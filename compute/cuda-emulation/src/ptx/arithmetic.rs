//! What instructions compute with integers and bits.

use assay_softfloat::F32;

use super::instruction::{Compare, Int, IntOp};

impl Int {
	/// The number that the low bits are.
	pub(super) fn extend(self, value: u64) -> i128 {
		let value = low(value, self.bits);
		if self.signed && value >> (self.bits - 1) == 1 {
			i128::from(value) - (1i128 << self.bits)
		} else {
			i128::from(value)
		}
	}
}

pub(super) fn low(value: u64, bits: u32) -> u64 {
	if bits >= 64 {
		value
	} else {
		value & ((1 << bits) - 1)
	}
}

pub(super) fn float(value: u64) -> F32 {
	F32(value as u32)
}

pub(super) fn integer(op: IntOp, of: Int, a: u64, b: u64) -> u64 {
	let (x, y) = (of.extend(a), of.extend(b));
	// A shift's distance is 32 bits without sign, and one past the width shifts everything out.
	let by = (b as u32).min(of.bits);
	let wide = match op {
		IntOp::Add => x + y,
		IntOp::Sub => x - y,
		IntOp::MulLow => return low(a.wrapping_mul(b), of.bits),
		IntOp::MulWide => return low((x * y) as u64, 2 * of.bits),
		IntOp::Min => x.min(y),
		IntOp::Max => x.max(y),
		// A device gives some number for a division by zero; no kernel may depend on it.
		IntOp::Div => x.checked_div(y).unwrap_or(-1),
		IntOp::Rem => x.checked_rem(y).unwrap_or(-1),
		IntOp::And => return low(a & b, of.bits),
		IntOp::Or => return low(a | b, of.bits),
		IntOp::Xor => return low(a ^ b, of.bits),
		IntOp::Shl => x << by,
		IntOp::Shr => x >> by,
	};
	low(wide as u64, of.bits)
}

/// Of a position and a length the low eight bits count, and what lies past the width is not there.
pub(super) fn extract_bits(bits: u32, from: u64, first: u64, len: u64) -> u64 {
	let (first, len) = (first as u32 & 0xff, len as u32 & 0xff);
	low(low(from, bits).checked_shr(first).unwrap_or(0), len)
}

pub(super) fn insert_bits(bits: u32, from: u64, into: u64, first: u64, len: u64) -> u64 {
	let (first, len) = (first as u32 & 0xff, len as u32 & 0xff);
	let mask = low(low(u64::MAX, len).checked_shl(first).unwrap_or(0), bits);
	(low(into, bits) & !mask) | (from.checked_shl(first).unwrap_or(0) & mask)
}

/// Modulo 2^32.
pub(super) fn dot_bytes(a: u32, b: u32, sum: u32) -> u32 {
	let products =
		a.to_le_bytes().into_iter().zip(b.to_le_bytes()).map(|(a, b)| i32::from(a as i8) * i32::from(b as i8));
	products.fold(sum, |sum, product| sum.wrapping_add(product as u32))
}

pub(super) fn holds(how: Compare, ordering: core::cmp::Ordering) -> bool {
	match how {
		Compare::Eq => ordering.is_eq(),
		Compare::Ne => ordering.is_ne(),
		Compare::Lt => ordering.is_lt(),
		Compare::Le => ordering.is_le(),
		Compare::Gt => ordering.is_gt(),
		Compare::Ge => ordering.is_ge(),
	}
}
#[cfg(test)]
mod tests {
	use super::*;

	const U32: Int = Int { bits: 32, signed: false };
	const S32: Int = Int { bits: 32, signed: true };
	const U64: Int = Int { bits: 64, signed: false };
	const S64: Int = Int { bits: 64, signed: true };

	#[test]
	fn integers_as_the_manual_has_them() {
		let minus = |x: i64| low(x as u64, 32);
		let cases = [
			(IntOp::Add, U32, u64::from(u32::MAX), 2, 1),
			(IntOp::Add, S64, u64::MAX, 2, 1),
			(IntOp::Sub, U32, 1, 2, minus(-1)),
			(IntOp::MulLow, S64, u64::MAX, 5, -5i64 as u64),
			(IntOp::MulWide, U32, u64::from(u32::MAX), u64::from(u32::MAX), 0xffff_fffe_0000_0001),
			(IntOp::MulWide, S32, minus(-1), minus(-1), 1),
			(IntOp::MulWide, S32, minus(-3), 4, -12i64 as u64),
			(IntOp::Min, U32, minus(-1), 1, 1),
			(IntOp::Min, S32, minus(-1), 1, minus(-1)),
			(IntOp::Max, U64, u64::MAX, 1, u64::MAX),
			(IntOp::Div, U64, u64::MAX, 10, u64::MAX / 10),
			(IntOp::Rem, U32, 17, 5, 2),
			(IntOp::Shl, U32, 3, 31, 1 << 31),
			(IntOp::Shl, U32, 3, 32, 0),
			(IntOp::Shl, U64, 1, 64, 0),
			(IntOp::Shr, U32, 1 << 31, 31, 1),
			(IntOp::Shr, S32, 1 << 31, 31, minus(-1)),
			(IntOp::Shr, S32, 1 << 31, 200, minus(-1)),
			(IntOp::Shr, U64, u64::MAX, 200, 0),
			// What is above the type's width is not part of the value.
			(IntOp::Add, U32, 1 << 32, 1, 1),
			(IntOp::Shr, U32, 1 << 32, 1, 0),
		];
		for (op, of, a, b, expected) in cases {
			assert_eq!(integer(op, of, a, b), expected, "{op:?} {of:?} {a:#x} {b:#x}");
		}
	}

	#[test]
	fn fields_of_bits_are_cut_off_at_the_width() {
		assert_eq!(extract_bits(32, 0xdead_beef, 8, 8), 0xbe);
		assert_eq!(extract_bits(32, 0x1_8000_0000, 31, 9), 1);
		assert_eq!(extract_bits(64, 0x1_8000_0000, 31, 9), 3);
		assert_eq!([extract_bits(32, 7, 0, 0), extract_bits(32, 7, 40, 8), extract_bits(64, 7, 200, 8)], [0; 3]);
		assert_eq!(insert_bits(32, 0xab, 0xffff_ffff, 8, 8), 0xffff_abff);
		assert_eq!(insert_bits(32, 0xfff, 0, 28, 8), 0xf000_0000);
		assert_eq!(insert_bits(64, 0xfff, 0, 28, 8), 0xf_f000_0000);
		assert_eq!([insert_bits(32, 7, 5, 32, 8), insert_bits(32, 7, 5, 0, 0)], [5; 2]);
	}

	#[test]
	fn products_of_bytes_have_signs_and_wrap() {
		let bytes = |bytes: [i8; 4]| u32::from_le_bytes(bytes.map(|byte| byte as u8));
		assert_eq!(dot_bytes(bytes([1, -2, 3, -4]), bytes([5, 6, -7, -8]), 100), 104);
		assert_eq!(dot_bytes(bytes([-128; 4]), bytes([-128; 4]), 0), 1 << 16);
		assert_eq!(dot_bytes(bytes([-128; 4]), bytes([127; 4]), 0) as i32, -65024);
		assert_eq!(dot_bytes(bytes([1, 0, 0, 0]), bytes([1, 0, 0, 0]), u32::MAX), 0);
	}
}
