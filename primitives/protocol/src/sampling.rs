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

/// Up to `count` distinct indices of `weights`, one after the other, each with probability proportional to its weight among
/// those left. Indices of weight 0 and `excluded` ones are never drawn; fewer come back when there are not enough.
///
/// The sum of the weights must fit 128 bits, as balances of one chain do; beyond, the last ones lose weight.
pub fn draw_weighted(seed: &Hash, weights: &[Balance], count: u32, excluded: impl Fn(usize) -> bool) -> Vec<usize> {
	let mut stream = Stream::new(seed, b"weighted");
	let mut left: Vec<(usize, Balance)> =
		weights.iter().copied().enumerate().filter(|(index, weight)| *weight > 0 && !excluded(*index)).collect();
	let mut drawn = Vec::new();
	while drawn.len() < count as usize && !left.is_empty() {
		let total = left.iter().fold(0u128, |sum, (_, weight)| sum.saturating_add(*weight));
		let mut ticket = stream.below(total);
		let hit = left.iter().position(|(_, weight)| match ticket.checked_sub(*weight) {
			Some(rest) => {
				ticket = rest;
				false
			}
			None => true,
		});
		// The ticket is below the sum, so it hits.
		let Some(hit) = hit else { break };
		drawn.push(left.remove(hit).0);
	}
	drawn
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
		fn weighted_is_distinct_and_respects_exclusion(
			s: [u8; 32], weights in prop::collection::vec(0u128..100, 0..40), count in 0u32..50, stride in 1usize..5,
		) {
			let drawn = draw_weighted(&s, &weights, count, |i| i % stride == 1);
			let able = (0..weights.len()).filter(|i| weights[*i] > 0 && i % stride != 1).count();
			prop_assert_eq!(drawn.len(), able.min(count as usize));
			for (i, index) in drawn.iter().enumerate() {
				prop_assert!(weights[*index] > 0 && index % stride != 1 && !drawn[..i].contains(index));
			}
		}

		#[test]
		fn extreme_weights_do_not_panic(s: [u8; 32], weights in prop::collection::vec(any::<u128>(), 0..8)) {
			draw_weighted(&s, &weights, 8, |_| false);
		}
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
			hits[draw_weighted(&seed(i), &weights, 1, |_| false)[0]] += 1;
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
			second[draw_weighted(&seed(i), &weights, 2, |_| false)[1]] += 1;
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
		let first = (0..1000).filter(|i| draw_weighted(&seed(*i), &weights, 1, |_| false)[0] == 0).count();
		assert!((400..600).contains(&first));
	}
}
