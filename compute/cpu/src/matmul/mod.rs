//! Matrix product: for every output element, one fma chain from +0 per segment of 512 of the inner dimension, and the
//! segments added in ascending order.
//!
//! Both operands are copied into panels that the innermost kernel reads in order: rows of `A` in groups of the kernel's
//! height, columns of `B` in groups of its width, padded with zeros. The kernel keeps one tile of chains in registers for a
//! whole segment and then folds it into the output; padding is computed and dropped. Panels and blocks change the order
//! of independent elements only.

mod kernel;
mod pack;
mod region;

use core::{cell::RefCell, marker::PhantomData};

pub(crate) use region::Region;

use crate::path::{Kernel, Supported};
use crate::Path;
use kernel::Micro;

/// Segment of the inner dimension: part of the numerics contract.
const SEGMENT: usize = 512;
/// Rows of `A` packed at once: a multiple of every kernel's height; with a segment, 2 MiB.
const BLOCK_ROWS: usize = 1008;
/// Columns of `B` packed at once: a multiple of every kernel's width; with a segment, 1 MiB, which the second-level cache
/// holds.
const BLOCK_COLS: usize = 512;

/// A stored matrix, read as `[outer, inner]` of the product: rows of `A`, columns of `B`.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a> {
	/// Elements, row-major as stored.
	pub(crate) data: &'a [f32],
	/// Elements from one stored row to the next.
	pub(crate) stride: usize,
	/// Whether a stored row runs along the inner dimension.
	pub(crate) inner_contiguous: bool,
}

thread_local! {
	static PANELS: RefCell<(Vec<f32>, Vec<f32>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

/// Writes the product to a region of the output: `rows` of `A` and `cols` of `B` from the region's first ones, inner
/// dimension `inner`, at least 1.
pub(crate) fn run(path: Supported, a: Operand<'_>, b: Operand<'_>, inner: usize, out: Region<'_>) {
	match path.path() {
		#[cfg(target_arch = "x86_64")]
		Path::Avx512 => blocks::<kernel::Avx512>(path, a, b, inner, out),
		#[cfg(target_arch = "x86_64")]
		Path::Avx2 => blocks::<kernel::Avx2>(path, a, b, inner, out),
		_ => blocks::<kernel::Portable>(path, a, b, inner, out),
	}
}

fn blocks<M: Micro>(path: Supported, a: Operand<'_>, b: Operand<'_>, inner: usize, mut out: Region<'_>) {
	PANELS.with_borrow_mut(|(a_panels, b_panels)| {
		for row in (0..out.rows()).step_by(BLOCK_ROWS) {
			let rows = BLOCK_ROWS.min(out.rows() - row);
			for start in (0..inner).step_by(SEGMENT) {
				let len = SEGMENT.min(inner - start);
				let a_source = pack::Source { operand: a, outer: out.row0() + row, count: rows, start, len };
				pack::run(path, a_source, M::ROWS, a_panels);
				for col in (0..out.cols()).step_by(BLOCK_COLS) {
					let cols = BLOCK_COLS.min(out.cols() - col);
					let b_source = pack::Source { operand: b, outer: out.col0() + col, count: cols, start, len };
					pack::run(path, b_source, M::COLS, b_panels);
					let tile = out.part(row, rows, col, cols);
					path.run(Tiles::<M> {
						a: a_panels,
						b: b_panels,
						len,
						first: start == 0,
						out: tile,
						micro: PhantomData,
					});
				}
			}
		}
	});
}

/// One block of the output and one segment: every tile of it.
struct Tiles<'a, 'b, M: Micro> {
	a: &'a [f32],
	b: &'a [f32],
	len: usize,
	first: bool,
	out: Region<'b>,
	micro: PhantomData<M>,
}

impl<M: Micro> Kernel for Tiles<'_, '_, M> {
	type Output = ();

	#[inline(always)]
	fn run<const FUSED: bool>(mut self) {
		// One panel of `A` stays in the first-level cache while the panels of `B` pass.
		for (i, a) in self.a.chunks_exact(M::ROWS * self.len).enumerate() {
			for (j, b) in self.b.chunks_exact(M::COLS * self.len).enumerate() {
				let (row, col) = (i * M::ROWS, j * M::COLS);
				let rows = M::ROWS.min(self.out.rows() - row);
				let cols = M::COLS.min(self.out.cols() - col);
				let tile = self.out.part(row, rows, col, cols);
				// SAFETY: `run` above picks the kernel by the path, which the processor was found to have.
				unsafe { M::run(a, b, self.first, tile) };
			}
		}
	}
}
