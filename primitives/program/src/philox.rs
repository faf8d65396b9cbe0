//! Random numbers as a pure function of (seed, stream, step, element).
//!
//! Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", 2011) is counter based:
//! no state is carried from one number to the next, so any device computes any draw alone.

use assay_softfloat::F32;

const MULTIPLIER: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const ROUNDS: usize = 10;

/// BLAKE3 key-derivation context of batch draws.
pub const BATCH_CONTEXT: &str = "assay/v1/rng";

/// BLAKE3 key-derivation context of dropouts.
pub const DROPOUT_CONTEXT: &str = "assay/v1/rng/dropout";

/// BLAKE3 key-derivation context of sampling noise.
pub const GUMBEL_CONTEXT: &str = "assay/v1/rng/gumbel";

/// BLAKE3 key-derivation context of initial values.
pub const INIT_CONTEXT: &str = "assay/v1/rng/init";

/// A Philox key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(pub [u32; 2]);

impl Key {
	/// Key of the batch draws of a job.
	pub fn batch(seed: &[u8; 32]) -> Key {
		Key::derive(BATCH_CONTEXT, seed)
	}

	/// Key of the dropouts of a job.
	pub fn dropout(seed: &[u8; 32]) -> Key {
		Key::derive(DROPOUT_CONTEXT, seed)
	}

	/// Key of the sampling noise of a job.
	pub fn gumbel(seed: &[u8; 32]) -> Key {
		Key::derive(GUMBEL_CONTEXT, seed)
	}

	/// Key of the initial values of a job.
	pub fn init(seed: &[u8; 32]) -> Key {
		Key::derive(INIT_CONTEXT, seed)
	}

	/// The first 8 bytes, as two little-endian words, of BLAKE3's `derive_key(context, seed)`.
	fn derive(context: &str, seed: &[u8; 32]) -> Key {
		let [a, b, c, d, e, f, g, h, ..] = blake3::derive_key(context, seed);
		Key([u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])])
	}

	/// The draw of one element: word 0 of the block whose counter is (element, stream, step low, step high).
	#[inline(always)]
	pub fn draw(self, stream: u32, step: u64, element: u32) -> u32 {
		philox4x32_10([element, stream, step as u32, (step >> 32) as u32], self)[0]
	}

	/// The draws of the four elements from `4 * quad`, of as many as 2^34: the words of one block.
	#[inline(always)]
	pub fn draw_quad(self, stream: u32, step: u64, quad: u32) -> [u32; 4] {
		philox4x32_10([quad, stream, step as u32, (step >> 32) as u32], self)
	}

	/// The draw of `element` in the numbering of [`Key::draw_quad`].
	pub fn draw_of_quad(self, stream: u32, step: u64, element: u64) -> u32 {
		let words = self.draw_quad(stream, step, (element >> 2) as u32);
		words.get((element & 3) as usize).copied().unwrap_or(0)
	}

	/// The row of a data set of `n` rows that takes place `element` of the batch at `step`: `draw * n / 2^32`, so
	/// rows are drawn with replacement. `n` is at least 1.
	#[inline(always)]
	pub fn batch_row(self, stream: u32, step: u64, element: u32, n: u32) -> u32 {
		((u64::from(self.draw(stream, step, element)) * u64::from(n)) >> 32) as u32
	}

	/// Bits of a uniform initial value in `[-bound, bound)`: with `i` the draw's top 24 bits,
	/// `((i - 2^23) * 2^-23) * bound`, the first product exact, the second rounded once.
	pub fn uniform(self, stream: u32, element: u32, bound: u32) -> u32 {
		let centred = (self.draw(stream, 0, element) >> 8) as i32 - (1 << 23);
		F32::from_i32(centred).mul(F32((127 - 23) << 23)).mul(F32(bound)).0
	}
}

/// The batch row drawn for `element` at `step`; see [`Key::batch_row`], which saves deriving the key for every draw.
pub fn batch_row(seed: &[u8; 32], stream: u32, step: u64, element: u32, n: u32) -> u32 {
	Key::batch(seed).batch_row(stream, step, element, n)
}

/// Bits of the initial value of `element`, drawn uniformly; see [`Key::uniform`].
pub fn uniform_init(seed: &[u8; 32], stream: u32, element: u32, bound: u32) -> u32 {
	Key::init(seed).uniform(stream, element, bound)
}

/// One Philox block: four words from a counter and a key.
#[inline(always)]
pub fn philox4x32_10(counter: [u32; 4], key: Key) -> [u32; 4] {
	let [mut c0, mut c1, mut c2, mut c3] = counter;
	let Key([mut k0, mut k1]) = key;
	for _ in 0..ROUNDS {
		let p0 = u64::from(MULTIPLIER[0]) * u64::from(c0);
		let p1 = u64::from(MULTIPLIER[1]) * u64::from(c2);
		(c0, c1, c2, c3) = ((p1 >> 32) as u32 ^ c1 ^ k0, p1 as u32, (p0 >> 32) as u32 ^ c3 ^ k1, p0 as u32);
		k0 = k0.wrapping_add(WEYL[0]);
		k1 = k1.wrapping_add(WEYL[1]);
	}
	[c0, c1, c2, c3]
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Known answers of Random123's `kat_vectors` for philox4x32 with 10 rounds.
	#[test]
	fn known_answers() {
		let cases = [
			([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
			([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
			(
				[0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
				[0xa409_3822, 0x299f_31d0],
				[0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
			),
		];
		for (counter, key, expected) in cases {
			assert_eq!(philox4x32_10(counter, Key(key)), expected);
		}
	}

	#[test]
	fn draws_depend_on_every_argument_and_stay_in_range() {
		let seed = [7; 32];
		let base = Key::batch(&seed).draw(1, 2, 3);
		assert_ne!(base, Key::batch(&[8; 32]).draw(1, 2, 3));
		assert_ne!(base, Key::init(&seed).draw(1, 2, 3));
		assert_ne!(base, Key::batch(&seed).draw(2, 2, 3));
		assert_ne!(base, Key::batch(&seed).draw(1, 3, 3));
		assert_ne!(base, Key::batch(&seed).draw(1, 2 + (1 << 32), 3));
		assert_ne!(base, Key::batch(&seed).draw(1, 2, 4));
		for n in [1, 2, 1000, u32::MAX] {
			for element in 0..200 {
				assert!(batch_row(&seed, 0, 9, element, n) < n);
			}
		}
	}

	#[test]
	fn uniform_values_fill_the_interval() {
		let (mut low, mut high, mut sum) = (f32::MAX, f32::MIN, 0f64);
		for element in 0..20_000 {
			let value = f32::from_bits(uniform_init(&[3; 32], 5, element, 0.25f32.to_bits()));
			assert!((-0.25..0.25).contains(&value));
			(low, high) = (low.min(value), high.max(value));
			sum += f64::from(value);
		}
		assert!(low < -0.249 && high > 0.249 && (sum / 20_000.0).abs() < 0.01);
	}
}
