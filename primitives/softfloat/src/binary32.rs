//! IEEE-754 binary32 on bit patterns: round to nearest, ties to even, subnormals kept, every NaN result canonical.
//!
//! Every operation forms the exact result as `sign`, `exponent`, `significand` and `sticky` and rounds once in
//! [`round`]. Three conventions hold throughout:
//!
//! - An unpacked number has its leading one at bit 23 of a 24-bit significand and a biased exponent that may be zero or
//!   negative when the input was subnormal.
//! - A number about to be rounded is a `u64` that stands for `significand / 2^62 * 2^(exponent - 127)`.
//! - `sticky` says that the exact magnitude lies strictly between this significand and the next one. Of all roundings
//!   it concerns only the tie, so it stays out of the arithmetic.

use core::hint::select_unpredictable;

/// The bits of the one NaN that operations return.
const NAN: u32 = 0x7fc0_0000;
const INFINITY: u32 = 0x7f80_0000;
const SIGN: u32 = 0x8000_0000;
const MAGNITUDE: u32 = 0x7fff_ffff;
const FRACTION: u32 = 0x007f_ffff;
const HIDDEN: u32 = 0x0080_0000;
const BIAS: i32 = 127;

/// A binary32 number as its bit pattern.
///
/// `==` compares bits (so `-0 != +0`, and the canonical NaN equals itself); the IEEE comparison is [`F32::eq`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
#[repr(transparent)]
pub struct F32(pub u32);

/// True when shifting `value` right by `count`, in `0..=63`, shifts out a set bit.
#[inline(always)]
fn loses_bits(value: u64, count: u32) -> bool {
	(value << 1) << (63 - count) != 0
}

/// Rounds `significand / 2^62 * 2^(exponent - 127)` with the given sign bit.
///
/// `significand` is in `1..2^63`, and at least `2^40` when `sticky`, so that bits filled in by normalising it are below
/// the rounding position.
#[inline(always)]
fn round(sign: u32, exponent: i32, significand: u64, sticky: bool) -> F32 {
	let shift = significand.leading_zeros() - 1;
	let significand = significand << shift;
	let exponent = exponent - shift as i32;
	if (exponent as u32).wrapping_sub(1) < 254 {
		F32(sign | pack(exponent, significand, sticky))
	} else {
		round_outside_normal_range(sign, exponent, significand, sticky)
	}
}

/// Overflow, and results that are subnormal before rounding.
#[inline(never)]
fn round_outside_normal_range(sign: u32, exponent: i32, significand: u64, sticky: bool) -> F32 {
	if exponent > 0 {
		return F32(sign | INFINITY);
	}
	let count = (1 - exponent).min(63) as u32;
	F32(sign | pack(1, significand >> count, sticky | loses_bits(significand, count)))
}

/// Rounds the 63-bit significand to 24 bits and joins it to an exponent in `1..=254`.
///
/// The hidden bit is added, not masked: a carry out of the significand raises the exponent (up to infinity), and a
/// subnormal, which has no hidden bit, ends up with exponent field 0.
#[inline(always)]
fn pack(exponent: i32, significand: u64, sticky: bool) -> u32 {
	const DROPPED: u32 = 39;
	const HALF: u64 = 1 << (DROPPED - 1);
	// Half is added always, so a tie has gone up; if that made it odd, the even neighbour is below.
	let tie = ((significand & ((1 << DROPPED) - 1) == HALF) & !sticky) as u32;
	let rounded = ((significand + HALF) >> DROPPED) as u32 & !tie;
	(((exponent - 1) as u32) << 23) + rounded
}

