//! Random numbers for many elements: blocks of neighbouring counters are independent, so they go side by side in vectors.

use assay_program::philox::Key;

use crate::path::Kernel;

/// Draws at a time, for ops that draw more.
pub(crate) const DRAWS: usize = 256;

/// The numbers of one op at one step.
#[derive(Clone, Copy)]
pub(crate) struct Draws {
	pub(crate) key: Key,
	pub(crate) stream: u32,
	pub(crate) step: u64,
}

impl Draws {
	/// Those of elements from `first`, a multiple of 4 as is their number, in the numbering of [`Key::draw_quad`].
	#[inline(always)]
	pub(crate) fn quads(&self, first: usize, draws: &mut [u32]) {
		let first = (first / 4) as u32;
		for (at, quad) in (0u32..).zip(draws.as_chunks_mut::<4>().0) {
			*quad = self.key.draw_quad(self.stream, self.step, first.wrapping_add(at));
		}
	}
}

/// Rows of a data set of `n` rows that elements from `first` of a batch take; see [`Key::batch_row`].
pub(crate) struct BatchRows<'a> {
	pub(crate) draws: Draws,
	pub(crate) n: u32,
	pub(crate) first: u32,
	pub(crate) rows: &'a mut [u32],
}

impl Kernel for BatchRows<'_> {
	type Output = ();

	#[inline(always)]
	fn run<const FUSED: bool>(self) {
		let Draws { key, stream, step } = self.draws;
		for (at, row) in (0u32..).zip(self.rows) {
			*row = key.batch_row(stream, step, self.first.wrapping_add(at), self.n);
		}
	}
}
