//! Column of the largest element of each row.

use crate::{
	matrix::floats,
	path::{Kernel, Supported},
};

const LANES: usize = 32;

/// `[rows, cols] -> [rows, 1]` over rows that `x` holds whole.
pub(crate) fn run(path: Supported, x: &[u32], cols: usize, out: &mut [u32]) {
	path.run(ArgMax { x, cols, out });
}

struct ArgMax<'a, 'b> {
	x: &'a [u32],
	cols: usize,
	out: &'b mut [u32],
}

impl Kernel for ArgMax<'_, '_> {
	type Output = ();

	#[inline(always)]
	fn run<const FUSED: bool>(self) {
		for (row, out) in floats(self.x).chunks_exact(self.cols).zip(self.out) {
			let largest = largest(row);
			// Of equal elements the first; none is equal where the first element is NaN, which nothing exceeds.
			*out = row.iter().position(|x| *x == largest).unwrap_or(0) as u32;
		}
	}
}

/// The largest element, where comparisons start from the first one: a later NaN never takes part.
#[inline(always)]
fn largest(row: &[f32]) -> f32 {
	let mut lanes = [row[0]; LANES];
	let (groups, rest) = row.as_chunks::<LANES>();
	for group in groups {
		for (lane, x) in lanes.iter_mut().zip(group) {
			*lane = if *x > *lane { *x } else { *lane };
		}
	}
	lanes.into_iter().chain(rest.iter().copied()).fold(row[0], |largest, x| if x > largest { x } else { largest })
}
