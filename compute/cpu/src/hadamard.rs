//! Blocks of neighbours times a Hadamard matrix.

use crate::{matrix::floats_mut, path::Kernel};

/// Columns that a pass over blocks of rows takes at once; with 32 rows, half of the first-level cache.
const STRIP: usize = 128;

/// Whole blocks of `2^log2` neighbours, in place.
pub(crate) struct Hadamard<'a> {
	pub(crate) log2: u8,
	/// Columns of the matrix, where neighbours are in a column; `None` where they are in a row.
	pub(crate) cols: Option<usize>,
	pub(crate) elements: &'a mut [u32],
}

impl Kernel for Hadamard<'_> {
	type Output = ();

	#[inline(always)]
	fn run<const FUSED: bool>(self) {
		let elements = floats_mut(self.elements);
		match (self.cols, self.log2) {
			(Some(cols), log2) => of_rows(elements, cols, 1 << log2),
			(None, 1) => of_columns::<2>(elements),
			(None, 2) => of_columns::<4>(elements),
			(None, 3) => of_columns::<8>(elements),
			(None, 4) => of_columns::<16>(elements),
			(None, _) => of_columns::<32>(elements),
		}
	}
}

#[inline(always)]
fn of_columns<const SIDE: usize>(elements: &mut [f32]) {
	for block in elements.as_chunks_mut::<SIDE>().0 {
		let mut distance = 1;
		while distance < SIDE {
			let before = *block;
			for at in 0..SIDE {
				let other = before[at ^ distance];
				block[at] = if at & distance == 0 { before[at] + other } else { other - before[at] };
			}
			distance *= 2;
		}
	}
}

#[inline(always)]
fn of_rows(elements: &mut [f32], cols: usize, side: usize) {
	for block in elements.chunks_exact_mut(side * cols) {
		for first in (0..cols).step_by(STRIP) {
			let width = STRIP.min(cols - first);
			let mut distance = 1;
			while distance < side {
				for row in (0..side).filter(|row| row & distance == 0) {
					let (above, below) = block.split_at_mut((row + distance) * cols);
					let pairs = above[row * cols + first..][..width].iter_mut().zip(&mut below[first..][..width]);
					for (a, b) in pairs {
						(*a, *b) = (*a + *b, *a - *b);
					}
				}
				distance *= 2;
			}
		}
	}
}
