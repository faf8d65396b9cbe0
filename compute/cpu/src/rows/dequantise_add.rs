//! `(x * row) * col + addend` of integers, each product and the sum rounded once.

use assay_softfloat::{functions, Real};

use crate::{
	hard::Hard,
	matrix::{is_raised, non_finite_flag},
	path::Kernel,
};

/// Rows of `cols` elements. The addend has a row for each, or one for all.
pub(super) struct DequantiseAdd<'a, 'b> {
	pub(super) x: &'a [u32],
	/// A scale for each row.
	pub(super) row: &'a [u32],
	/// A scale for each column.
	pub(super) col: &'a [u32],
	pub(super) addend: &'a [u32],
	pub(super) out: &'b mut [u32],
}

impl Kernel for DequantiseAdd<'_, '_> {
	type Output = bool;

	#[inline(always)]
	fn run<const FUSED: bool>(self) -> bool {
		let cols = self.col.len();
		let repeats = self.addend.len() == cols;
		let mut flags = 0;
		let rows = self.x.chunks_exact(cols).zip(self.row).zip(self.out.chunks_exact_mut(cols));
		for (index, ((x, row), out)) in rows.enumerate() {
			let addend = &self.addend[if repeats { 0 } else { index * cols }..][..cols];
			flags |= of_row::<FUSED>(x, Hard::from_bits(*row), self.col, addend, out);
		}
		!is_raised(flags)
	}
}

#[inline(always)]
fn of_row<const FUSED: bool>(x: &[u32], row: Hard<FUSED>, col: &[u32], addend: &[u32], out: &mut [u32]) -> u32 {
	let len = out.len();
	let (x, col, addend) = (&x[..len], &col[..len], &addend[..len]);
	let mut flags = 0;
	for i in 0..len {
		let product = functions::dequantise(x[i] as i32, row, Hard::from_bits(col[i]));
		out[i] = product.add(Hard::from_bits(addend[i])).to_bits();
		flags |= non_finite_flag(out[i]);
	}
	flags
}
