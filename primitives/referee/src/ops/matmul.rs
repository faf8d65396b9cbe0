//! Matrix products: one link of the fma chains of a chunk.

use crate::patch::Patch;
use alloc::vec::Vec;
use assay_commitment::Region;
use assay_program::{refine::Link, OpGeometry};
use assay_softfloat::F32;

/// Which operands are stored transposed.
#[derive(Clone, Copy)]
pub(crate) struct Transposed {
	pub(crate) a: bool,
	pub(crate) b: bool,
}

/// Continues the chains of the chunk's elements over the link; at the end of a segment folds them into the totals.
///
/// `words` is totals, then chains, each row-major over `out`.
pub(crate) fn link(
	transposed: Transposed,
	out: &Region,
	link: &Link,
	mut words: Vec<u32>,
	a: &Patch,
	b: &Patch,
) -> Vec<u32> {
	let elements = words.len() / 2;
	let (totals, chains) = words.split_at_mut(elements);
	let inner = |k: u32| k;
	advance(transposed, (out.row0, inner), (out.col0, out.cols, inner), link, chains, a, b);
	fold(link, totals, chains);
	words
}

/// The same where the chunk's rows lie in blocks. `patches` are first and second operand of each block, ascending.
/// `None` if they are not.
pub(crate) fn block_link(
	geometry: &OpGeometry,
	transposed: Transposed,
	out: &Region,
	link: &Link,
	mut words: Vec<u32>,
	patches: &[Patch],
) -> Option<Vec<u32>> {
	let elements = words.len() / 2;
	let (totals, chains) = words.split_at_mut(elements);
	let mut pairs = patches.chunks_exact(2);
	for block in geometry.blocks_of(out)? {
		let [a, b] = pairs.next()? else { return None };
		let (offset, rows, _) = geometry.rows_of_block(out, block)?;
		let cols = out.cols as usize;
		let chains = chains.get_mut(offset as usize * cols..(offset + rows) as usize * cols)?;
		// Both rectangles begin with the first row, column and inner element that the block needs.
		let (left, right) = (a.region(), b.region());
		let (row0, inner_a) = if transposed.a { (left.col0, left.row0) } else { (left.row0, left.col0) };
		let (col0, inner_b) = if transposed.b { (right.row0, right.col0) } else { (right.col0, right.row0) };
		let in_a = move |k: u32| inner_a.wrapping_add(k - link.start);
		let in_b = move |k: u32| inner_b.wrapping_add(k - link.start);
		advance(transposed, (row0, in_a), (col0, out.cols, in_b), link, chains, a, b);
	}
	fold(link, totals, chains);
	Some(words)
}

/// Continues the chains of whole rows of the chunk. The operands' first row and columns, and where they store an inner
/// element, are given.
fn advance(
	transposed: Transposed,
	(row0, in_a): (u32, impl Fn(u32) -> u32),
	(col0, cols, in_b): (u32, u32, impl Fn(u32) -> u32),
	link: &Link,
	chains: &mut [u32],
	a: &Patch,
	b: &Patch,
) {
	for inner in link.start..link.end {
		let (at_a, at_b) = (in_a(inner), in_b(inner));
		let right: Vec<F32> = (col0..col0.saturating_add(cols))
			.map(|col| F32(if transposed.b { b.at(col, at_b) } else { b.at(at_b, col) }))
			.collect();
		for (row, chains) in (row0..).zip(chains.chunks_exact_mut(cols as usize)) {
			let left = F32(if transposed.a { a.at(at_a, row) } else { a.at(row, at_a) });
			for (chain, right) in chains.iter_mut().zip(&right) {
				*chain = left.fma(*right, F32(*chain)).0;
			}
		}
	}
}

/// Adds the chains to the totals at the end of a segment, and starts them anew.
fn fold(link: &Link, totals: &mut [u32], chains: &mut [u32]) {
	if link.ends_segment() {
		for (total, chain) in totals.iter_mut().zip(chains) {
			let segment = core::mem::replace(chain, 0);
			*total = if link.has_total() { F32(*total).add(F32(segment)).0 } else { segment };
		}
	}
}
