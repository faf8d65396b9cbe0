//! Elements kept or replaced by position: causal masks and dropout.

use assay_program::philox::Key;

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
