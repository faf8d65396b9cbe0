//! Copies a block of an operand into panels.

use super::Operand;
#[cfg(target_arch = "x86_64")]
use crate::Path;
use crate::{
	aligned::Aligned,
	matrix::floats_mut,
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

/// Fills `panels`: groups of `width` outer indices; within a group, the group's elements of each inner index together. The
/// last group is padded with zeros.
pub(super) fn run(path: Supported, source: Source<'_>, width: usize, panels: &mut Aligned) {
	panels.resize(words(&source, width));
	path.run(Pack { path, source, width, panels: floats_mut(panels.words_mut()) });
}

/// Fills panels that have [`words`] numbers.
pub(super) fn fill(path: Supported, source: Source<'_>, width: usize, panels: &mut [f32]) {
	path.run(Pack { path, source, width, panels });
}

/// Numbers of the panels of a source.
pub(super) fn words(source: &Source<'_>, width: usize) -> usize {
	source.count.div_ceil(width) * width * source.len
}

struct Pack<'a, 'b> {
	path: Supported,
	source: Source<'a>,
	width: usize,
	panels: &'b mut [f32],
}

impl Kernel for Pack<'_, '_> {
	type Output = ();

	#[inline(always)]
	fn run<const FUSED: bool>(self) {
		let Source { operand, outer, count, start, len } = self.source;
		let width = self.width;
		for (group, panel) in self.panels.chunks_exact_mut(width * len).enumerate() {
			let first = outer + group * width;
			let used = width.min(count - group * width);
			if used < width {
				panel.fill(0.0);
			}
			if operand.inner_contiguous {
				let rows = Rows { data: operand.data, stride: operand.stride, first, used, start, len };
				match self.path.vectors() {
					// SAFETY: the path is one that the processor was found to have.
					#[cfg(target_arch = "x86_64")]
					Path::Avx512 => unsafe { super::transpose::avx512(rows, width, panel) },
					_ => transpose(rows, 0, width, panel),
				}
			} else {
				for (k, line) in panel.chunks_exact_mut(width).enumerate() {
					let at = (start + k) * operand.stride + first;
					line[..used].copy_from_slice(&operand.data[at..at + used]);
				}
			}
		}
	}
}

/// Stored rows along the inner dimension: `used` of them from `first`, `len` elements each from `start`.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
	pub(super) data: &'a [f32],
	pub(super) stride: usize,
	pub(super) first: usize,
	pub(super) used: usize,
	pub(super) start: usize,
	pub(super) len: usize,
}

/// From inner index `from` on, 16 at a time, so that a cache line of the panel is written while it is near.
#[inline(always)]
pub(super) fn transpose(rows: Rows<'_>, from: usize, width: usize, panel: &mut [f32]) {
	const GROUP: usize = 16;
	let mut k = from;
	while k < rows.len {
		let group = GROUP.min(rows.len - k);
		let target = &mut panel[k * width..(k + group) * width];
		for i in 0..rows.used {
			let at = (rows.first + i) * rows.stride + rows.start + k;
			let line = &rows.data[at..at + group];
			for (j, value) in line.iter().enumerate() {
				target[j * width + i] = *value;
			}
		}
		k += group;
	}
}
