//! Elements kept, replaced or moved by position: causal masks, dropout and sampling noise.

use assay_program::philox::Key;
use assay_softfloat::{functions, Real};

use crate::{hard::Hard, path::Kernel};

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
	pub(crate) key: Key,
	pub(crate) stream: u32,
	pub(crate) step: u64,
	pub(crate) keep: u32,
	pub(crate) scale: f32,
}

impl Dropout {
	/// Elements from `first`, a multiple of 4.
	pub(crate) fn run(&self, x: &[u32], first: usize, out: &mut [u32]) {
		for ((quad, x), out) in (first / 4..).zip(x.chunks(4)).zip(out.chunks_mut(4)) {
			let draws = self.key.draw_quad(self.stream, self.step, quad as u32);
			for ((x, out), draw) in x.iter().zip(out).zip(draws) {
				*out = if draw < self.keep { (f32::from_bits(*x) * self.scale).to_bits() } else { 0 };
			}
		}
	}
}

/// Adds Gumbel noise to elements from `first`, a multiple of 4.
pub(crate) struct Gumbel<'a, 'b> {
	pub(crate) key: Key,
	pub(crate) stream: u32,
	pub(crate) step: u64,
	pub(crate) first: usize,
	pub(crate) x: &'a [u32],
	pub(crate) out: &'b mut [u32],
}

impl Kernel for Gumbel<'_, '_> {
	type Output = ();

	#[inline(always)]
	fn run<const FUSED: bool>(self) {
		const BLOCK: usize = 256;
		let mut words = [0u32; BLOCK];
		for ((block, x), out) in
			(self.first / 4..).step_by(BLOCK / 4).zip(self.x.chunks(BLOCK)).zip(self.out.chunks_mut(BLOCK))
		{
			for (quad, words) in (block..).zip(words.chunks_exact_mut(4)).take(x.len().div_ceil(4)) {
				words.copy_from_slice(&self.key.draw_quad(self.stream, self.step, quad as u32));
			}
			for ((x, out), word) in x.iter().zip(out).zip(&words) {
				let noise = functions::gumbel::<Hard<FUSED>>(*word);
				*out = Hard::from_bits(*x).add(noise).to_bits();
			}
		}
	}
}
