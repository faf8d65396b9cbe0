//! Elements kept, replaced or moved by position: causal masks, dropout and sampling noise.

use assay_softfloat::{functions, Real};

use crate::{
	draws::{Draws, DRAWS},
	hard::Hard,
	path::{Kernel, Supported},
};

/// Rows from `first`, in blocks of `rows`: columns up to the row's position in its block plus `offset` are kept.
pub(crate) fn causal(x: &[u32], cols: usize, rows: usize, offset: usize, fill: u32, first: usize, band: &mut [u32]) {
	for ((row, x), out) in (first..).zip(x.chunks_exact(cols)).zip(band.chunks_exact_mut(cols)) {
		let kept = (row % rows).saturating_add(offset).saturating_add(1).min(cols);
		out[..kept].copy_from_slice(&x[..kept]);
		out[kept..].fill(fill);
	}
}

/// What a dropout depends on besides its input.
#[derive(Clone, Copy)]
pub(crate) struct Dropout {
	pub(crate) draws: Draws,
	pub(crate) keep: u32,
	pub(crate) scale: f32,
}

impl Dropout {
	/// Elements from `first`, a multiple of 4.
	pub(crate) fn run(self, path: Supported, x: &[u32], first: usize, out: &mut [u32]) {
		path.run(Dropped { dropout: self, x, first, out });
	}
}

struct Dropped<'a, 'b> {
	dropout: Dropout,
	x: &'a [u32],
	first: usize,
	out: &'b mut [u32],
}

impl Kernel for Dropped<'_, '_> {
	type Output = ();

	#[inline(always)]
	fn run<const FUSED: bool>(self) {
		let Dropout { draws, keep, scale } = self.dropout;
		let mut drawn = [0; DRAWS];
		for ((first, x), out) in (self.first..).step_by(DRAWS).zip(self.x.chunks(DRAWS)).zip(self.out.chunks_mut(DRAWS))
		{
			draws.quads(first, &mut drawn[..x.len().next_multiple_of(4)]);
			for ((x, out), draw) in x.iter().zip(out).zip(&drawn) {
				*out = if *draw < keep { (f32::from_bits(*x) * scale).to_bits() } else { 0 };
			}
		}
	}
}

/// Adds Gumbel noise to elements from `first`, a multiple of 4.
pub(crate) struct Gumbel<'a, 'b> {
	pub(crate) draws: Draws,
	pub(crate) first: usize,
	pub(crate) x: &'a [u32],
	pub(crate) out: &'b mut [u32],
}

impl Kernel for Gumbel<'_, '_> {
	type Output = ();

	#[inline(always)]
	fn run<const FUSED: bool>(self) {
		let mut drawn = [0; DRAWS];
		for ((first, x), out) in (self.first..).step_by(DRAWS).zip(self.x.chunks(DRAWS)).zip(self.out.chunks_mut(DRAWS))
		{
			self.draws.quads(first, &mut drawn[..x.len().next_multiple_of(4)]);
			for ((x, out), word) in x.iter().zip(out).zip(&drawn) {
				let noise = functions::gumbel::<Hard<FUSED>>(*word);
				*out = Hard::from_bits(*x).add(noise).to_bits();
			}
		}
	}
}
