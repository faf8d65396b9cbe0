//! Plays a dispute for a daemon: the next move follows from the state on chain and the side's own computation.
//!
//! A player keeps nothing between moves, so it may restart at any time. A defender who claims what it computed wins against
//! everyone; a challenger who computed correctly wins against every wrong claim.

use super::state::{points, DisputeState, LinkSpan, Move, Phase, Points, Proof, Revealed, Side, StepSpan, TraceClaim};
use super::Context;
use crate::Hash;
use alloc::{boxed::Box, vec::Vec};
use assay_commitment::{frontier, Combiner, Domain, Node, Tree};
use assay_program::commitment::OpOpening;
use assay_referee::{ClaimedTree, Evidence, MicroClaim};

const TRACE: Combiner = Combiner::Merkle(Domain::Trace);
const STATE: Combiner = Combiner::Merkle(Domain::State);

/// Proof of an op's trace leaf against the defender's trace root.
pub type TraceProof<'a> = &'a dyn Fn(u32) -> Option<Vec<Hash>>;

/// What a side computed itself. `None` stands for a value that does not exist, because an op's output is not finite: it
/// differs from every claim.
pub trait TraceOracle {
	/// Why a value could not be given: the device, the disk, the network.
	type Error;

	/// State root after the first `steps` steps of the job.
	fn state_root(&mut self, steps: u64) -> Result<Option<Hash>, Self::Error>;

	/// Trace leaves of a step: the root of every op's output, then the state root after the step.
	fn trace_leaves(&mut self, step: u64) -> Result<Vec<Option<Hash>>, Self::Error>;

	/// Leaves of the tree under the state root after a step: the hash of the meta data, then one for each parameter and
	/// state tensor. `None` where an op's output is not finite.
	fn state_leaves(&mut self, step: u64) -> Result<Option<Vec<Hash>>, Self::Error>;

	/// Chaining values of the chunks of an op's output; `None` for a chunk with a value that is not finite.
	fn chunk_values(&mut self, step: u64, op: u32) -> Result<Vec<Option<Hash>>, Self::Error>;

	/// Accumulator hashes that the links of a chunk hand on, in order, the last link left out.
	fn accumulators(&mut self, step: u64, op: u32, chunk: u32) -> Result<Vec<Hash>, Self::Error>;

	/// An op with the declarations of what it touches, against the program.
	fn op_opening(&mut self, op: u32) -> Result<OpOpening, Self::Error>;

	/// Evidence for a claim. `proof` proves the trace leaves of ops before the claimed one.
	fn evidence(&mut self, claim: &MicroClaim, proof: TraceProof<'_>) -> Result<Evidence, Self::Error>;
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant)]
pub enum Action {
	/// Play this move.
	Move(Move),
	/// Submit this evidence; anyone may.
	Evidence(Box<Evidence>),
}

