//! The parts of a row joined, one after the other: what a window has under it, summed, or the largest of it.

use assay_softfloat::Real;

use crate::{
	hard::Hard,
	matrix::{is_raised, non_finite_flag},
	path::Kernel,
};

/// Columns at a time, whose joined parts stay in registers.
const LANES: usize = 16;

/// Rows of `width` elements, each of them parts of `cols`.
pub(super) struct Places<'a, 'b> {
	pub(super) x: &'a [u32],
	pub(super) width: usize,
	/// What each element is multiplied by first, with a rounding of its own; a row for all.
	pub(super) weights: Option<&'a [u32]>,
	/// The maximum is taken instead of the sum.
	pub(super) is_max: bool,
	pub(super) cols: usize,
	pub(super) out: &'b mut [u32],
}

impl Kernel for Places<'_, '_> {
	type Output = bool;

	#[inline(always)]
	fn run<const FUSED: bool>(self) -> bool {
		let mut flags = 0;
		for (x, out) in self.x.chunks_exact(self.width).zip(self.out.chunks_exact_mut(self.cols)) {
			match (self.weights, self.is_max) {
				(None, false) => of_row::<FUSED>(x, x, out, |x, _| x, |a, b| a.add(b)),
				(None, true) => of_row::<FUSED>(x, x, out, |x, _| x, |a, b| a.max(b)),
				(Some(weights), _) => of_row::<FUSED>(x, weights, out, |x, w| x.mul(w), |a, b| a.add(b)),
			}
			flags |= out.iter().fold(0, |flags, bits| flags | non_finite_flag(*bits));
		}
		!is_raised(flags)
	}
}

/// Joins what `part` makes of each element and its weight.
#[inline(always)]
fn of_row<const FUSED: bool>(
	x: &[u32],
	weights: &[u32],
	out: &mut [u32],
	part: impl Fn(Hard<FUSED>, Hard<FUSED>) -> Hard<FUSED>,
	join: impl Fn(Hard<FUSED>, Hard<FUSED>) -> Hard<FUSED>,
) {
	let cols = out.len();
	let part = |x: u32, w: u32| part(Hard::from_bits(x), Hard::from_bits(w));
	let (blocks, rest) = out.as_chunks_mut::<LANES>();
	let whole = blocks.len() * LANES;
	for (block, out) in blocks.iter_mut().enumerate() {
		// Arrays, not slices: with nothing to check, the sums stay in registers.
		let parts = x.chunks_exact(cols).zip(weights.chunks_exact(cols));
		let mut parts = parts.map(|(x, w)| (x.as_chunks::<LANES>().0[block], w.as_chunks::<LANES>().0[block]));
		let Some((x, w)) = parts.next() else { return };
		let mut joined: [Hard<FUSED>; LANES] = core::array::from_fn(|i| part(x[i], w[i]));
		for (x, w) in parts {
			for i in 0..LANES {
				joined[i] = join(joined[i], part(x[i], w[i]));
			}
		}
		for i in 0..LANES {
			out[i] = joined[i].to_bits();
		}
	}
	for (i, out) in rest.iter_mut().enumerate() {
		let at = |from: usize| part(x[from + whole + i], weights[from + whole + i]);
		*out = (cols..x.len()).step_by(cols).fold(at(0), |joined, from| join(joined, at(from))).to_bits();
	}
}
