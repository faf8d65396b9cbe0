//! binary32 arithmetic of the processor.

use assay_softfloat::Real;

/// An `f32` of the processor. With `FUSED` the fused multiply-add is the processor's, and the code around it should be
/// compiled for a processor that has one; without, it is computed exactly in binary64.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Hard<const FUSED: bool>(pub f32);

impl<const FUSED: bool> Real for Hard<FUSED> {
	#[inline(always)]
	fn from_bits(bits: u32) -> Self {
		Self(f32::from_bits(bits))
	}
	#[inline(always)]
	fn to_bits(self) -> u32 {
		self.0.to_bits()
	}
	#[inline(always)]
	fn add(self, rhs: Self) -> Self {
		Self(self.0 + rhs.0)
	}
	#[inline(always)]
	fn sub(self, rhs: Self) -> Self {
		Self(self.0 - rhs.0)
	}
	#[inline(always)]
	fn mul(self, rhs: Self) -> Self {
		Self(self.0 * rhs.0)
	}
	#[inline(always)]
	fn fma(self, factor: Self, addend: Self) -> Self {
		if FUSED {
			Self(self.0.mul_add(factor.0, addend.0))
		} else {
			Self(fma_by_f64(self.0, factor.0, addend.0))
		}
	}
	#[inline(always)]
	fn div(self, rhs: Self) -> Self {
		Self(self.0 / rhs.0)
	}
	#[inline(always)]
	fn sqrt(self) -> Self {
		Self(self.0.sqrt())
	}
	#[inline(always)]
	fn lt(self, rhs: Self) -> bool {
		self.0 < rhs.0
	}
	#[inline(always)]
	fn eq(self, rhs: Self) -> bool {
		self.0 == rhs.0
	}
}

/// `a * b + c` with one rounding, in binary64.
///
/// The product of two 24-bit significands has 48 bits and an exponent far inside binary64's range: it is exact. The sum
/// `s` of product and addend is rounded to 53 bits, and `error` is exactly what that rounding dropped (Knuth's two-sum;
/// nothing here comes near overflow or underflow of binary64). Where something was dropped, `s` is replaced by the
/// neighbour with odd significand, which is rounding to odd. Rounding that to at most 24 bits, to nearest, gives the
/// correctly rounded result because 53 >= 24 + 2 (Boldo and Melquiond, 2008), subnormals included, as those keep fewer.
#[inline(always)]
fn fma_by_f64(a: f32, b: f32, c: f32) -> f32 {
	let product = f64::from(a) * f64::from(b);
	let addend = f64::from(c);
	let sum = product + addend;
	let addend_part = sum - product;
	let error = (product - (sum - addend_part)) + (addend - addend_part);
	let bits = sum.to_bits();
	// Toward the exact value when that lies further from zero, else away from `sum` toward zero; one unit either way.
	let outward = (error > 0.0) == (sum > 0.0);
	let odd = if outward { bits.wrapping_add(1) } else { bits.wrapping_sub(1) };
	let inexact = error != 0.0 && sum.is_finite();
	let rounded = if inexact && bits & 1 == 0 { odd } else { bits };
	f64::from_bits(rounded) as f32
}

#[cfg(test)]
mod tests {
	use super::*;
	use assay_softfloat::F32;

	/// Bits that meet every special case often: any exponent, few or many significant bits, zeros, infinities, NaNs.
	fn interesting(state: &mut u64) -> u32 {
		*state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
		let x = (*state >> 32) as u32;
		match *state >> 28 & 7 {
			0 => x & 0xff80_0000,
			1 => x & 0x807f_ffff,
			2 => (x & 0x80ff_ffff) | 0x3f00_0000,
			3 => x & 0xffff_f000,
			_ => x,
		}
	}

	fn same(a: u32, b: u32) -> bool {
		a == b || (f32::from_bits(a).is_nan() && f32::from_bits(b).is_nan())
	}

	#[test]
	fn emulated_fma_equals_the_referee() {
		let mut state = 7;
		for _ in 0..4_000_000 {
			let [a, b, mut c] = [interesting(&mut state), interesting(&mut state), interesting(&mut state)];
			if state >> 40 & 1 == 0 {
				// An addend near the negated product, so that it cancels.
				let near = -(f32::from_bits(a) * f32::from_bits(b));
				c = near.to_bits() ^ (state as u32 >> 30);
			}
			let soft = F32(a).fma(F32(b), F32(c)).0;
			let hard = fma_by_f64(f32::from_bits(a), f32::from_bits(b), f32::from_bits(c)).to_bits();
			assert!(same(soft, hard), "{a:08x} * {b:08x} + {c:08x}: referee {soft:08x}, here {hard:08x}");
		}
	}

	#[test]
	fn processor_arithmetic_equals_the_referee() {
		let mut state = 11;
		for _ in 0..1_000_000 {
			let [a, b] = [interesting(&mut state), interesting(&mut state)];
			let (x, y) = (Hard::<false>::from_bits(a), Hard::<false>::from_bits(b));
			let (p, q) = (F32(a), F32(b));
			assert!(same(p.add(q).0, x.add(y).to_bits()), "{a:08x} + {b:08x}");
			assert!(same(p.sub(q).0, x.sub(y).to_bits()), "{a:08x} - {b:08x}");
			assert!(same(p.mul(q).0, x.mul(y).to_bits()), "{a:08x} * {b:08x}");
			assert!(same(p.div(q).0, x.div(y).to_bits()), "{a:08x} / {b:08x}");
			assert!(same(p.sqrt().0, x.sqrt().to_bits()), "sqrt {a:08x}");
		}
	}
}