/// Adds two non-zero numbers whose significands have their leading one at bit 60 or 61 and stand for
/// `significand / 2^60 * 2^(exponent - 127)`, and rounds once.
///
/// The operand of the lower exponent is negated when the signs differ and then shifted arithmetically, which rounds
/// towards minus infinity: the exact sum is this sum plus what was cut off, so the cut-off bits are sticky for either
/// sign. Both significands end in at least 14 zero bits, hence bits are lost only when the lower operand is below 2^47
/// and the sum is positive and above 2^59.
#[inline(always)]
fn add_and_round(x_sign: u32, x_exponent: i32, x: u64, y_sign: u32, y_exponent: i32, y: u64) -> F32 {
	let distance = x_exponent - y_exponent;
	let swap = distance < 0;
	// The distance is as good as random in most uses: a mispredicted branch costs more than both selections.
	let high = select_unpredictable(swap, y, x);
	let low = select_unpredictable(swap, x, y);
	let high_sign = select_unpredictable(swap, y_sign, x_sign);
	let exponent = x_exponent.max(y_exponent);

	let count = distance.unsigned_abs().min(63);
	// All ones when the signs differ.
	let differ = ((x_sign ^ y_sign) as i32 >> 31) as i64;
	let sum = high as i64 + (((low as i64 ^ differ) - differ) >> count);
	if sum == 0 {
		return F32(0);
	}
	let sign = high_sign ^ ((sum >> 32) as u32 & SIGN);
	round(sign, exponent + 2, sum.unsigned_abs(), loses_bits(low, count))
}

#[inline(always)]
fn exponent_field(bits: u32) -> u32 {
	(bits >> 23) & 0xff
}

/// True for exponent fields of normal numbers: not zero, subnormal, infinite or NaN.
#[inline(always)]
fn is_normal_field(field: u32) -> bool {
	field.wrapping_sub(1) < 254
}

/// Exponent and 24-bit significand of a normal number.
#[inline(always)]
fn unpack_normal(bits: u32) -> (i32, u32) {
	(exponent_field(bits) as i32, (bits & FRACTION) | HIDDEN)
}

/// Exponent and normalised 24-bit significand of a finite number that is not zero.
fn unpack(bits: u32) -> (i32, u32) {
	if exponent_field(bits) != 0 {
		return unpack_normal(bits);
	}
	let fraction = bits & FRACTION;
	let shift = fraction.leading_zeros() - 8;
	(1 - shift as i32, fraction << shift)
}

#[inline(always)]
fn is_nan(bits: u32) -> bool {
	bits & MAGNITUDE > INFINITY
}

#[inline(always)]
fn is_infinite(bits: u32) -> bool {
	bits & MAGNITUDE == INFINITY
}

#[inline(always)]
fn is_zero(bits: u32) -> bool {
	bits & MAGNITUDE == 0
}

/// The sum of two zeros with these signs: negative only when both are.
#[inline(always)]
fn zero_sum(x: u32, y: u32) -> F32 {
	F32(x & y & SIGN)
}

/// `a * b + c` for normal inputs, or inputs normalised by [`unpack`].
#[inline(always)]
fn fma_unpacked(product_sign: u32, a: (i32, u32), b: (i32, u32), c_sign: u32, c: (i32, u32)) -> F32 {
	let product = (a.1 as u64 * b.1 as u64) << 14;
	add_and_round(product_sign, a.0 + b.0 - BIAS, product, c_sign, c.0, (c.1 as u64) << 37)
}

#[inline(always)]
fn mul_unpacked(sign: u32, a: (i32, u32), b: (i32, u32)) -> F32 {
	// The product's leading one is at bit 46 or 47: bit 61 or 62 here.
	round(sign, a.0 + b.0 - BIAS + 1, (a.1 as u64 * b.1 as u64) << 15, false)
}

#[inline(always)]
fn add_unpacked(x_sign: u32, x: (i32, u32), y_sign: u32, y: (i32, u32)) -> F32 {
	add_and_round(x_sign, x.0, (x.1 as u64) << 37, y_sign, y.0, (y.1 as u64) << 37)
}

