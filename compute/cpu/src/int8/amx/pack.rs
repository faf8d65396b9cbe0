//! Packs rows of `A` as tiles read them.

use core::marker::PhantomData;

use super::{
	super::{
		kernel::Micro,
		pack::{across, along, Source},
	},
	SIDE, SQUARE,
};
use crate::{
	aligned::Aligned,
	matmul::transpose::turn,
	path::{Kernel, Supported},
	Path,
};

/// Fills panels of 32 rows. A panel is cut along the inner dimension: the same 16 words of each row, row after row, then the next
/// 16. The last cut is of 16 words too, ending with the row; those of them that the one before has are zero. A row of less
/// than 16 words is not cut.
pub(super) fn run<M: Micro>(path: Supported, source: Source<'_>, panels: &mut Aligned) {
	let words = source.len.div_ceil(M::GROUP);
	let depth = words.min(SIDE);
	panels.resize(source.count.next_multiple_of(SQUARE) * words.div_ceil(SIDE) * depth);
	path.run(Pack::<M> { path, source, words, depth, panels: panels.words_mut(), micro: PhantomData });
}

struct Pack<'a, 'b, M> {
	path: Supported,
	source: Source<'a>,
	/// Words of a row, and of a row in a cut.
	words: usize,
	depth: usize,
	panels: &'b mut [u32],
	micro: PhantomData<M>,
}

impl<M: Micro> Kernel for Pack<'_, '_, M> {
	type Output = ();

	#[inline(always)]
	fn run<const FUSED: bool>(self) {
		let Self { source, words, depth, .. } = self;
		for (group, panel) in self.panels.chunks_exact_mut(SQUARE * words.div_ceil(SIDE) * depth).enumerate() {
			let first = source.outer + group * SQUARE;
			let used = SQUARE.min(source.count - group * SQUARE);
			for (at, cut) in panel.chunks_exact_mut(SQUARE * depth).enumerate() {
				let cut =
					Cut { first, start: at * SIDE * M::GROUP, fresh: SIDE.min(words - at * SIDE), depth, words: cut };
				cut.words[used * depth..].fill(0);
				match source.operand.inner_contiguous {
					true => cut.rows::<M>(source, used),
					false => cut.columns::<M>(source, used, self.path),
				}
			}
		}
	}
}

/// One cut of a panel.
struct Cut<'a> {
	/// The first row of the panel.
	first: usize,
	/// The first inner index from the source's, of words that the cut before does not have, and how many those are.
	start: usize,
	fresh: usize,
	depth: usize,
	words: &'a mut [u32],
}

impl Cut<'_> {
	/// Row `i`, its repeated words zero: the others.
	#[inline(always)]
	fn row(&mut self, i: usize) -> &mut [u32] {
		let (repeated, fresh) = self.words[i * self.depth..][..self.depth].split_at_mut(self.depth - self.fresh);
		repeated.fill(0);
		fresh
	}

	/// From stored rows along the inner dimension.
	#[inline(always)]
	fn rows<M: Micro>(mut self, source: Source<'_>, used: usize) {
		let len = (self.fresh * M::GROUP).min(source.len - self.start);
		for i in 0..used {
			let from = (self.first + i) * source.operand.stride + source.start + self.start;
			let elements = &source.operand.data[from..][..len];
			along::<M>(elements, 1, 0, self.row(i));
		}
	}

	/// From stored rows across it: words of 16 rows at a time, turned.
	#[inline(always)]
	fn columns<M: Micro>(mut self, source: Source<'_>, used: usize, path: Supported) {
		for begin in (0..used).step_by(SIDE) {
			let used = SIDE.min(used - begin);
			let mut block = [[0; SIDE]; SIDE];
			for (word, line) in block.iter_mut().enumerate().take(self.fresh) {
				let k = self.start + word * M::GROUP;
				let row = |within: usize| {
					let from = (source.start + k + within) * source.operand.stride + self.first + begin;
					&source.operand.data[from..][..used]
				};
				across::<M>(row, M::GROUP.min(source.len - k), 0, &mut line[..used]);
			}
			for (i, words) in turned(path, block).iter().enumerate().take(used) {
				let fresh = self.fresh;
				self.row(begin + i).copy_from_slice(&words[..fresh]);
			}
		}
	}
}

/// Columns of a block.
#[inline(always)]
fn turned(path: Supported, block: [[u32; SIDE]; SIDE]) -> [[u32; SIDE]; SIDE] {
	match path.vectors() {
		// SAFETY: the processor was found to have the path; a register is 16 words.
		Path::Avx512 => unsafe {
			let block = block.map(|line| core::mem::transmute::<[u32; SIDE], core::arch::x86_64::__m512>(line));
			turn(block).map(|line| core::mem::transmute::<core::arch::x86_64::__m512, [u32; SIDE]>(line))
		},
		_ => core::array::from_fn(|i| core::array::from_fn(|word| block[word][i])),
	}
}
