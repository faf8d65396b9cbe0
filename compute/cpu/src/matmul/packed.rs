//! Products whose second operand was packed before, whole.

use core::marker::PhantomData;

use super::{kernel, kernel::Micro, pack, Operand, Region, PANELS, SEGMENT};
#[cfg(target_arch = "x86_64")]
use crate::Path;
use crate::{
	matrix::{floats, floats_mut, is_raised, non_finite_flag},
	path::{Kernel, Supported},
};

/// Rows of `A` that are packed at a time; with a segment, 192 KiB.
const BAND: usize = 96;

/// Numbers that `cols` columns of `B` take, packed.
pub(crate) fn packed_words(path: Supported, inner: usize, cols: usize) -> usize {
	cols.next_multiple_of(width(path)) * inner
}

fn width(path: Supported) -> usize {
	match path.vectors() {
		#[cfg(target_arch = "x86_64")]
		Path::Avx512 => kernel::Avx512::COLS,
		#[cfg(target_arch = "x86_64")]
		Path::Avx2 => kernel::Avx2::COLS,
		_ => kernel::Portable::COLS,
	}
}

/// Packs all of `B`, segment after segment: [`packed_words`] numbers.
pub(crate) fn pack_all(path: Supported, b: Operand<'_>, inner: usize, cols: usize, panels: &mut [u32]) {
	let (panels, width) = (floats_mut(panels), width(path));
	for start in (0..inner).step_by(SEGMENT) {
		let len = SEGMENT.min(inner - start);
		let source = pack::Source { operand: b, outer: 0, count: cols, start, len };
		let padded = cols.next_multiple_of(width);
		pack::fill(path, source, width, &mut panels[start * padded..][..pack::words(&source, width)]);
	}
}

/// Calls `place` with the inner index, the column and the bits of each element of what [`pack_all`] packed.
pub(crate) fn unpack(
	path: Supported,
	panels: &[u32],
	inner: usize,
	cols: usize,
	mut place: impl FnMut(usize, usize, u32),
) {
	let (width, padded) = (width(path), cols.next_multiple_of(width(path)));
	for start in (0..inner).step_by(SEGMENT) {
		let len = SEGMENT.min(inner - start);
		let segment = &panels[start * padded..][..len * padded];
		for (first, panel) in (0..).step_by(width).zip(segment.chunks_exact(width * len)) {
			for (k, line) in (start..).zip(panel.chunks_exact(width)) {
				(first..cols).zip(line).for_each(|(col, bits)| place(k, col, *bits));
			}
		}
	}
}

/// As [`super::run`] with `B` packed by [`pack_all`] from `cols` columns. The region begins at a whole panel.
pub(crate) fn band(path: Supported, a: Operand<'_>, b: &[u32], inner: usize, cols: usize, out: Region<'_>) -> bool {
	match path.vectors() {
		#[cfg(target_arch = "x86_64")]
		Path::Avx512 => bands::<kernel::Avx512>(path, a, floats(b), inner, cols, out),
		#[cfg(target_arch = "x86_64")]
		Path::Avx2 => bands::<kernel::Avx2>(path, a, floats(b), inner, cols, out),
		_ => bands::<kernel::Portable>(path, a, floats(b), inner, cols, out),
	}
}

fn bands<M: Micro>(path: Supported, a: Operand<'_>, b: &[f32], inner: usize, cols: usize, mut out: Region<'_>) -> bool {
	assert!(out.col0().is_multiple_of(M::COLS), "a region begins at a panel");
	let (mut finite, padded) = (true, cols.next_multiple_of(M::COLS));
	PANELS.with_borrow_mut(|(a_panels, _)| {
		a_panels.reserve(super::BLOCK_ROWS * SEGMENT);
		for row in (0..out.rows()).step_by(BAND) {
			let rows = BAND.min(out.rows() - row);
			for start in (0..inner).step_by(SEGMENT) {
				let len = SEGMENT.min(inner - start);
				let source = pack::Source { operand: a, outer: out.row0() + row, count: rows, start, len };
				pack::run(path, source, M::ROWS, a_panels);
				let (first, width) = (out.col0(), out.cols());
				finite &= path.run(Panels::<M> {
					a: floats(a_panels.words()),
					b: &b[start * padded + first * len..][..width.next_multiple_of(M::COLS) * len],
					len,
					first: start == 0,
					last: start + len == inner,
					out: out.part(row, rows, 0, width),
					micro: PhantomData,
				});
			}
		}
	});
	finite
}

/// A band of the output and one segment: every tile of it.
struct Panels<'a, 'b, M: Micro> {
	a: &'a [f32],
	b: &'a [f32],
	len: usize,
	first: bool,
	last: bool,
	out: Region<'b>,
	micro: PhantomData<M>,
}

impl<M: Micro> Kernel for Panels<'_, '_, M> {
	type Output = bool;

	#[inline(always)]
	fn run<const FUSED: bool>(mut self) -> bool {
		let mut flags = 0;
		// A panel of `B` may come from memory: all rows of the band use it while it is near.
		for (j, b) in self.b.chunks_exact(M::COLS * self.len).enumerate() {
			let col = j * M::COLS;
			let cols = M::COLS.min(self.out.cols() - col);
			for (i, a) in self.a.chunks_exact(M::ROWS * self.len).enumerate() {
				let row = i * M::ROWS;
				let rows = M::ROWS.min(self.out.rows() - row);
				let mut tile = self.out.part(row, rows, col, cols);
				// SAFETY: `band` above picks the kernel by the path, which the processor was found to have.
				unsafe { M::run(a, b, self.first, tile.part(0, rows, 0, cols)) };
				for row in 0..if self.last { rows } else { 0 } {
					flags |= tile.row(row).iter().fold(0, |flags, x| flags | non_finite_flag(x.to_bits()));
				}
			}
		}
		!is_raised(flags)
	}
}
