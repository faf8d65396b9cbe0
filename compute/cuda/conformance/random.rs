//! Random bits that repeat.

/// A linear congruential generator, so that a failure names the case that repeats it.
pub(crate) struct Random(pub(crate) u64);

impl Random {
	pub(crate) fn next(&mut self) -> u32 {
		self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
		(self.0 >> 32) as u32
	}

	pub(crate) fn below(&mut self, n: u32) -> u32 {
		((u64::from(self.next()) * u64::from(n)) >> 32) as u32
	}

	/// A number of ordinary size.
	pub(crate) fn ordinary(&mut self) -> u32 {
		let value = (f64::from(self.next()) / f64::from(u32::MAX) * 4.0 - 2.0) as f32;
		value.to_bits()
	}

	/// Any bits, special ones often: zeros, subnormals, infinities, NaNs, ones.
	pub(crate) fn any(&mut self) -> u32 {
		let bits = self.next();
		match self.below(12) {
			0 => bits & 0x8000_0000,
			1 => bits & 0x807f_ffff,
			2 => (bits & 0x8000_0000) | 0x7f80_0000,
			3 => bits | 0x7f80_0000,
			4 => (bits & 0x8000_0000) | 0x3f80_0000,
			5 | 6 => bits,
			_ => self.ordinary(),
		}
	}
}
