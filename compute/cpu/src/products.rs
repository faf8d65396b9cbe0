//! Matrix products, split over threads.

use rayon::prelude::*;

use crate::{
	int8,
	matmul::{self, Operand, Region},
	matrix::{bytes, floats, floats_mut, Matrix, Output},
	Cpu, OpError,
};

/// Multiply-adds below which a matrix product stays on the calling thread.
pub(crate) const PARALLEL_PRODUCTS: usize = 1 << 21;

impl Cpu {
	/// `blocks` products; `share` of them read the same block of `b`.
	#[allow(clippy::too_many_arguments)]
	pub(crate) fn block_matmul(
		&self,
		a: &Matrix<'_>,
		trans_a: bool,
		b: &Matrix<'_>,
		trans_b: bool,
		(blocks, share): (usize, usize),
		out: &mut [u32],
		n: usize,
	) -> bool {
		let (a_len, b_len, out_len) = (a.bits.len() / blocks, b.bits.len() / (blocks / share), out.len() / blocks);
		let m = out_len / n;
		let k = a_len / m;
		let path = self.path;
		let product = |block: usize, out: &mut [u32]| {
			let (a_bits, b_bits) = (&a.bits[block * a_len..][..a_len], &b.bits[block / share * b_len..][..b_len]);
			let a = Operand { data: floats(a_bits), stride: a.cols as usize, inner_contiguous: !trans_a };
			let b = Operand { data: floats(b_bits), stride: b.cols as usize, inner_contiguous: trans_b };
			matmul::run(path, a, b, k, Region::whole(floats_mut(out), m, n))
		};
		let products = blocks.saturating_mul(m).saturating_mul(k).saturating_mul(n);
		if products < PARALLEL_PRODUCTS || self.threads() == 1 {
			out.chunks_exact_mut(out_len).enumerate().fold(true, |finite, (block, out)| finite & product(block, out))
		} else {
			self.pool().install(|| {
				let blocks = out.par_chunks_exact_mut(out_len).enumerate();
				blocks.map(|(block, out)| product(block, out)).reduce(|| true, |a, b| a & b)
			})
		}
	}

	/// Int8 operands that fit each other and the output.
	pub(crate) fn matmul_i8(
		&self,
		a: &Matrix<'_>,
		trans_a: bool,
		b: &Matrix<'_>,
		trans_b: bool,
		out: &mut [u32],
		n: usize,
	) {
		let (m, k) = if trans_a { (a.cols, a.rows) } else { (a.rows, a.cols) };
		let (m, k, path) = (m as usize, k as usize, self.path);
		let a = int8::Operand { data: bytes(a.bits), stride: a.cols as usize, inner_contiguous: !trans_a };
		let b = int8::Operand { data: bytes(b.bits), stride: b.cols as usize, inner_contiguous: trans_b };
		let region = Region::whole(out, m, n);
		if m.saturating_mul(k).saturating_mul(n) < PARALLEL_PRODUCTS || self.threads() == 1 {
			int8::run(path, a, b, k, region);
		} else {
			self.split(region, self.threads(), int8::height(path), &|region| {
				int8::run(path, a, b, k, region);
				true
			});
		}
	}

	pub(crate) fn matmul(
		&self,
		a: &Matrix<'_>,
		trans_a: bool,
		b: &Matrix<'_>,
		trans_b: bool,
		out: Output<'_>,
	) -> Result<bool, OpError> {
		let (m, k) = if trans_a { (a.cols, a.rows) } else { (a.rows, a.cols) };
		let (k_of_b, n) = if trans_b { (b.cols, b.rows) } else { (b.rows, b.cols) };
		if k != k_of_b {
			return Err(OpError::Shape("inner dimensions of the product differ"));
		}
		if (out.rows, out.cols) != (m, n) {
			return Err(OpError::Shape("the output of a product has the outer dimensions of its operands"));
		}
		let (m, k, n) = (m as usize, k as usize, n as usize);
		let a = Operand { data: floats(a.bits), stride: a.cols as usize, inner_contiguous: !trans_a };
		let b = Operand { data: floats(b.bits), stride: b.cols as usize, inner_contiguous: trans_b };
		let region = Region::whole(floats_mut(out.bits), m, n);
		let products = m.saturating_mul(k).saturating_mul(n);
		let path = self.path;
		if products < PARALLEL_PRODUCTS || self.threads() == 1 {
			return Ok(matmul::run(path, a, b, k, region));
		}
		Ok(self.split(region, self.threads(), matmul::HEIGHT, &|region| matmul::run(path, a, b, k, region)))
	}

	/// Cuts a region into `parts` of like size along its longer side, again and again, and works on them in parallel. Rows are
	/// cut at multiples of `height`.
	///
	/// Returns whether all of `work` did.
	pub(crate) fn split<T: Send>(
		&self,
		region: Region<'_, T>,
		parts: usize,
		height: usize,
		work: &(impl Fn(Region<'_, T>) -> bool + Sync),
	) -> bool {
		/// A multiple of every kernel's width.
		const WIDTH: usize = 32;
		let (rows, cols) = (region.rows(), region.cols());
		let left_parts = parts / 2;
		let cut = |len: usize, grain: usize| (len * left_parts / parts).next_multiple_of(grain);
		let (by_rows, at) = if rows >= cols { (true, cut(rows, height)) } else { (false, cut(cols, WIDTH)) };
		if parts <= 1 || at >= rows.max(cols) {
			return work(region);
		}
		let (left, right) = if by_rows { region.split_rows(at) } else { region.split_cols(at) };
		self.both(|| self.split(left, left_parts, height, work), || self.split(right, parts - left_parts, height, work))
	}
}
