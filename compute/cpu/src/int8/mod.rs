//! Matrix product of 8-bit integers into 32-bit ones.
//!
//! Every sum is exact, so any order gives the same bits; arithmetic is modulo 2^32, which the bound on the inner dimension
//! makes the arithmetic of the integers. Both operands are copied into panels as in `matmul`, several inner indices to a
//! word: four bytes for VNNI, two 16-bit integers for multiply-and-add of pairs. Nothing saturates on the way: VNNI's
//! instruction takes one operand unsigned, so `A` is stored plus 128 and each chain starts at `-128` times the column's sum.
//! AMX takes both signed, in the same words, but rows of `A` one after the other.

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod bytes;
mod kernel;
#[cfg(target_arch = "aarch64")]
mod neon;
mod pack;
mod packed;

use core::{cell::RefCell, marker::PhantomData};

use crate::{
	aligned::Aligned,
	matmul::Region,
	path::{Kernel, Supported},
	Path,
};
#[cfg(target_arch = "x86_64")]
pub(crate) use amx::standing as amx_standing;
use kernel::Micro;
pub(crate) use packed::{band, pack_all, packed_words, unpack};

/// Words of the inner dimension in a panel; with [`BLOCK_COLS`], 1 MiB, which the second-level cache holds.
const BLOCK_WORDS: usize = 512;
/// Most rows of `A` packed at once: a multiple of every kernel's height.
const BLOCK_ROWS: usize = 2016;
/// Columns of `B` packed at once: a multiple of every kernel's width.
const BLOCK_COLS: usize = 512;

/// A stored matrix, read as `[outer, inner]` of the product: rows of `A`, columns of `B`.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a> {
	/// Elements, row-major as stored.
	pub(crate) data: &'a [i8],
	/// Elements from one stored row to the next.
	pub(crate) stride: usize,
	/// Whether a stored row runs along the inner dimension.
	pub(crate) inner_contiguous: bool,
}

#[derive(Default)]
struct Panels {
	a: Aligned,
	b: Aligned,
	starts: Aligned,
}

thread_local! {
	static PANELS: RefCell<Panels> = RefCell::default();
}

/// Writes the product to a region of the output: `rows` of `A` and `cols` of `B` from the region's first ones, inner
/// dimension `inner`, at least 1.
pub(crate) fn run(path: Supported, a: Operand<'_>, b: Operand<'_>, inner: usize, out: Region<'_, u32>) {
	match path.path() {
		#[cfg(target_arch = "x86_64")]
		Path::Amx => blocks::<amx::Kernel>(path, a, b, inner, out),
		#[cfg(target_arch = "x86_64")]
		Path::Avx512 if is_x86_feature_detected!("avx512vnni") => blocks::<kernel::Vnni>(path, a, b, inner, out),
		#[cfg(target_arch = "x86_64")]
		Path::Avx512 => blocks::<kernel::Avx512>(path, a, b, inner, out),
		#[cfg(target_arch = "x86_64")]
		Path::Avx2 => blocks::<kernel::Avx2>(path, a, b, inner, out),
		#[cfg(target_arch = "aarch64")]
		Path::Neon if std::arch::is_aarch64_feature_detected!("dotprod") => {
			blocks::<neon::Dot>(path, a, b, inner, out);
		}
		_ => blocks::<kernel::Portable>(path, a, b, inner, out),
	}
}

/// Rows by which a product is best cut for threads: a multiple of the kernels' height.
pub(crate) fn height(path: Supported) -> usize {
	match path.path() {
		Path::Amx => 32,
		_ => 12,
	}
}

fn blocks<M: Micro>(path: Supported, a: Operand<'_>, b: Operand<'_>, inner: usize, mut out: Region<'_, u32>) {
	// Blocks of about the same height: a low last one would have all of `B` packed again for a few rows.
	let count = out.rows().div_ceil(BLOCK_ROWS);
	let height = out.rows().div_ceil(count).next_multiple_of(M::ROWS);
	PANELS.with_borrow_mut(|Panels { a: a_panels, b: b_panels, starts }| {
		a_panels.reserve(BLOCK_ROWS * BLOCK_WORDS);
		b_panels.reserve(BLOCK_COLS * BLOCK_WORDS);
		for row in (0..out.rows()).step_by(height) {
			let rows = height.min(out.rows() - row);
			for start in (0..inner).step_by(M::BLOCK_WORDS * M::GROUP) {
				let len = (M::BLOCK_WORDS * M::GROUP).min(inner - start);
				let a_source = pack::Source { operand: a, outer: out.row0() + row, count: rows, start, len };
				M::pack_rows(path, a_source, a_panels);
				for col in (0..out.cols()).step_by(BLOCK_COLS) {
					let cols = BLOCK_COLS.min(out.cols() - col);
					let b_source = pack::Source { operand: b, outer: out.col0() + col, count: cols, start, len };
					pack::run::<M>(path, b_source, M::COLS, 0, b_panels);
					let (words, out) = (len.div_ceil(M::GROUP), out.part(row, rows, col, cols));
					let (a, b, first) = (a_panels.words(), b_panels.words(), start == 0);
					starts.resize(b.len() / words);
					// SAFETY: `run` picks the kernel by the instructions that the processor was found to have.
					unsafe { begin::<M>(b, words, starts.words_mut()) };
					path.run(Tiles::<M> { a, b, starts: starts.words(), words, first, out, micro: PhantomData });
				}
			}
		}
	});
}

