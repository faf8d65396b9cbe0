//! The machine's own binary32 as a [`Real`], and test inputs that reach the corners.
// Shared by several test and example binaries, none of which uses all of it.
#![allow(dead_code, unreachable_pub)]

use assay_softfloat::Real;

/// Hardware binary32.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Native(pub f32);

impl Real for Native {
	#[inline(always)]
	fn from_bits(bits: u32) -> Self {
		Native(f32::from_bits(bits))
	}
	#[inline(always)]
	fn to_bits(self) -> u32 {
		self.0.to_bits()
	}
	#[inline(always)]
	fn add(self, rhs: Self) -> Self {
		Native(self.0 + rhs.0)
	}
	#[inline(always)]
	fn sub(self, rhs: Self) -> Self {
		Native(self.0 - rhs.0)
	}
	#[inline(always)]
	fn mul(self, rhs: Self) -> Self {
		Native(self.0 * rhs.0)
	}
	#[inline(always)]
	fn fma(self, factor: Self, addend: Self) -> Self {
		Native(self.0.mul_add(factor.0, addend.0))
	}
	#[inline(always)]
	fn div(self, rhs: Self) -> Self {
		Native(self.0 / rhs.0)
	}
	#[inline(always)]
	fn sqrt(self) -> Self {
		Native(self.0.sqrt())
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

/// Bits of a hardware result with the payload and sign of a NaN removed.
#[inline(always)]
pub fn canonical(value: f32) -> u32 {
	if value.is_nan() {
		0x7fc0_0000
	} else {
		value.to_bits()
	}
}

/// SplitMix64: reproducible, seeded by the case range under test.
pub struct Random(pub u64);

impl Random {
	#[inline(always)]
	pub fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	/// A fraction field: uniform, or with long runs of equal bits, which make ties and carries.
	#[inline(always)]
	fn fraction(&mut self) -> u32 {
		let word = self.next();
		let uniform = (word >> 32) as u32 & 0x007f_ffff;
		let cut = (word >> 8) as u32 % 24;
		match word & 7 {
			0 => uniform & !((1 << cut) - 1) & 0x007f_ffff,
			1 => uniform | ((1 << cut) - 1),
			2 => (1 << cut) & 0x007f_ffff,
			3 => 0x007f_ffff ^ ((1 << cut) >> 1),
			_ => uniform,
		}
	}

	fn with_exponent(&mut self, exponent: i32) -> u32 {
		let sign = (self.next() as u32) & 0x8000_0000;
		sign | ((exponent.clamp(0, 254) as u32) << 23) | self.fraction()
	}

	/// Any bit pattern, or one with an exponent that is extreme or near one.
	pub fn number(&mut self) -> u32 {
		let word = self.next();
		let wobble = (word >> 8) as i32 & 15;
		match word & 7 {
			0 | 1 => (word >> 32) as u32,
			2 => self.with_exponent(wobble - 8),
			3 => self.with_exponent(254 - wobble),
			4 => self.with_exponent((word >> 16) as i32 & 255),
			_ => self.with_exponent(119 + wobble),
		}
	}

	/// Two operands; half the time of nearby exponents, so that sums cancel.
	pub fn pair(&mut self) -> (u32, u32) {
		let x = self.number();
		let word = self.next();
		if word & 1 == 0 {
			return (x, self.number());
		}
		let exponent = (x >> 23) as i32 & 255;
		(x, self.with_exponent(exponent + ((word >> 8) % 7) as i32 - 3))
	}

	/// Two factors; half the time their product or quotient falls near the subnormal range or near overflow.
	pub fn factors(&mut self) -> (u32, u32) {
		let a = self.number();
		let word = self.next();
		let exponent = (a >> 23) as i32 & 255;
		let wobble = ((word >> 8) & 31) as i32;
		let b = match word & 7 {
			0 => self.with_exponent(127 - exponent - wobble),
			1 => self.with_exponent(127 + 254 - exponent - wobble + 4),
			2 => self.with_exponent(exponent + 127 - wobble + 2),
			3 => self.with_exponent(exponent - 127 + wobble - 4),
			_ => self.number(),
		};
		(a, b)
	}

	/// Operands of a fused multiply-add; often with an addend close to the negated product, or just at its rounding edge.
	pub fn triple(&mut self) -> (u32, u32, u32) {
		let (a, b) = self.factors();
		let word = self.next();
		let product = (f32::from_bits(a) * f32::from_bits(b)).to_bits();
		let exponent = (product >> 23) as i32 & 255;
		let c = match word & 7 {
			0 => product ^ 0x8000_0000,
			1 => (product ^ 0x8000_0000).wrapping_add((word >> 8) as u32 & 3).wrapping_sub(1),
			2 | 3 => self.with_exponent(exponent + ((word >> 8) % 64) as i32 - 32),
			4 => self.with_exponent(exponent - 23 - ((word >> 8) % 4) as i32),
			5 => self.with_exponent(exponent + 23 + ((word >> 8) % 4) as i32),
			_ => self.number(),
		};
		(a, b, c)
	}
}

/// Numbers at the edges of every case distinction, with both signs, infinities and NaNs.
pub fn special_values() -> Vec<u32> {
	let positive = [
		0x0000_0000,
		0x0000_0001,
		0x0000_0002,
		0x0000_0003,
		0x0000_1000,
		0x003f_ffff,
		0x0040_0000,
		0x0040_0001,
		0x007f_fffe,
		0x007f_ffff,
		0x0080_0000,
		0x0080_0001,
		0x00ff_ffff,
		0x0100_0000,
		0x0b80_0000,
		0x1f80_0000,
		0x2000_0001,
		0x3380_0000,
		0x3380_0001,
		0x33ff_ffff,
		0x3400_0000,
		0x3eff_ffff,
		0x3f00_0000,
		0x3f00_0001,
		0x3f35_04f3,
		0x3f7f_fffe,
		0x3f7f_ffff,
		0x3f80_0000,
		0x3f80_0001,
		0x3f80_0002,
		0x3fbf_ffff,
		0x3fc0_0000,
		0x3fff_ffff,
		0x4000_0000,
		0x4020_0000,
		0x4040_0000,
		0x4aff_ffff,
		0x4b00_0000,
		0x4b00_0001,
		0x4b7f_ffff,
		0x4b80_0000,
		0x4b80_0001,
		0x4eff_ffff,
		0x4f00_0000,
		0x4f7f_ffff,
		0x4f80_0000,
		0x5f00_0000,
		0x7e7f_ffff,
		0x7e80_0000,
		0x7f00_0000,
		0x7f00_0001,
		0x7f7f_fffe,
		0x7f7f_ffff,
		0x7f80_0000,
		0x7f80_0001,
		0x7fbf_ffff,
		0x7fc0_0000,
		0x7fff_ffff,
	];
	positive.iter().flat_map(|&bits| [bits, bits | 0x8000_0000]).collect()
}