/// The quotient has 26 or 27 bits; a remainder is sticky.
#[inline(always)]
fn div_unpacked(sign: u32, a: (i32, u32), b: (i32, u32)) -> F32 {
	let numerator = (a.1 as u64) << 26;
	let divisor = b.1 as u64;
	let quotient = numerator / divisor;
	round(sign, a.0 - b.0 + BIAS, quotient << 36, !numerator.is_multiple_of(divisor))
}

#[inline(never)]
fn fma_special(a: u32, b: u32, c: u32) -> F32 {
	if is_nan(a) || is_nan(b) || is_nan(c) {
		return F32(NAN);
	}
	let sign = (a ^ b) & SIGN;
	if is_infinite(a) || is_infinite(b) {
		let invalid = is_zero(a) || is_zero(b) || (is_infinite(c) && (c & SIGN) != sign);
		return F32(if invalid { NAN } else { sign | INFINITY });
	}
	if is_infinite(c) {
		return F32(c);
	}
	if is_zero(a) || is_zero(b) {
		return if is_zero(c) { zero_sum(sign, c) } else { F32(c) };
	}
	if is_zero(c) {
		return mul_unpacked(sign, unpack(a), unpack(b));
	}
	fma_unpacked(sign, unpack(a), unpack(b), c & SIGN, unpack(c))
}

#[inline(never)]
fn add_special(x: u32, y: u32) -> F32 {
	if is_nan(x) || is_nan(y) {
		return F32(NAN);
	}
	if is_infinite(x) {
		return F32(if is_infinite(y) && x != y { NAN } else { x });
	}
	if is_infinite(y) {
		return F32(y);
	}
	match (is_zero(x), is_zero(y)) {
		(true, true) => zero_sum(x, y),
		(true, false) => F32(y),
		(false, true) => F32(x),
		(false, false) => add_unpacked(x & SIGN, unpack(x), y & SIGN, unpack(y)),
	}
}

#[inline(never)]
fn mul_special(a: u32, b: u32) -> F32 {
	if is_nan(a) || is_nan(b) {
		return F32(NAN);
	}
	let sign = (a ^ b) & SIGN;
	let infinite = is_infinite(a) || is_infinite(b);
	let zero = is_zero(a) || is_zero(b);
	match (infinite, zero) {
		(true, true) => F32(NAN),
		(true, false) => F32(sign | INFINITY),
		(false, true) => F32(sign),
		(false, false) => mul_unpacked(sign, unpack(a), unpack(b)),
	}
}

#[inline(never)]
fn div_special(a: u32, b: u32) -> F32 {
	if is_nan(a) || is_nan(b) {
		return F32(NAN);
	}
	let sign = (a ^ b) & SIGN;
	if is_infinite(a) {
		return F32(if is_infinite(b) { NAN } else { sign | INFINITY });
	}
	if is_zero(b) {
		return F32(if is_zero(a) { NAN } else { sign | INFINITY });
	}
	if is_zero(a) || is_infinite(b) {
		return F32(sign);
	}
	div_unpacked(sign, unpack(a), unpack(b))
}

/// Maps bits to integers in the order of the numbers they stand for, with both zeros at 0. NaN must be excluded before.
#[inline(always)]
fn order(bits: u32) -> i32 {
	let magnitude = (bits & MAGNITUDE) as i32;
	let mask = bits as i32 >> 31;
	(magnitude ^ mask) - mask
}

// The names are those of the standard; operators would hide that each of these rounds.
#[allow(clippy::should_implement_trait)]
impl F32 {
	/// Positive zero.
	pub const ZERO: F32 = F32(0);
	/// One.
	pub const ONE: F32 = F32(0x3f80_0000);
	/// Positive infinity.
	pub const INFINITY: F32 = F32(INFINITY);
	/// Negative infinity.
	pub const NEG_INFINITY: F32 = F32(SIGN | INFINITY);
	/// The canonical quiet NaN, `0x7fc00000`: the only NaN that any operation returns.
	pub const NAN: F32 = F32(NAN);