/// The next action of `side`; `None` when it is the other side's turn.
///
/// A side whose own computation does not support it concedes: that is cheaper than losing at the leaf.
pub fn next_move<O: TraceOracle>(
	state: &DisputeState,
	context: &Context,
	side: Side,
	oracle: &mut O,
) -> Result<Option<Action>, O::Error> {
	if state.phase.to_move() != side {
		return Ok(None);
	}
	let played = match &state.phase {
		Phase::StepsReveal(span) => reveal_steps(span, oracle)?,
		Phase::TraceReveal(step) => reveal_trace(context, step.step, &step.post_root, oracle)?,
		Phase::TraceDescend { trace, node, .. } => {
			let own = Own::new(TRACE, oracle.trace_leaves(trace.step.step)?);
			own.and_then(|own| own.tree.frontier(*node)).and_then(Points::new).map(Move::Reveal)
		}
		Phase::TensorReveal { op, node, .. } => {
			let own = Own::new(Combiner::Blake3Cv, oracle.chunk_values(op.trace.step.step, op.op)?);
			own.and_then(|own| own.tree.frontier(*node)).and_then(Points::new).map(Move::Reveal)
		}
		Phase::StateReveal { trace, node, .. } => {
			let own = own_state(trace.step.step, oracle)?;
			own.and_then(|own| own.tree.frontier(*node)).and_then(Points::new).map(Move::Reveal)
		}
		Phase::LinksReveal { chunk, span } => {
			let own = oracle.accumulators(chunk.op.trace.step.step, chunk.op.op, chunk.chunk)?;
			let hashes = inner_links(span).into_iter().map(|link| own.get(link).copied()).collect::<Option<Vec<_>>>();
			hashes.and_then(Points::new).map(Move::Reveal)
		}
		Phase::StepsChoose { span, interior } => choose_steps(span, interior, oracle)?,
		Phase::TraceChoose(trace) => choose_trace(context, trace, oracle)?,
		Phase::TensorChoose { op, revealed } => {
			let own = Own::new(Combiner::Blake3Cv, oracle.chunk_values(op.trace.step.step, op.op)?);
			own.and_then(|own| own.first_difference(revealed, op.chunks)).map(|(child, _)| Move::Choose(child))
		}
		Phase::StateChoose { trace, revealed } => {
			let own = own_state(trace.step.step, oracle)?;
			own.and_then(|own| own.first_difference(revealed, own.tree.n())).map(|(child, _)| Move::Choose(child))
		}
		Phase::LinksChoose { chunk, span, interior } => {
			let own = oracle.accumulators(chunk.op.trace.step.step, chunk.op.op, chunk.chunk)?;
			let own = inner_links(span).into_iter().map(|link| own.get(link).copied());
			first_part(interior, own).map(Move::Choose)
		}
		Phase::Leaf(_) => {
			return evidence(state, context, oracle).map(|found| found.map(|e| Action::Evidence(Box::new(e))));
		}
	};
	Ok(Some(Action::Move(played.unwrap_or(Move::Concede))))
}

/// Evidence for the leaf, from either side's computation; `None` before the leaf and where the computation does not fit
/// what was agreed on the way.
pub fn evidence<O: TraceOracle>(
	state: &DisputeState,
	context: &Context,
	oracle: &mut O,
) -> Result<Option<Evidence>, O::Error> {
	let Some(leaf) = state.leaf() else { return Ok(None) };
	let trace = leaf.trace();
	let Some(own) = Own::new(TRACE, oracle.trace_leaves(trace.step.step)?) else { return Ok(None) };
	let claimed = claimed_tree(trace, &own);
	let proof = |op: u32| match &claimed {
		// The side holds the whole claimed trace.
		_ if own.tree.root() == trace.root => own.tree.prove(Node::leaf(op)),
		Some(claimed) => claimed.prove(op),
		None => None,
	};
	oracle.evidence(&leaf.micro_claim(context), &proof).map(Some)
}

fn reveal_steps<O: TraceOracle>(span: &StepSpan, oracle: &mut O) -> Result<Option<Move>, O::Error> {
	let mut roots = Vec::new();
	for steps in points(span.lo, span.hi) {
		match oracle.state_root(steps)? {
			Some(root) => roots.push(root),
			None => return Ok(None),
		}
	}
	Ok(Points::new(roots).map(Move::Reveal))
}

fn reveal_trace<O: TraceOracle>(
	context: &Context,
	step: u64,
	post_root: &Hash,
	oracle: &mut O,
) -> Result<Option<Move>, O::Error> {
	let leaves = oracle.trace_leaves(step)?;
	let fits = leaves.len() as u64 == u64::from(context.program.n_ops) + 1 && leaves.last() == Some(&Some(*post_root));
	let Some(Own { tree, .. }) = Own::new(TRACE, leaves).filter(|_| fits) else { return Ok(None) };
	let post_proof = tree.prove(Node::leaf(context.program.n_ops)).and_then(Proof::new);
	let children = tree.frontier(Node::whole(tree.n())).and_then(Points::new);
	Ok(post_proof.zip(children).map(|(post_proof, children)| Move::RevealTrace {
		root: tree.root(),
		post_proof,
		children,
	}))
}

/// The side's own tree under the state root after a step.
fn own_state<O: TraceOracle>(step: u64, oracle: &mut O) -> Result<Option<Own>, O::Error> {
	let leaves = oracle.state_leaves(step)?;
	Ok(leaves.and_then(|leaves| Own::new(STATE, leaves.into_iter().map(Some).collect())))
}

