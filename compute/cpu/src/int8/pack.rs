//! Copies a block of an operand into panels of words.

use core::marker::PhantomData;

#[cfg(target_arch = "x86_64")]
use super::bytes;
use super::{kernel::Micro, Operand};
#[cfg(target_arch = "x86_64")]
use crate::Path;
use crate::{
	aligned::Aligned,
	path::{Kernel, Supported},
};

/// `count` rows of `A` or columns of `B` from `outer`, and `len` of the inner dimension from `start`.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
	pub(super) operand: Operand<'a>,
	pub(super) outer: usize,
	pub(super) count: usize,
	pub(super) start: usize,
	pub(super) len: usize,
}

/// Fills `panels`: groups of `width` outer indices; within a group, the group's words of each [`Micro::GROUP`] inner
/// indices together, each word with the bits of `mask` flipped. The rest of the last word and group is zero before that.
pub(super) fn run<M: Micro>(path: Supported, source: Source<'_>, width: usize, mask: u32, panels: &mut Aligned) {
	panels.resize(words::<M>(&source, width));
	fill::<M>(path, source, width, mask, panels.words_mut());
}

/// Fills panels that have [`words`] words.
pub(super) fn fill<M: Micro>(path: Supported, source: Source<'_>, width: usize, mask: u32, panels: &mut [u32]) {
	path.run(Pack::<M> { path, source, width, mask, panels, micro: PhantomData });
}

/// Words of the panels of a source.
pub(super) fn words<M: Micro>(source: &Source<'_>, width: usize) -> usize {
	source.count.div_ceil(width) * width * source.len.div_ceil(M::GROUP)
}

struct Pack<'a, 'b, M> {
	path: Supported,
	source: Source<'a>,
	width: usize,
	mask: u32,
	panels: &'b mut [u32],
	micro: PhantomData<M>,
}

impl<M: Micro> Kernel for Pack<'_, '_, M> {
	type Output = ();

	#[inline(always)]
	fn run<const FUSED: bool>(self) {
		let Source { operand, outer, count, start, len } = self.source;
		let (width, words) = (self.width, len.div_ceil(M::GROUP));
		if !operand.inner_contiguous {
			return self.pack_across();
		}
		for (group, panel) in self.panels.chunks_exact_mut(width * words).enumerate() {
			let first = outer + group * width;
			let used = width.min(count - group * width);
			if used < width {
				panel.fill(self.mask);
			}
			let row = |i: usize| &operand.data[(first + i) * operand.stride + start..][..len];
			match self.path.vectors() {
				// SAFETY: the path is one that the processor was found to have.
				#[cfg(target_arch = "x86_64")]
				Path::Avx512 if M::GROUP == 4 => unsafe { bytes::avx512::<M>(&row, used, width, self.mask, panel) },
				_ => (0..used).for_each(|i| along::<M>(row(i), width, self.mask, &mut panel[i..])),
			}
		}
	}
}

impl<M: Micro> Pack<'_, '_, M> {
	/// Of stored rows across the inner dimension. A few panels go along together, so that what is read of a row at a time is
	/// some cache lines side by side.
	#[inline(always)]
	fn pack_across(self) {
		const TOGETHER: usize = 8;
		let Source { operand, outer, count, start, len } = self.source;
		let (width, words) = (self.width, len.div_ceil(M::GROUP));
		for (at, panels) in self.panels.chunks_mut(TOGETHER * width * words).enumerate() {
			for word in 0..words {
				let k = word * M::GROUP;
				for (within, panel) in panels.chunks_exact_mut(width * words).enumerate() {
					let group = at * TOGETHER + within;
					let first = outer + group * width;
					let (line, rest) = panel[word * width..][..width].split_at_mut(width.min(count - group * width));
					rest.fill(self.mask);
					let used = line.len();
					let row = |within: usize| &operand.data[(start + k + within) * operand.stride + first..][..used];
					across::<M>(row, M::GROUP.min(len - k), self.mask, line);
				}
			}
		}
	}
}

/// Words of one outer index, `width` apart, from elements side by side. 16 at a time: forming them vectorises, placing them
/// does not.
#[inline(always)]
pub(super) fn along<M: Micro>(elements: &[i8], width: usize, mask: u32, panel: &mut [u32]) {
	const WORDS: usize = 16;
	let (mut blocks, mut at) = (elements.chunks_exact(WORDS * M::GROUP), 0);
	for block in &mut blocks {
		let mut words = [0u32; WORDS];
		for (word, elements) in words.iter_mut().zip(block.chunks_exact(M::GROUP)) {
			*word = M::word(elements) ^ mask;
		}
		for (j, word) in words.iter().enumerate() {
			panel[(at + j) * width] = *word;
		}
		at += WORDS;
	}
	for (j, elements) in blocks.remainder().chunks(M::GROUP).enumerate() {
		panel[(at + j) * width] = M::word(elements) ^ mask;
	}
}

/// Words of neighbouring outer indices, each from `given` inner ones that lie in rows of their own.
#[inline(always)]
pub(super) fn across<'a, M: Micro>(row: impl Fn(usize) -> &'a [i8], given: usize, mask: u32, line: &mut [u32]) {
	match (M::GROUP, given) {
		(4, 4) => {
			let rows = line.iter_mut().zip(row(0)).zip(row(1)).zip(row(2)).zip(row(3));
			for ((((word, a), b), c), d) in rows {
				*word = M::word(&[*a, *b, *c, *d]) ^ mask;
			}
		}
		(2, 2) => {
			for ((word, a), b) in line.iter_mut().zip(row(0)).zip(row(1)) {
				*word = M::word(&[*a, *b]) ^ mask;
			}
		}
		_ => {
			for (j, word) in line.iter_mut().enumerate() {
				let mut elements = [0i8; 4];
				for (within, element) in elements[..given].iter_mut().enumerate() {
					*element = row(within)[j];
				}
				*word = M::word(&elements[..given]) ^ mask;
			}
		}
	}
}
