//! What is checked and by whom: draws from a seed that nobody knows before the commitment is final.
//!
//! Every draw is a function of (seed, purpose); two purposes never share randomness.

use crate::{Balance, Hash, JobId, SegmentIndex};
use alloc::vec::Vec;
use assay_commitment::{Domain, SegmentRange};

/// Seed of a milestone: over the job, the lease, the committed root and the author VRF outputs of the blocks after it, in
/// block order.
pub fn milestone_seed(job: JobId, attempt: u32, root: &Hash, vrf_outputs: &[Hash]) -> Hash {
	let (job, attempt) = (job.to_le_bytes(), attempt.to_le_bytes());
	let mut parts: Vec<&[u8]> = alloc::vec![b"milestone", &job, &attempt, root];
	parts.extend(vrf_outputs.iter().map(|output| &output[..]));
	Domain::Seed.hash(&parts)
}

/// Seed of the draw of verifiers for a segment. `tranche` counts from 1; a later one is a draw of its own.
pub fn tranche_seed(seed: &Hash, segment: SegmentIndex, tranche: u32) -> Hash {
	Domain::Seed.hash(&[b"tranche", seed, &segment.to_le_bytes(), &tranche.to_le_bytes()])
}

/// The segments of a milestone to check, ascending: its last, and `drawn` of the others, uniform and distinct; all of them
/// if there are not more. Empty for an empty range.
pub fn draw_segments(seed: &Hash, range: SegmentRange, drawn: u32) -> Vec<SegmentIndex> {
	let Some(others) = range.count.checked_sub(1) else { return Vec::new() };
	let mut stream = Stream::new(seed, b"segments");
	let mut positions: Vec<u32> = Vec::new();
	// Floyd's algorithm: every subset of the size is equally likely, after one draw per element.
	for candidate in others.saturating_sub(drawn)..others {
		let position = stream.below(u128::from(candidate) + 1) as u32;
		let taken = positions.contains(&position);
		positions.push(if taken { candidate } else { position });
	}
	positions.push(others);
	positions.sort_unstable();
	positions.into_iter().map(|position| range.first.saturating_add(position)).collect()
}

/// One that may be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
	/// Its identity, as encoded on chain.
	pub id: &'a [u8],
	/// Its weight; 0 is never drawn.
	pub weight: Balance,
}

/// Positions of up to `count` of the `candidates`, drawn without replacement, each time with probability proportional to
/// weight among those left; fewer come back when there are not enough.
///
/// Each candidate has an arrival time that only the seed, its identity and its weight decide, and the earliest arrive: an
/// exponential race (Efraimidis and Spirakis, 2006). So a candidate can neither be drawn by adding or removing others, nor
/// push anybody but itself out by leaving; a draw over running sums of the weights would allow both.
pub fn draw_candidates(seed: &Hash, candidates: &[Candidate<'_>], count: u32) -> Vec<usize> {
	let mut race: Vec<(Arrival, usize)> = candidates
		.iter()
		.enumerate()
		.filter(|(_, candidate)| candidate.weight > 0)
		.map(|(at, candidate)| (Arrival::of(seed, candidate), at))
		.collect();
	let count = race.len().min(count as usize);
	if count == 0 {
		return Vec::new();
	}
	if count < race.len() {
		race.select_nth_unstable_by(count.saturating_sub(1), |a, b| a.0.compare(&b.0));
		race.truncate(count);
	}
	race.sort_unstable_by(|a, b| a.0.compare(&b.0));
	race.into_iter().map(|(_, at)| at).collect()
}

/// When a candidate arrives: -log2(u) / weight, with u uniform in (0, 1] from seed and identity. Ties go by the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Arrival {
	/// -log2(u) in units of 2^-[`FRACTION`].
	exponent: u64,
	weight: Balance,
	tie: Hash,
}

/// Fractional bits of an arrival's exponent.
const FRACTION: u32 = 40;

impl Arrival {
	fn of(seed: &Hash, candidate: &Candidate<'_>) -> Self {
		let tie = Domain::Seed.hash(&[b"candidate", seed, candidate.id]);
		let head = tie.first_chunk::<8>().copied().unwrap_or_default();
		Self { exponent: minus_log2(u64::from_le_bytes(head)), weight: candidate.weight, tie }
	}

	/// By exponent / weight without a division: exponent_a * weight_b against exponent_b * weight_a.
	fn compare(&self, other: &Self) -> core::cmp::Ordering {
		wide(other.weight, self.exponent).cmp(&wide(self.weight, other.exponent)).then(self.tie.cmp(&other.tie))
	}
}

/// A product of 192 bits: the high 64 and the low 128.
fn wide(a: u128, b: u64) -> (u128, u128) {
	let (high, low) = (a >> 64, a & u128::from(u64::MAX));
	let b = u128::from(b);
	// Neither product overflows: both factors are below 2^64.
	let (high, low) = (high.wrapping_mul(b), low.wrapping_mul(b));
	let (sum, carry) = low.overflowing_add(high << 64);
	((high >> 64).wrapping_add(u128::from(carry)), sum)
}