/// What the sums of each column start from, of panels of `words` words of each column.
///
/// # Safety
///
/// The processor has the instructions of the kernel.
unsafe fn begin<M: Micro>(b: &[u32], words: usize, starts: &mut [u32]) {
	for (b, starts) in b.chunks_exact(M::COLS * words).zip(starts.chunks_exact_mut(M::COLS)) {
		// SAFETY: the caller vouches for the instructions.
		unsafe { M::start(b, starts) };
	}
}

/// A thread between [`Micro::enter`] and [`Micro::leave`].
struct Entered<M: Micro>(PhantomData<M>);

impl<M: Micro> Entered<M> {
	/// # Safety
	///
	/// As of [`Micro::enter`].
	#[inline(always)]
	unsafe fn new(rows: usize, words: usize) -> Self {
		// SAFETY: the caller vouches for the instructions.
		unsafe { M::enter(rows, words) };
		Self(PhantomData)
	}
}

impl<M: Micro> Drop for Entered<M> {
	#[inline(always)]
	fn drop(&mut self) {
		// SAFETY: `new` entered, and its caller vouched for the instructions.
		unsafe { M::leave() };
	}
}

/// One block of the output and of the inner dimension: every tile of it.
struct Tiles<'a, 'b, M: Micro> {
	a: &'a [u32],
	b: &'a [u32],
	starts: &'a [u32],
	words: usize,
	first: bool,
	out: Region<'b, u32>,
	micro: PhantomData<M>,
}

impl<M: Micro> Kernel for Tiles<'_, '_, M> {
	type Output = ();

	#[inline(always)]
	fn run<const FUSED: bool>(mut self) {
		let panels = || self.b.chunks_exact(M::COLS * self.words);
		let panel = self.a.len() / self.out.rows().div_ceil(M::ROWS);
		// SAFETY: `super::run` picks the kernel by the instructions that the processor was found to have.
		let _entered = unsafe { Entered::<M>::new(self.out.rows(), self.words) };
		// One panel of `A` stays in the first-level cache while the panels of `B` pass.
		for (i, a) in self.a.chunks_exact(panel).enumerate() {
			for (j, (b, starts)) in panels().zip(self.starts.chunks_exact(M::COLS)).enumerate() {
				let (row, col) = (i * M::ROWS, j * M::COLS);
				let rows = M::ROWS.min(self.out.rows() - row);
				let cols = M::COLS.min(self.out.cols() - col);
				let tile = self.out.part(row, rows, col, cols);
				// SAFETY: `super::run` picks the kernel by the instructions that the processor was found to have.
				unsafe { M::run(a, b, starts, self.first, tile) };
			}
		}
	}
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
	use super::*;

	/// Every kernel that the processor has, also where the path would pick a faster one.
	#[test]
	fn kernels_agree_at_the_edges_of_blocks() {
		let mut state = 1u64;
		let mut byte = || {
			state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
			// The extremes often.
			match state >> 60 {
				0..4 => -128,
				4 => 127,
				_ => (state >> 40) as i8,
			}
		};
		for (m, k, n) in [(1, 1, 1), (13, 2049, 33), (12, 3, 32), (25, 4100, 65), (7, 1025, 515), (2018, 5, 3)] {
			let a: Vec<i8> = (0..m * k).map(|_| byte()).collect();
			let b: Vec<i8> = (0..k * n).map(|_| byte()).collect();
			let mut expected = vec![0u32; m * n];
			for (i, out) in expected.chunks_exact_mut(n).enumerate() {
				for (j, out) in out.iter_mut().enumerate() {
					let products = (0..k).map(|at| i64::from(a[i * k + at]) * i64::from(b[at * n + j]));
					*out = products.sum::<i64>() as u32;
				}
			}
			let avx512 = Path::Avx512.supported();
			let kernels: [(bool, Path, Blocks); 6] = [
				(true, Path::Portable, blocks::<kernel::Portable>),
				(Path::Avx2.supported(), Path::Avx2, blocks::<kernel::Avx2>),
				(avx512, Path::Avx512, blocks::<kernel::Avx512>),
				(avx512 && is_x86_feature_detected!("avx512vnni"), Path::Avx512, blocks::<kernel::Vnni>),
				(true, Path::Portable, blocks::<amx::Modelled>),
				(avx512, Path::Avx512, blocks::<amx::Modelled>),
			];
			for (index, (_, path, run)) in kernels.into_iter().enumerate().filter(|(_, (has, ..))| *has) {
				let mut out = vec![0xdead_beef; m * n];
				let path = Supported::new(path).expect("supported");
				let a = Operand { data: &a, stride: k, inner_contiguous: true };
				let b = Operand { data: &b, stride: n, inner_contiguous: false };
				run(path, a, b, k, Region::whole(&mut out, m, n));
				assert_eq!(out, expected, "kernel {index}, {m} x {k} x {n}");
			}
		}
	}

	type Blocks = fn(Supported, Operand<'_>, Operand<'_>, usize, Region<'_, u32>);
}
