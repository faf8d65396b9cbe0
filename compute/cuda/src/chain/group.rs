//! Which ops go together.
//!
//! From its first op on, a group takes the following ones that can be part of it, in the program's order. Ops between them that
//! read what the group makes come after it, the others before it: every op still comes after those it reads. Which op fails does
//! not depend on that order, for each has a word of its own that says whether it does.

use std::collections::{BTreeSet, VecDeque};

use assay_program::{Program, TensorId};

use super::{
	again::copy,
	readers::Readers,
	shape::{part_of, Extent},
	slots::place,
	steps::plan,
	Chain, Piece,
};

/// Most ops of a group.
const MOST: usize = 64;
/// Most instructions of a group.
const MOST_INSTRUCTIONS: usize = 192;
/// Ops between those of a group that may be passed over.
const PASSED: usize = 24;
/// Of fewer rows than this a row has to be short: one block takes it, and the rest of a device would have nothing to do.
const FEW_ROWS: u32 = 64;
const SHORT_ROW: u32 = 4096;

/// A program's ops in pieces, each after those it reads.
pub(crate) fn pieces(program: &Program) -> Vec<Piece> {
	let readers = Readers::new(program);
	let mut rest: VecDeque<Piece> = (0..program.ops.len()).map(Piece::Op).collect();
	let mut done = Vec::new();
	while let Some(first) = rest.pop_front() {
		let grown = match &first {
			Piece::Op(op) => grow(program, &readers, *op, &rest),
			Piece::Chain(_) => None,
		};
		let Some(Grown { chain, members, before }) = grown else {
			done.push(first);
			continue;
		};
		let (mut ahead, mut behind) = (VecDeque::new(), VecDeque::new());
		// Nothing behind the last member moves.
		let unmoved = rest.split_off(members.last().map_or(0, |last| last + 1));
		for (at, piece) in rest.drain(..).enumerate() {
			if before.contains(&at) {
				ahead.push_back(piece);
			} else if !members.contains(&at) {
				behind.push_back(piece);
			}
		}
		rest.extend(ahead);
		rest.push_back(Piece::Chain(Box::new(chain)));
		rest.extend(behind);
		rest.extend(unmoved);
	}
	copy(program, &readers, &mut done);
	done
}

/// Which outputs something outside needs.
pub(super) type Needed<'a> = dyn Fn(TensorId) -> bool + 'a;

/// A group of ops, with copies of others that are computed again, both ascending; `None` if it would take more than a group has.
pub(super) fn built(
	program: &Program,
	readers: &Readers,
	ops: &[usize],
	copies: &[usize],
	needed: &Needed<'_>,
) -> Option<Chain> {
	let plan = plan(program, readers, ops, copies, needed)?;
	let actions = place(program, &plan).filter(|actions| actions.len() <= MOST_INSTRUCTIONS)?;
	Some(Chain::new(program, ops.to_vec(), copies.to_vec(), &plan, actions))
}

/// A group, and what was found on the way.
struct Grown {
	chain: Chain,
	/// Positions of its ops but the first, and of the pieces that come before it.
	members: BTreeSet<usize>,
	before: BTreeSet<usize>,
}

/// The group that begins with an op; `None` if there is none of several.
fn grow(program: &Program, readers: &Readers, first: usize, rest: &VecDeque<Piece>) -> Option<Grown> {
	let (_, mut extent) = part_of(program, program.ops.get(first)?)?;
	let (mut ops, mut best) = (vec![first], None);
	let (mut members, mut before) = (BTreeSet::new(), BTreeSet::new());
	// What the group makes and what it reads, and what is made after it.
	let (mut made, mut read, mut after) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
	note(program, first, &mut made, &mut read);
	let mut passed = 0;
	for (at, piece) in rest.iter().enumerate() {
		if passed > PASSED || ops.len() == MOST {
			break;
		}
		let inputs = piece.reads(program);
		let reads = |of: &BTreeSet<TensorId>| !inputs.is_disjoint(of);
		if !reads(&after) {
			if let Piece::Op(op) = piece {
				let near = passed == 0 || reads(&made) || reads(&read);
				let grown = if near { joined(program, readers, extent, &ops, *op) } else { None };
				if let Some((chain, joint)) = grown {
					(best, extent) = (Some(chain), joint);
					ops.push(*op);
					ops.sort_unstable();
					members.insert(at);
					note(program, *op, &mut made, &mut read);
					continue;
				}
			}
			if !reads(&made) {
				passed += 1;
				before.insert(at);
				continue;
			}
		}
		passed += 1;
		after.extend(piece.outputs(program));
	}
	let last = members.last().copied()?;
	// What lies behind the last member may stay there.
	before.retain(|at| *at < last);
	best.map(|chain| Grown { chain, members, before })
}

fn note(program: &Program, op: usize, made: &mut BTreeSet<TensorId>, read: &mut BTreeSet<TensorId>) {
	if let Some(op) = program.ops.get(op) {
		made.insert(op.output);
		// What is small is no reason to go together.
		let large = |id: &TensorId| program.decl(*id).is_some_and(|decl| decl.rows > 1 && decl.cols > 1);
		read.extend(op.tensor_operands().filter(large));
	}
}

/// The group with one more op, if there is one.
fn joined(program: &Program, readers: &Readers, extent: Extent, ops: &[usize], op: usize) -> Option<(Chain, Extent)> {
	let (_, other) = part_of(program, program.ops.get(op)?)?;
	let extent = extent.with(other)?;
	let mut all = [ops, &[op]].concat();
	all.sort_unstable();
	let chain = built(program, readers, &all, &[], &|id| readers.outside(id, &all))?;
	let long = extent.cols.is_some_and(|cols| cols > SHORT_ROW);
	let idle = !chain.elementwise && extent.rows < FEW_ROWS && long;
	(!idle).then_some((chain, extent))
}