fn choose_steps<O: TraceOracle>(span: &StepSpan, interior: &Points, oracle: &mut O) -> Result<Option<Move>, O::Error> {
	let mut own = Vec::new();
	for steps in points(span.lo, span.hi) {
		own.push(oracle.state_root(steps)?);
	}
	let part = first_part(interior, own.into_iter());
	let last = part == Some(interior.len() as u8);
	if last && oracle.state_root(span.hi)? == Some(span.hi_root) {
		return Ok(None);
	}
	Ok(part.map(Move::Choose))
}

fn choose_trace<O: TraceOracle>(
	context: &Context,
	trace: &TraceClaim,
	oracle: &mut O,
) -> Result<Option<Move>, O::Error> {
	let Some(own) = Own::new(TRACE, oracle.trace_leaves(trace.step.step)?) else { return Ok(None) };
	let found = trace.descent.last().and_then(|revealed| own.first_difference(revealed, own.tree.n()));
	let Some((child, node)) = found else { return Ok(None) };
	if !node.is_leaf() || node.start == context.program.n_ops {
		return Ok(Some(Move::Choose(child)));
	}
	let opening = oracle.op_opening(node.start)?;
	Ok(Some(Move::ChooseOp { child, opening }))
}

/// The first part whose end is not the own value; the last one, whose end is claimed, if all interior ends are.
fn first_part(interior: &Points, own: impl Iterator<Item = Option<Hash>>) -> Option<u8> {
	let different = interior.iter().zip(own).position(|(claimed, own)| own != Some(*claimed));
	u8::try_from(different.unwrap_or(interior.len())).ok()
}

/// Positions, among the accumulators that are handed on, of the interior points of a span.
fn inner_links(span: &LinkSpan) -> Vec<usize> {
	points(span.lo.into(), span.hi.into())
		.into_iter()
		.filter_map(|point| usize::try_from(point.checked_sub(1)?).ok())
		.collect()
}

/// A side's own tree; leaves that do not exist are marked.
struct Own {
	tree: Tree,
	missing: Vec<u32>,
}

impl Own {
	fn new(combiner: Combiner, leaves: Vec<Option<Hash>>) -> Option<Self> {
		let missing = leaves.iter().zip(0u32..).filter(|(leaf, _)| leaf.is_none()).map(|(_, index)| index).collect();
		let tree = Tree::build(combiner, leaves.into_iter().map(Option::unwrap_or_default).collect())?;
		Some(Self { tree, missing })
	}

	fn hash(&self, node: Node) -> Option<Hash> {
		let end = u64::from(node.start) + u64::from(node.len);
		let exists = !self.missing.iter().any(|index| *index >= node.start && u64::from(*index) < end);
		exists.then(|| self.tree.node(node)).flatten()
	}

	fn first_difference(&self, revealed: &Revealed, n: u32) -> Option<(u8, Node)> {
		let children = frontier(revealed.node, n).into_iter().zip(revealed.children.iter()).zip(0u8..);
		let mut different = children.filter(|((node, claimed), _)| self.hash(*node) != Some(**claimed));
		different.next().map(|((node, _), index)| (index, node))
	}
}

/// The defender's trace as far as it was revealed; everything left of the disputed leaf is agreed.
fn claimed_tree(trace: &TraceClaim, own: &Own) -> Option<ClaimedTree> {
	let mut claimed = ClaimedTree::new(TRACE, trace.root, own.tree.leaves().to_vec())?;
	for revealed in trace.descent.iter() {
		if !claimed.reveal(revealed.node, &revealed.children) {
			return None;
		}
		claimed.first_difference(revealed.node);
	}
	Some(claimed)
}

/// Most moves of a dispute, the evidence included, over a segment of `steps` steps, a program of `ops` ops and `states`
/// parameter and state tensors, and outputs of at most `chunks` chunks in chains of at most `links` links.
pub fn most_moves(steps: u64, ops: u32, states: u32, chunks: u32, links: u32) -> u32 {
	// One reveal and one choice divide by 16.
	let rounds = |n: u64| n.max(1).next_power_of_two().ilog2().div_ceil(4);
	let within_op = rounds(chunks.into()) + rounds(links.into());
	let within_state = rounds(u64::from(states) + 1);
	2 * (rounds(steps) + rounds(u64::from(ops) + 1) + within_op.max(within_state)) + 1
}