	/// `self + rhs`. Opposite infinities give NaN; an exact cancellation gives `+0`.
	#[inline]
	pub fn add(self, rhs: F32) -> F32 {
		let (x, y) = (self.0, rhs.0);
		if is_normal_field(exponent_field(x)) & is_normal_field(exponent_field(y)) {
			add_unpacked(x & SIGN, unpack_normal(x), y & SIGN, unpack_normal(y))
		} else {
			add_special(x, y)
		}
	}

	/// `self - rhs`, which is `self + (-rhs)`.
	#[inline]
	pub fn sub(self, rhs: F32) -> F32 {
		self.add(F32(rhs.0 ^ SIGN))
	}

	/// `self * rhs`. Zero times infinity gives NaN.
	#[inline]
	pub fn mul(self, rhs: F32) -> F32 {
		let (a, b) = (self.0, rhs.0);
		if is_normal_field(exponent_field(a)) & is_normal_field(exponent_field(b)) {
			mul_unpacked((a ^ b) & SIGN, unpack_normal(a), unpack_normal(b))
		} else {
			mul_special(a, b)
		}
	}

	/// `self * factor + addend`, rounded once.
	#[inline]
	pub fn fma(self, factor: F32, addend: F32) -> F32 {
		let (a, b, c) = (self.0, factor.0, addend.0);
		let normal = is_normal_field(exponent_field(a))
			& is_normal_field(exponent_field(b))
			& is_normal_field(exponent_field(c));
		if normal {
			fma_unpacked((a ^ b) & SIGN, unpack_normal(a), unpack_normal(b), c & SIGN, unpack_normal(c))
		} else {
			fma_special(a, b, c)
		}
	}

	/// `self / rhs`. `0/0` and `inf/inf` give NaN; a non-zero number over zero gives infinity.
	#[inline]
	pub fn div(self, rhs: F32) -> F32 {
		let (a, b) = (self.0, rhs.0);
		if is_normal_field(exponent_field(a)) & is_normal_field(exponent_field(b)) {
			div_unpacked((a ^ b) & SIGN, unpack_normal(a), unpack_normal(b))
		} else {
			div_special(a, b)
		}
	}

	/// Square root. `-0` gives `-0`, any other negative number gives NaN.
	#[inline]
	pub fn sqrt(self) -> F32 {
		let bits = self.0;
		if is_nan(bits) {
			return F32(NAN);
		}
		if is_zero(bits) || bits == INFINITY {
			return self;
		}
		if bits & SIGN != 0 {
			return F32(NAN);
		}
		let (exponent, significand) = unpack(bits);
		// Unbiased exponent made even, so that it halves exactly: the radicand is in [2^50, 2^52), its root has 26 bits.
		let unbiased = exponent - BIAS;
		let odd = (unbiased & 1) as u32;
		let radicand = (significand as u64) << (27 + odd);
		let root = radicand.isqrt();
		round(0, ((unbiased - odd as i32) >> 1) + BIAS, root << 37, root * root != radicand)
	}

	/// `self < rhs`; false when either is NaN; the zeros are equal.
	#[inline]
	pub fn lt(self, rhs: F32) -> bool {
		!is_nan(self.0) & !is_nan(rhs.0) & (order(self.0) < order(rhs.0))
	}

	/// `self <= rhs`; false when either is NaN; the zeros are equal.
	#[inline]
	pub fn le(self, rhs: F32) -> bool {
		!is_nan(self.0) & !is_nan(rhs.0) & (order(self.0) <= order(rhs.0))
	}

	/// `self > rhs`; false when either is NaN; the zeros are equal.
	#[inline]
	pub fn gt(self, rhs: F32) -> bool {
		rhs.lt(self)
	}

	/// `self >= rhs`; false when either is NaN; the zeros are equal.
	#[inline]
	pub fn ge(self, rhs: F32) -> bool {
		rhs.le(self)
	}

	/// IEEE equality: false when either is NaN; the zeros are equal.
	#[inline]
	pub fn eq(self, rhs: F32) -> bool {
		!is_nan(self.0) & !is_nan(rhs.0) & (order(self.0) == order(rhs.0))
	}

