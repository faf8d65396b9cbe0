//! The arithmetic contract that the referee and every hardware backend instantiate.

use crate::F32;

/// `1.5 * 2^23`: adding it to a number of magnitude up to `2^22` leaves the rounded integer in the low fraction bits.
const INTEGER_SHIFT: u32 = 0x4b40_0000;
const NAN: u32 = 0x7fc0_0000;
/// `2^12`.
const TWO_TO_12: u32 = 0x4580_0000;

/// binary32 arithmetic, round to nearest even, subnormals kept, nothing contracted.
///
/// Two implementations must agree on every bit of every result, except for the payload and sign of a NaN: hardware
/// differs there, so code generic over `Real` must never let the bits of a computed NaN reach a result
/// ([`Real::canonical`] is the way out). The provided methods define min, max and the integer conversions from the
/// required ones and are not to be overridden with anything that returns other bits.
///
/// For hardware: a newtype over `f32` whose methods are `#[inline(always)]`, with `f32::mul_add` as `fma` inside a
/// function that enables the fma target feature. No method needs a branch.
pub trait Real: Copy {
	/// The number with this bit pattern.
	fn from_bits(bits: u32) -> Self;
	/// The bit pattern.
	fn to_bits(self) -> u32;
	/// `self + rhs`.
	fn add(self, rhs: Self) -> Self;
	/// `self - rhs`.
	fn sub(self, rhs: Self) -> Self;
	/// `self * rhs`.
	fn mul(self, rhs: Self) -> Self;
	/// `self * factor + addend`, rounded once.
	fn fma(self, factor: Self, addend: Self) -> Self;
	/// `self / rhs`.
	fn div(self, rhs: Self) -> Self;
	/// Square root.
	fn sqrt(self) -> Self;
	/// `self < rhs`; false when either is NaN.
	fn lt(self, rhs: Self) -> bool;
	/// IEEE equality; false when either is NaN.
	fn eq(self, rhs: Self) -> bool;

	/// `yes` if `condition`, otherwise `no`. Both are evaluated.
	#[inline(always)]
	fn select(condition: bool, yes: Self, no: Self) -> Self {
		if condition {
			yes
		} else {
			no
		}
	}

	/// `self > rhs`; false when either is NaN.
	#[inline(always)]
	fn gt(self, rhs: Self) -> bool {
		rhs.lt(self)
	}

	/// True for every NaN.
	#[inline(always)]
	fn is_nan(self) -> bool {
		self.to_bits() & 0x7fff_ffff > 0x7f80_0000
	}

	/// True for numbers that are neither infinite nor NaN.
	#[inline(always)]
	fn is_finite(self) -> bool {
		self.to_bits() & 0x7fff_ffff < 0x7f80_0000
	}

	/// The number itself, any NaN replaced by `0x7fc00000`.
	#[inline(always)]
	fn canonical(self) -> Self {
		Self::select(self.is_nan(), Self::from_bits(NAN), self)
	}

	/// The sign bit flipped.
	#[inline(always)]
	fn neg(self) -> Self {
		Self::from_bits(self.to_bits() ^ 0x8000_0000)
	}

	/// The sign bit cleared.
	#[inline(always)]
	fn abs(self) -> Self {
		Self::from_bits(self.to_bits() & 0x7fff_ffff)
	}

	/// The greater operand; `self` when they compare equal (also `-0` and `+0`); canonical NaN when either is NaN.
	#[inline(always)]
	fn max(self, rhs: Self) -> Self {
		let greater = Self::select(self.lt(rhs), rhs, self);
		Self::select(self.is_nan() | rhs.is_nan(), Self::from_bits(NAN), greater)
	}

	/// The number itself above 0, otherwise `+0`, of NaN too.
	///
	/// By its bits: LLVM turns a comparison with 0 and a choice between the number and 0 into AArch64's `fmaxnm`, which makes
	/// a quiet NaN of a signaling one.
	#[inline(always)]
	fn relu(self) -> Self {
		let bits = self.to_bits();
		let positive = bits.wrapping_sub(1) < 0x7f80_0000;
		Self::from_bits(if positive { bits } else { 0 })
	}

	/// The smaller operand; `self` when they compare equal (also `-0` and `+0`); canonical NaN when either is NaN.
	#[inline(always)]
	fn min(self, rhs: Self) -> Self {
		let smaller = Self::select(rhs.lt(self), rhs, self);
		Self::select(self.is_nan() | rhs.is_nan(), Self::from_bits(NAN), smaller)
	}

	/// The nearest integer, ties to even, for `|self| <= 2^22`. Any other input gives some integer.
	#[inline(always)]
	fn round_to_i32(self) -> i32 {
		self.add(Self::from_bits(INTEGER_SHIFT)).to_bits().wrapping_sub(INTEGER_SHIFT) as i32
	}

	/// An integer of magnitude up to `2^22`, exactly. Any other input gives some number.
	#[inline(always)]
	fn from_small_i32(value: i32) -> Self {
		Self::from_bits(INTEGER_SHIFT.wrapping_add(value as u32)).sub(Self::from_bits(INTEGER_SHIFT))
	}

	/// The number nearest to an integer, ties to even.
	///
	/// Upper 20 and lower 12 bits become numbers exactly, and so does the upper ones' product: only the sum rounds.
	#[inline(always)]
	fn from_i32(value: i32) -> Self {
		let (high, low) = (Self::from_small_i32(value >> 12), Self::from_small_i32(value & 0xfff));
		high.mul(Self::from_bits(TWO_TO_12)).add(low)
	}

	/// `2^exponent` for an exponent in `-126..=127`.
	#[inline(always)]
	fn power_of_two(exponent: i32) -> Self {
		Self::from_bits((exponent.wrapping_add(127) as u32) << 23)
	}
}

impl Real for F32 {
	#[inline(always)]
	fn from_bits(bits: u32) -> F32 {
		F32(bits)
	}
	#[inline(always)]
	fn to_bits(self) -> u32 {
		self.0
	}
	#[inline(always)]
	fn add(self, rhs: F32) -> F32 {
		F32::add(self, rhs)
	}
	#[inline(always)]
	fn sub(self, rhs: F32) -> F32 {
		F32::sub(self, rhs)
	}
	#[inline(always)]
	fn mul(self, rhs: F32) -> F32 {
		F32::mul(self, rhs)
	}
	#[inline(always)]
	fn fma(self, factor: F32, addend: F32) -> F32 {
		F32::fma(self, factor, addend)
	}
	#[inline(always)]
	fn div(self, rhs: F32) -> F32 {
		F32::div(self, rhs)
	}
	#[inline(always)]
	fn sqrt(self) -> F32 {
		F32::sqrt(self)
	}
	#[inline(always)]
	fn lt(self, rhs: F32) -> bool {
		F32::lt(self, rhs)
	}
	#[inline(always)]
	fn eq(self, rhs: F32) -> bool {
		F32::eq(self, rhs)
	}
}