/// -log2((x + 1) / 2^64), rounded to multiples of 2^-[`FRACTION`]. Bits of the logarithm by repeated squaring.
fn minus_log2(x: u64) -> u64 {
	let value = u128::from(x).wrapping_add(1);
	let whole = value.ilog2();
	// In [1, 2), with 63 fractional bits. `whole` is at most 64.
	let mut mantissa = if whole > 63 { value >> 1 } else { value << 63u32.saturating_sub(whole) };
	let mut fraction = 0u64;
	for bit in (0..FRACTION).rev() {
		mantissa = mantissa.wrapping_mul(mantissa) >> 63;
		if mantissa >> 64 != 0 {
			mantissa >>= 1;
			fraction |= 1 << bit;
		}
	}
	let log2 = (u64::from(whole) << FRACTION) | fraction;
	(64u64 << FRACTION).saturating_sub(log2)
}

/// An endless stream of random bits.
struct Stream(blake3::OutputReader);

/// Tries of one draw; each succeeds with probability above 1/2.
const TRIES: u32 = 128;

impl Stream {
	fn new(seed: &Hash, purpose: &[u8]) -> Self {
		let mut hasher = blake3::Hasher::new_derive_key("assay/v1/draw");
		hasher.update(seed).update(purpose);
		Self(hasher.finalize_xof())
	}

	/// Uniform below `bound`; 0 for bound 0.
	fn below(&mut self, bound: u128) -> u128 {
		let Some(greatest) = bound.checked_sub(1) else { return 0 };
		let mask = u128::MAX.checked_shr(greatest.leading_zeros()).unwrap_or(0);
		for _ in 0..TRIES {
			let value = self.next() & mask;
			if value < bound {
				return value;
			}
		}
		// Reached with probability below 2^-128: the work stays bounded whatever the seed.
		self.next() % bound
	}

