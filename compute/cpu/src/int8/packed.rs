//! Products whose second operand was packed before, whole.

use core::marker::PhantomData;

#[cfg(target_arch = "x86_64")]
use {super::amx, crate::Path};

use super::{begin, kernel, kernel::Micro, pack, Entered, Operand, BLOCK_WORDS, PANELS};
use crate::{
	matmul::Region,
	path::{Kernel, Supported},
};

/// Rows of `A` that are packed at a time; with a block of the inner dimension, 192 KiB.
const BAND: usize = 96;

/// Calls a function of a kernel, with the fastest that the path has.
macro_rules! by_kernel {
	($path:expr, $function:ident($($argument:expr),*)) => {
		match $path.path() {
			#[cfg(target_arch = "x86_64")]
			Path::Amx => $function::<amx::Kernel>($($argument),*),
			#[cfg(target_arch = "x86_64")]
			Path::Avx512 if is_x86_feature_detected!("avx512vnni") => $function::<kernel::Vnni>($($argument),*),
			#[cfg(target_arch = "x86_64")]
			Path::Avx512 => $function::<kernel::Avx512>($($argument),*),
			#[cfg(target_arch = "x86_64")]
			Path::Avx2 => $function::<kernel::Avx2>($($argument),*),
			_ => $function::<kernel::Portable>($($argument),*),
		}
	};
}

/// Words that `cols` columns of `B` take, packed, with what their sums start from.
pub(crate) fn packed_words(path: Supported, inner: usize, cols: usize) -> usize {
	by_kernel!(path, words_of(inner, cols))
}

pub(super) fn words_of<M: Micro>(inner: usize, cols: usize) -> usize {
	cols.next_multiple_of(M::COLS) * (inner.div_ceil(M::GROUP) + inner.div_ceil(M::BLOCK_WORDS * M::GROUP))
}

/// Packs all of `B`: [`packed_words`] words. Block after block of the inner dimension; of each, its panels and then the
/// starts of all columns.
pub(crate) fn pack_all(path: Supported, b: Operand<'_>, inner: usize, cols: usize, panels: &mut [u32]) {
	by_kernel!(path, pack_of(path, b, inner, cols, panels));
}

pub(super) fn pack_of<M: Micro>(path: Supported, b: Operand<'_>, inner: usize, cols: usize, panels: &mut [u32]) {
	let (mut rest, padded) = (panels, cols.next_multiple_of(M::COLS));
	for start in (0..inner).step_by(M::BLOCK_WORDS * M::GROUP) {
		let len = (M::BLOCK_WORDS * M::GROUP).min(inner - start);
		let source = pack::Source { operand: b, outer: 0, count: cols, start, len };
		let (panels, after) = rest.split_at_mut(pack::words::<M>(&source, M::COLS));
		pack::fill::<M>(path, source, M::COLS, 0, panels);
		let (starts, after) = after.split_at_mut(padded);
		// SAFETY: `pack_all` picks the kernel by the instructions that the processor was found to have.
		unsafe { begin::<M>(panels, len.div_ceil(M::GROUP), starts) };
		rest = after;
	}
}

/// Calls `place` with the inner index, the column and the value of each element of what [`pack_all`] packed.
pub(crate) fn unpack(path: Supported, panels: &[u32], inner: usize, cols: usize, place: impl FnMut(usize, usize, i8)) {
	by_kernel!(path, unpack_of(panels, inner, cols, place));
}