	/// The smaller operand; `self` when they compare equal (also `-0` and `+0`); NaN when either is NaN.
	#[inline]
	pub fn min(self, rhs: F32) -> F32 {
		if is_nan(self.0) | is_nan(rhs.0) {
			F32(NAN)
		} else if rhs.lt(self) {
			rhs
		} else {
			self
		}
	}

	/// The greater operand; `self` when they compare equal (also `-0` and `+0`); NaN when either is NaN.
	#[inline]
	pub fn max(self, rhs: F32) -> F32 {
		if is_nan(self.0) | is_nan(rhs.0) {
			F32(NAN)
		} else if self.lt(rhs) {
			rhs
		} else {
			self
		}
	}

	/// `-self`; NaN becomes the canonical NaN.
	#[inline]
	pub fn neg(self) -> F32 {
		F32(self.0 ^ SIGN).canonical()
	}

	/// `|self|`; NaN becomes the canonical NaN.
	#[inline]
	pub fn abs(self) -> F32 {
		F32(self.0 & MAGNITUDE).canonical()
	}

	/// The number itself, any NaN replaced by the canonical one.
	#[inline]
	pub fn canonical(self) -> F32 {
		if is_nan(self.0) {
			F32(NAN)
		} else {
			self
		}
	}

	/// True for every NaN, quiet or signalling.
	#[inline]
	pub fn is_nan(self) -> bool {
		is_nan(self.0)
	}

	/// True for numbers that are neither infinite nor NaN.
	#[inline]
	pub fn is_finite(self) -> bool {
		self.0 & MAGNITUDE < INFINITY
	}

	/// The nearest binary32 to an integer.
	#[inline]
	pub fn from_i32(value: i32) -> F32 {
		from_magnitude(value as u32 & SIGN, value.unsigned_abs())
	}

	/// The nearest binary32 to an integer.
	#[inline]
	pub fn from_u32(value: u32) -> F32 {
		from_magnitude(0, value)
	}

	/// Clamps to the range of `i32`, then rounds to the nearest integer, ties to even. NaN gives 0.
	///
	/// For a narrower integer range clamp the result: bounds that are integers commute with rounding.
	#[inline]
	pub fn to_i32_clamped(self) -> i32 {
		if is_nan(self.0) {
			return 0;
		}
		let negative = self.0 & SIGN != 0;
		let field = exponent_field(self.0) as i32;
		if field >= BIAS + 31 {
			return if negative { i32::MIN } else { i32::MAX };
		}
		let magnitude = integer_magnitude(field, self.0) as i32;
		if negative {
			-magnitude
		} else {
			magnitude
		}
	}

	/// The nearest integer as a binary32, ties to even. Keeps the sign of zero; infinities stay.
	#[inline]
	pub fn round_ties_even(self) -> F32 {
		let field = exponent_field(self.0) as i32;
		// From 2^23 on every finite number is an integer.
		if field >= BIAS + 23 {
			return self.canonical();
		}
		from_magnitude(self.0 & SIGN, integer_magnitude(field, self.0))
	}
}

fn from_magnitude(sign: u32, magnitude: u32) -> F32 {
	if magnitude == 0 {
		return F32(sign);
	}
	round(sign, BIAS + 62 - 30, (magnitude as u64) << 30, false)
}

/// `|x|` rounded to an integer, ties to even, for an exponent field below `127 + 31`.
fn integer_magnitude(field: i32, bits: u32) -> u32 {
	// Below one half, and one half itself is a tie to zero, which the general case gives.
	if field < BIAS - 1 {
		return 0;
	}
	let significand = ((bits & FRACTION) | HIDDEN) as u64;
	// 24 fraction bits: exponents from -1 to 30 shift left by 0 to 31.
	let fixed = significand << (field - (BIAS - 1));
	let odd = (fixed >> 24) & 1;
	((fixed + 0x7f_ffff + odd) >> 24) as u32
}