	fn next(&mut self) -> u128 {
		let mut bytes = [0; 16];
		self.0.fill(&mut bytes);
		u128::from_le_bytes(bytes)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	fn seed(i: u32) -> Hash {
		milestone_seed(7, 0, &[3; 32], &[Domain::Seed.hash(&[&i.to_le_bytes()])])
	}

	proptest! {
		#[test]
		fn segments_are_distinct_ascending_and_end_with_the_last(
			s: [u8; 32], first in 0u32..1000, count in 1u32..200, drawn in 0u32..64,
		) {
			let range = SegmentRange { first, count };
			let segments = draw_segments(&s, range, drawn);
			prop_assert_eq!(segments.len() as u32, drawn.min(count - 1) + 1);
			prop_assert!(segments.windows(2).all(|pair| pair[0] < pair[1]));
			prop_assert!(segments.iter().all(|segment| range.end_of(*segment).is_some()));
			prop_assert_eq!(segments.last().copied(), Some(first + count - 1));
		}

		#[test]
		fn candidates_are_distinct_and_able(
			s: [u8; 32], weights in prop::collection::vec(0u128..100, 0..40), count in 0u32..50,
		) {
			let drawn = draw(&s, &weights, count);
			let able = weights.iter().filter(|weight| **weight > 0).count();
			prop_assert_eq!(drawn.len(), able.min(count as usize));
			for (i, index) in drawn.iter().enumerate() {
				prop_assert!(weights[*index] > 0 && !drawn[..i].contains(index));
			}
		}

		/// Who is not drawn changes nothing by leaving, whoever leaves only hands its own place to the next, and who joins
		/// takes at most one place.
		#[test]
		fn others_cannot_be_pushed(
			s: [u8; 32], weights in prop::collection::vec(1u128..100, 1..30), count in 1u32..10, gone: prop::sample::Index,
		) {
			let gone = gone.index(weights.len());
			let mut fewer = weights.clone();
			fewer[gone] = 0;
			let with = draw(&s, &weights, count);
			let without = draw(&s, &fewer, count);
			let kept: Vec<usize> = with.iter().copied().filter(|at| *at != gone).collect();
			prop_assert_eq!(&without[..kept.len()], &kept[..]);
			prop_assert!(without.len() <= kept.len() + 1);
			if kept.len() == with.len() {
				prop_assert_eq!(without, with);
			}
		}

		#[test]
		fn extreme_weights_do_not_panic(s: [u8; 32], weights in prop::collection::vec(any::<u128>(), 0..8)) {
			draw(&s, &weights, 8);
		}

		#[test]
		fn products_are_exact(a: u128, b: u64) {
			let (high, low) = wide(a, b);
			// Division and remainder by b give a back.
			if b > 0 {
				let b = u128::from(b);
				let digits = [high as u64, (low >> 64) as u64, low as u64];
				prop_assert!(high < 1 << 64);
				let mut rest = 0u128;
				let quotient = digits.iter().fold(0u128, |quotient, digit| {
					let value = (rest << 64) | u128::from(*digit);
					rest = value % b;
					(quotient << 64) | (value / b)
				});
				prop_assert_eq!((quotient, rest), (a, 0));
			}
		}

		#[test]
		fn logarithm_is_close(x: u64) {
			let exact = 64.0 - (x as f64 + 1.0).log2();
			let got = minus_log2(x) as f64 / (1u64 << FRACTION) as f64;
			prop_assert!((got - exact).abs() < 1e-10, "{got} {exact}");
		}
	}

	fn draw(seed: &Hash, weights: &[u128], count: u32) -> Vec<usize> {
		let ids: Vec<[u8; 8]> = (0..weights.len() as u64).map(u64::to_le_bytes).collect();
		let candidates: Vec<Candidate<'_>> =
			ids.iter().zip(weights).map(|(id, weight)| Candidate { id, weight: *weight }).collect();
		draw_candidates(seed, &candidates, count)
	}

	#[test]
	fn logarithm_at_the_ends() {
		assert_eq!(minus_log2(u64::MAX), 0);
		assert_eq!(minus_log2(0), 64 << FRACTION);
		assert_eq!(minus_log2((1 << 63) - 1), 1 << FRACTION);
	}

	/// Chi-square of observed counts against equal expectation.
	fn chi_square(counts: &[u32], expected: f64) -> f64 {
		counts.iter().map(|c| (f64::from(*c) - expected).powi(2) / expected).sum()
	}

	#[test]
	fn segments_are_uniform() {
		let (runs, drawn, count) = (6000, 4, 25u32);
		let mut hits = alloc::vec![0; count as usize - 1];
		for i in 0..runs {
			for segment in draw_segments(&seed(i), SegmentRange { first: 0, count }, drawn) {
				if segment < count - 1 {
					hits[segment as usize] += 1;
				}
			}
		}
		let expected = f64::from(runs * drawn) / f64::from(count - 1);
		// 23 degrees of freedom: 99.99 % lie below 56.
		assert!(chi_square(&hits, expected) < 56.0, "{hits:?}");
	}

	#[test]
	fn pairs_of_segments_are_uniform() {
		let mut hits = alloc::vec![0; 36];
		for i in 0..7200 {
			let drawn = draw_segments(&seed(i), SegmentRange { first: 0, count: 7 }, 2);
			hits[drawn[0] as usize * 6 + drawn[1] as usize] += 1;
		}
		let pairs: Vec<u32> = hits.iter().copied().filter(|hits| *hits > 0).collect();
		assert_eq!(pairs.len(), 15);
		// 14 degrees of freedom: 99.99 % lie below 42.
		assert!(chi_square(&pairs, 480.0) < 42.0, "{pairs:?}");
	}

	#[test]
	fn weighted_follows_the_weights() {
		let weights = [1u128, 2, 3, 4, 90];
		let mut hits = [0u32; 5];
		let runs = 20_000;
		for i in 0..runs {
			hits[draw(&seed(i), &weights, 1)[0]] += 1;
		}
		for (hit, weight) in hits.iter().zip(weights) {
			let p = weight as f64 / 100.0;
			let sigma = (f64::from(runs) * p * (1.0 - p)).sqrt();
			assert!((f64::from(*hit) - f64::from(runs) * p).abs() < 4.5 * sigma, "{hits:?}");
		}
	}

	#[test]
	fn second_draw_is_proportional_among_the_rest() {
		let weights = [6u128, 3, 1];
		let runs = 20_000u32;
		let mut second = [0u32; 3];
		for i in 0..runs {
			second[draw(&seed(i), &weights, 2)[1]] += 1;
		}
		// P(second = 0) = 3/10 * 6/7 + 1/10 * 6/9, and so on.
		let expected = [0.3 * 6.0 / 7.0 + 0.1 * 6.0 / 9.0, 0.6 * 0.75 + 0.1 * 3.0 / 9.0, 0.6 * 0.25 + 0.3 / 7.0];
		for (hit, p) in second.iter().zip(expected) {
			let sigma = (f64::from(runs) * p * (1.0 - p)).sqrt();
			assert!((f64::from(*hit) - f64::from(runs) * p).abs() < 4.5 * sigma, "{second:?}");
		}
	}

	#[test]
	fn purposes_do_not_share_randomness() {
		let s = seed(1);
		assert_ne!(tranche_seed(&s, 3, 1), tranche_seed(&s, 3, 2));
		assert_ne!(tranche_seed(&s, 3, 1), tranche_seed(&s, 4, 1));
		assert_ne!(milestone_seed(1, 0, &[0; 32], &[[1; 32]]), milestone_seed(1, 1, &[0; 32], &[[1; 32]]));
		assert_ne!(
			milestone_seed(1, 0, &[0; 32], &[[1; 32], [2; 32]]),
			milestone_seed(1, 0, &[0; 32], &[[2; 32], [1; 32]])
		);
	}

	#[test]
	fn weights_beyond_64_bits() {
		let weights = [u128::MAX / 2, u128::MAX / 2];
		let first = (0..1000).filter(|i| draw(&seed(*i), &weights, 1)[0] == 0).count();
		assert!((400..600).contains(&first));
	}
}
