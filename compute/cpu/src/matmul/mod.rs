//! Matrix product: for every output element, one fma chain from +0 per segment of 512 of the inner dimension, and the
//! segments added in ascending order.
//!
//! Both operands are copied into panels that the innermost kernel reads in order: rows of `A` in groups of the kernel's
//! height, columns of `B` in groups of its width, padded with zeros. The kernel keeps one tile of chains in registers for a
//! whole segment and then folds it into the output; padding is computed and dropped. Panels and blocks change the order
//! of independent elements only.

mod kernel;
#[cfg(target_arch = "aarch64")]
mod neon;
mod pack;
mod packed;
mod region;
#[cfg(target_arch = "x86_64")]
pub(crate) mod transpose;

use core::{cell::RefCell, marker::PhantomData};

#[cfg(target_arch = "x86_64")]
pub(crate) use kernel::lanes;
pub(crate) use packed::{band, pack_all, packed_words, unpack};
pub(crate) use region::Region;

use crate::aligned::Aligned;
use crate::matrix::{floats, is_raised, non_finite_flag};
use crate::path::{Kernel, Supported};
use crate::Path;
use kernel::Micro;

/// Segment of the inner dimension: part of the numerics contract.
const SEGMENT: usize = 512;
/// A multiple of the kernels' height, at which a product is best cut for threads.
pub(crate) const HEIGHT: usize = 12;
/// Most rows of `A` packed at once: a multiple of every kernel's height; with a segment, 4 MiB.
const BLOCK_ROWS: usize = 2016;
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
	static PANELS: RefCell<(Aligned, Aligned)> = RefCell::default();
}

/// Writes the product to a region of the output: `rows` of `A` and `cols` of `B` from the region's first ones, inner
/// dimension `inner`, at least 1. Returns whether all of it is finite.
pub(crate) fn run(path: Supported, a: Operand<'_>, b: Operand<'_>, inner: usize, out: Region<'_>) -> bool {
	match path.vectors() {
		#[cfg(target_arch = "x86_64")]
		Path::Avx512 => blocks::<kernel::Avx512>(path, a, b, inner, out),
		#[cfg(target_arch = "x86_64")]
		Path::Avx2 => blocks::<kernel::Avx2>(path, a, b, inner, out),
		#[cfg(target_arch = "aarch64")]
		Path::Neon => blocks::<neon::Neon>(path, a, b, inner, out),
		_ => blocks::<kernel::Portable>(path, a, b, inner, out),
	}
}

fn blocks<M: Micro>(path: Supported, a: Operand<'_>, b: Operand<'_>, inner: usize, mut out: Region<'_>) -> bool {
	let mut finite = true;
	// Blocks of about the same height: a low last one would have all of `B` packed again for a few rows.
	let count = out.rows().div_ceil(BLOCK_ROWS);
	let height = out.rows().div_ceil(count).next_multiple_of(M::ROWS);
	PANELS.with_borrow_mut(|(a_panels, b_panels)| {
		// Room once for the largest panels, of which only what is used is touched.
		a_panels.reserve(BLOCK_ROWS * SEGMENT);
		b_panels.reserve(BLOCK_COLS * SEGMENT);
		for row in (0..out.rows()).step_by(height) {
			let rows = height.min(out.rows() - row);
			for start in (0..inner).step_by(SEGMENT) {
				let len = SEGMENT.min(inner - start);
				let a_source = pack::Source { operand: a, outer: out.row0() + row, count: rows, start, len };
				pack::run(path, a_source, M::ROWS, a_panels);
				for col in (0..out.cols()).step_by(BLOCK_COLS) {
					let cols = BLOCK_COLS.min(out.cols() - col);
					let b_source = pack::Source { operand: b, outer: out.col0() + col, count: cols, start, len };
					pack::run(path, b_source, M::COLS, b_panels);
					let tile = out.part(row, rows, col, cols);
					finite &= path.run(Tiles::<M> {
						a: floats(a_panels.words()),
						b: floats(b_panels.words()),
						len,
						first: start == 0,
						last: start + len == inner,
						out: tile,
						micro: PhantomData,
					});
				}
			}
		}
	});
	finite
}

/// One block of the output and one segment: every tile of it.
struct Tiles<'a, 'b, M: Micro> {
	a: &'a [f32],
	b: &'a [f32],
	len: usize,
	first: bool,
	last: bool,
	out: Region<'b>,
	micro: PhantomData<M>,
}

impl<M: Micro> Kernel for Tiles<'_, '_, M> {
	type Output = bool;

	#[inline(always)]
	fn run<const FUSED: bool>(mut self) -> bool {
		let mut flags = 0;
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
			// While these rows are near.
			for row in i * M::ROWS..if self.last { self.out.rows().min((i + 1) * M::ROWS) } else { 0 } {
				flags |= self.out.row(row).iter().fold(0, |flags, x| flags | non_finite_flag(x.to_bits()));
			}
		}
		!is_raised(flags)
	}
}
