//! Random bits that repeat.

/// A linear congruential generator, so that a failure names the case that repeats it.
#[derive(Clone, Debug)]
pub struct Random {
	state: u64,
	scale: u32,
}

impl Random {
	/// The generator of a seed.
	pub fn new(seed: u64) -> Self {
		Self::scaled(seed, 1)
	}

	/// The same, for cases whose sides are `scale` times as long.
	pub fn scaled(seed: u64, scale: u32) -> Self {
		Self { state: seed, scale: scale.max(1) }
	}

	/// How many times as long sides are.
	pub(super) fn scale(&self) -> u32 {
		self.scale
	}

	/// 32 bits.
	#[allow(clippy::should_implement_trait)] // It never ends, and its callers do not iterate.
	pub fn next(&mut self) -> u32 {
		self.state = self.state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
		(self.state >> 32) as u32
	}

	/// A number below `n`.
	pub fn below(&mut self, n: u32) -> u32 {
		((u64::from(self.next()) * u64::from(n)) >> 32) as u32
	}

	/// A number of ordinary size.
	pub fn ordinary(&mut self) -> u32 {
		let value = (f64::from(self.next()) / f64::from(u32::MAX) * 4.0 - 2.0) as f32;
		value.to_bits()
	}

	/// Any bits, special ones often: zeros, subnormals, infinities, NaNs, ones.
	pub fn any(&mut self) -> u32 {
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
