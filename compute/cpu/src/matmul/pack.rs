//! Copies a block of an operand into panels.

use super::Operand;
use crate::path::{Kernel, Supported};

/// `count` rows of `A` or columns of `B` from `outer`, and `len` of the inner dimension from `start`.
pub(super) struct Source<'a> {
	pub(super) operand: Operand<'a>,
	pub(super) outer: usize,
	pub(super) count: usize,
	pub(super) start: usize,
	pub(super) len: usize,
}

/// Fills `panels`: groups of `width` outer indices; within a group, the group's elements of each inner index together. The
/// last group is padded with zeros.
pub(super) fn run(path: Supported, source: Source<'_>, width: usize, panels: &mut Vec<f32>) {
	panels.resize(source.count.div_ceil(width) * width * source.len, 0.0);
	path.run(Pack { source, width, panels });
}

struct Pack<'a, 'b> {
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
				transpose(operand, first, used, start, len, width, panel);
			} else {
				for (k, line) in panel.chunks_exact_mut(width).enumerate() {
					let at = (start + k) * operand.stride + first;
					line[..used].copy_from_slice(&operand.data[at..at + used]);
				}
			}
		}
	}
}

/// Stored rows run along the inner dimension: 16 inner indices at a time, so that a cache line of the panel is written
/// while it is near.
#[inline(always)]
fn transpose(
	operand: Operand<'_>,
	first: usize,
	used: usize,
	start: usize,
	len: usize,
	width: usize,
	panel: &mut [f32],
) {
	const GROUP: usize = 16;
	let mut k = 0;
	while k < len {
		let group = GROUP.min(len - k);
		let target = &mut panel[k * width..(k + group) * width];
		for i in 0..used {
			let at = (first + i) * operand.stride + start + k;
			let line = &operand.data[at..at + group];
			for (j, value) in line.iter().enumerate() {
				target[j * width + i] = *value;
			}
		}
		k += group;
	}
}
