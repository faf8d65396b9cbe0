//! Outputs that are computed again where a group reads them.
//!
//! A cheap op costs a few instructions where reading its output from memory costs more, and writing it as much again. So a group
//! that reads an output of another one gets a copy of the op instead, if what the copy reads is at hand; the op itself, where it
//! is, looks for infinities and NaNs.

use std::collections::BTreeSet;

use assay_program::{OpKind, Program, TensorId, UnaryKind};

use super::{
	group::{built, Needed},
	readers::Readers,
	shape::spec_of,
	Chain, Piece,
};

/// Most ops for one output.
const MOST: usize = 3;
/// An input with at most so small a share of the output's elements is read as if it were none.
const SMALL: u64 = 8;

/// Adds copies to the groups, and takes outputs that nobody reads any more from those that made them.
pub(super) fn copy(program: &Program, readers: &Readers, pieces: &mut [Piece]) {
	let mut producers = vec![None; program.tensors.len()];
	for (index, op) in program.ops.iter().enumerate() {
		if let Some(producer) = producers.get_mut(op.output.0 as usize) {
			*producer = Some(index);
		}
	}
	for piece in pieces.iter_mut() {
		if let Piece::Chain(chain) = piece {
			let mut read: Vec<TensorId> = chain.reads(program).into_iter().collect();
			// What is made last first: it may be made of the others.
			read.sort_unstable_by_key(|id| core::cmp::Reverse(producers.get(id.0 as usize).copied().flatten()));
			for id in read {
				if let Some(better) = with_copy(program, readers, &producers, chain, id) {
					**chain = better;
				}
			}
		}
	}
	let read: BTreeSet<TensorId> = pieces.iter().flat_map(|piece| piece.reads(program)).collect();
	for piece in pieces {
		if let Piece::Chain(chain) = piece {
			let needed = |id| readers.at_end(id) || read.contains(&id);
			let before = |id| needed(id) || chain.stored.contains(&id);
			let build = |needed: &Needed<'_>| built(program, readers, &chain.ops, &chain.copies, needed);
			// What it made before was made with as many slots.
			if let Some(better) = build(&needed).or_else(|| build(&before)) {
				**chain = better;
			}
		}
	}
}

/// The group with copies of ops that make `id`, if it is the better for it.
fn with_copy(
	program: &Program,
	readers: &Readers,
	producers: &[Option<usize>],
	chain: &Chain,
	id: TensorId,
) -> Option<Chain> {
	let at_hand = chain.reads(program);
	let mut copies = BTreeSet::new();
	remake(program, producers, chain, &at_hand, id, id, &mut copies)?;
	copies.extend(&chain.copies);
	let copies: Vec<usize> = copies.into_iter().collect();
	let better = built(program, readers, &chain.ops, &copies, &|id| chain.stored.contains(&id))?;
	let cost = |chain: &Chain| {
		let moved = chain.moved(program);
		// What is read again comes from a cache, mostly.
		moved.read + moved.written + moved.again / 4
	};
	// Places of elements in rows and columns would have to be found, which one long row does not need.
	let as_flat = better.flat || !chain.flat;
	(as_flat && cost(&better) < cost(chain)).then_some(better)
}

/// Collects the ops that make `id` out of what is at hand but `without`.
fn remake(
	program: &Program,
	producers: &[Option<usize>],
	chain: &Chain,
	at_hand: &BTreeSet<TensorId>,
	without: TensorId,
	id: TensorId,
	copies: &mut BTreeSet<usize>,
) -> Option<()> {
	let index = producers.get(id.0 as usize).copied().flatten()?;
	let op = program.ops.get(index)?;
	let output = spec_of(program, id)?;
	let fits = (u64::from(output.rows), u64::from(output.cols)) == (chain.rows, chain.cols);
	if !is_cheap(op.kind) || !fits || output.cols == 1 {
		return None;
	}
	copies.insert(index);
	if copies.len() > MOST {
		return None;
	}
	for input in op.tensor_operands() {
		let small = spec_of(program, input)?.elements() * SMALL <= output.elements();
		if input == without || !(small || at_hand.contains(&input)) {
			remake(program, producers, chain, at_hand, without, input, copies)?;
		}
	}
	Some(())
}

fn is_cheap(kind: OpKind) -> bool {
	matches!(
		kind,
		OpKind::Unary(UnaryKind::Neg | UnaryKind::Abs | UnaryKind::Relu)
			| OpKind::Binary(_)
			| OpKind::Fma
			| OpKind::OneHot
			| OpKind::Causal { .. }
	)
}
