//! Reductions: one link of the lanes of a chunk.

use crate::patch::Patch;
use alloc::vec::Vec;
use assay_program::{
	refine::{Link, REDUCE_LANES},
	Axis, Reduction,
};
use assay_softfloat::F32;

const LANES: usize = REDUCE_LANES as usize;

/// Continues the lanes of the chunk's elements over the link; at the end of a segment folds them into the totals.
///
/// `words` is totals, then the 32 lanes of each element. A lane of a maximum has no value before its first element of
/// the segment; a lane of a sum starts at +0.
pub(crate) fn link(reduction: Reduction, axis: Axis, link: &Link, mut words: Vec<u32>, x: &Patch) -> Vec<u32> {
	let elements = words.len() / (1 + LANES);
	let (totals, lanes) = words.split_at_mut(elements);
	let region = x.region();
	for (element, (total, lanes)) in (0u32..).zip(totals.iter_mut().zip(lanes.chunks_exact_mut(LANES))) {
		for inner in link.start..link.end {
			let value = F32(match axis {
				Axis::Rows => x.at(inner, region.col0.wrapping_add(element)),
				Axis::Cols => x.at(region.row0.wrapping_add(element), inner),
			});
			let Some(lane) = lanes.get_mut((inner % REDUCE_LANES) as usize) else { continue };
			*lane = match reduction {
				Reduction::Sum => F32(*lane).add(value).0,
				Reduction::Max if inner % link.segment < REDUCE_LANES => value.0,
				Reduction::Max => F32(*lane).max(value).0,
			};
		}
		if link.ends_segment() {
			let filled = match (reduction, (link.end - 1) % link.segment + 1) {
				(Reduction::Max, filled) if filled < REDUCE_LANES => filled as usize,
				_ => LANES,
			};
			let segment = fold(reduction, lanes, filled);
			*total = if link.has_total() { combine(reduction, F32(*total), segment) } else { segment }.0;
			lanes.fill(0);
		}
	}
	words
}

/// The halving tree over the lanes, of which the first `filled` hold a value.
fn fold(reduction: Reduction, lanes: &mut [u32], filled: usize) -> F32 {
	let mut half = LANES / 2;
	while half > 0 {
		let (left, right) = lanes.split_at_mut(half.min(lanes.len()));
		for (left, right) in left.iter_mut().zip(right).take(filled.saturating_sub(half)) {
			*left = combine(reduction, F32(*left), F32(*right)).0;
		}
		half /= 2;
	}
	F32(lanes.first().copied().unwrap_or(0))
}

fn combine(reduction: Reduction, left: F32, right: F32) -> F32 {
	match reduction {
		Reduction::Sum => left.add(right),
		Reduction::Max => left.max(right),
	}
}