fn unpack_of<M: Micro>(mut panels: &[u32], inner: usize, cols: usize, mut place: impl FnMut(usize, usize, i8)) {
	let padded = cols.next_multiple_of(M::COLS);
	for start in (0..inner).step_by(M::BLOCK_WORDS * M::GROUP) {
		let len = (M::BLOCK_WORDS * M::GROUP).min(inner - start);
		let words = len.div_ceil(M::GROUP);
		let (block, after) = panels.split_at(padded * words);
		for (first, panel) in (0..).step_by(M::COLS).zip(block.chunks_exact(M::COLS * words)) {
			for (k, line) in (0..len).step_by(M::GROUP).zip(panel.chunks_exact(M::COLS)) {
				for (col, word) in (first..cols).zip(line) {
					for within in 0..M::GROUP.min(len - k) {
						place(start + k + within, col, (word >> (32 / M::GROUP * within)) as i8);
					}
				}
			}
		}
		panels = &after[padded..];
	}
}

/// As [`super::run`] with `B` packed by [`pack_all`] from `cols` columns. The region begins at a whole panel.
pub(crate) fn band(path: Supported, a: Operand<'_>, b: &[u32], inner: usize, cols: usize, out: Region<'_, u32>) {
	by_kernel!(path, bands(path, a, b, inner, cols, out));
}

pub(super) fn bands<M: Micro>(
	path: Supported,
	a: Operand<'_>,
	b: &[u32],
	inner: usize,
	cols: usize,
	mut out: Region<'_, u32>,
) {
	assert!(out.col0().is_multiple_of(M::COLS), "a region begins at a panel");
	let padded = cols.next_multiple_of(M::COLS);
	let (from, to) = (out.col0(), (out.col0() + out.cols()).next_multiple_of(M::COLS));
	PANELS.with_borrow_mut(|panels| {
		panels.a.reserve(super::BLOCK_ROWS * BLOCK_WORDS);
		for row in (0..out.rows()).step_by(BAND) {
			let rows = BAND.min(out.rows() - row);
			let mut rest = b;
			for start in (0..inner).step_by(M::BLOCK_WORDS * M::GROUP) {
				let len = (M::BLOCK_WORDS * M::GROUP).min(inner - start);
				let source = pack::Source { operand: a, outer: out.row0() + row, count: rows, start, len };
				M::pack_rows(path, source, &mut panels.a);
				let words = len.div_ceil(M::GROUP);
				let (block, after) = rest.split_at(padded * words);
				let (starts, after) = after.split_at(padded);
				rest = after;
				let width = out.cols();
				path.run(Panels::<M> {
					a: panels.a.words(),
					b: &block[from * words..to * words],
					starts: &starts[from..to],
					words,
					first: start == 0,
					out: out.part(row, rows, 0, width),
					micro: PhantomData,
				});
			}
		}
	});
}

/// A band of the output and one block of the inner dimension: every tile of it.
struct Panels<'a, 'b, M: Micro> {
	a: &'a [u32],
	b: &'a [u32],
	starts: &'a [u32],
	words: usize,
	first: bool,
	out: Region<'b, u32>,
	micro: PhantomData<M>,
}

impl<M: Micro> Kernel for Panels<'_, '_, M> {
	type Output = ();

	#[inline(always)]
	fn run<const FUSED: bool>(mut self) {
		let panels = self.b.chunks_exact(M::COLS * self.words).zip(self.starts.chunks_exact(M::COLS));
		let panel = self.a.len() / self.out.rows().div_ceil(M::ROWS);
		// SAFETY: `band` above picks the kernel by the instructions that the processor was found to have.
		let _entered = unsafe { Entered::<M>::new(self.out.rows(), self.words) };
		// A panel of `B` may come from memory: all rows of the band use it while it is near.
		for (j, (b, starts)) in panels.enumerate() {
			let col = j * M::COLS;
			let cols = M::COLS.min(self.out.cols() - col);
			for (i, a) in self.a.chunks_exact(panel).enumerate() {
				let row = i * M::ROWS;
				let rows = M::ROWS.min(self.out.rows() - row);
				let tile = self.out.part(row, rows, col, cols);
				// SAFETY: `band` above picks the kernel by the instructions that the processor was found to have.
				unsafe { M::run(a, b, starts, self.first, tile) };
			}
		}
	}
}
