//! The transitions.

use super::state::{
	points, ChunkClaim, Clocks, Context, Descent, DisputeState, Ground, LeafClaim, LinkSpan, Move, OpClaim, Outcome,
	Phase, Points, Proof, Revealed, Side, StepClaim, StepSpan, TraceClaim,
};
use crate::{BlockNumber, Hash, Reason};
use assay_commitment::{combine_frontier, frontier, verify_node, Combiner, Domain, Node};
use assay_program::{
	commitment::{OpOpening, ProgramOpeningError},
	refine::OpGeometry,
	TensorId,
};
use codec::Encode;

const TRACE: Combiner = Combiner::Merkle(Domain::Trace);
const STATE: Combiner = Combiner::Merkle(Domain::State);

/// Largest opening of an op, bytes: four declarations with their proofs stay far below.
const MAX_OP_OPENING: usize = 8 << 10;

/// Most inputs of any kind of op.
const MAX_INPUTS: usize = 3;

/// Takes a move of `by` at block `now`. A rejected move changes nothing.
///
/// Work is bounded by one frontier of 16 hashes and, for [`Move::ChooseOp`], five Merkle proofs of at most 32 hashes.
pub fn step(
	state: &DisputeState,
	context: &Context,
	played: &Move,
	by: Side,
	now: BlockNumber,
) -> Result<(DisputeState, Option<Outcome>), Reason> {
	if let Move::Concede = played {
		return Ok((state.clone(), Some(Outcome { winner: by.opponent(), ground: Ground::Conceded })));
	}
	if state.phase.to_move() != by {
		return Err(Reason::NotYourMove);
	}
	let clocks = tick(&state.clocks, by, now)?;
	match advance(&state.phase, context, played)? {
		Some(phase) => Ok((DisputeState { phase, clocks }, None)),
		None => {
			let outcome = Outcome { winner: Side::Challenger, ground: Ground::Malformed };
			Ok((DisputeState { phase: state.phase.clone(), clocks }, Some(outcome)))
		}
	}
}

/// Ends the dispute against the side to move, if its budget is used up at block `now`. Anyone may call it.
pub fn time_out(state: &DisputeState, now: BlockNumber) -> Result<Outcome, Reason> {
	if now <= state.deadline() {
		return Err(Reason::ClockStillRuns);
	}
	Ok(Outcome { winner: state.phase.to_move().opponent(), ground: Ground::TimedOut })
}

/// Charges the blocks since the turn began to `by`.
fn tick(clocks: &Clocks, by: Side, now: BlockNumber) -> Result<Clocks, Reason> {
	let spent = now.saturating_sub(clocks.since);
	let left = clocks.left(by).checked_sub(spent).ok_or(Reason::ClockRanOut)?;
	Ok(match by {
		Side::Defender => Clocks { defender: left, since: now, ..*clocks },
		Side::Challenger => Clocks { challenger: left, since: now, ..*clocks },
	})
}

/// The next phase; `None` if the chosen op has no meaning.
fn advance(phase: &Phase, context: &Context, played: &Move) -> Result<Option<Phase>, Reason> {
	let trace_len = context.program.n_ops.checked_add(1).ok_or(Reason::ProgramEmpty)?;
	let state_len = context.program.n_state.checked_add(1).ok_or(Reason::ProgramEmpty)?;
	let next = match (phase, played) {
		(Phase::StepsReveal(span), Move::Reveal(interior)) => {
			expect_count(interior, points(span.lo, span.hi).len())?;
			Phase::StepsChoose { span: *span, interior: interior.clone() }
		}
		(Phase::StepsChoose { span, interior }, Move::Choose(part)) => choose_steps(span, interior, *part)?.phase(),
		(Phase::TraceReveal(step), Move::RevealTrace { root, post_proof, children }) => {
			reveal_trace(step, *root, post_proof, children, trace_len)?
		}
		(Phase::TraceDescend { trace, node, hash }, Move::Reveal(children)) => {
			let revealed = expect_frontier(TRACE, *node, trace_len, hash, children)?;
			// Eight levels of 16 children reach every leaf that 32 bits number, so the descent is never full.
			let descent = trace.descent.with(revealed).ok_or(Reason::WrongMove)?;
			Phase::TraceChoose(TraceClaim { descent, ..trace.clone() })
		}
		(Phase::TraceChoose(trace), Move::Choose(child)) => {
			let (node, hash) = choose_child(trace.descent.last(), trace_len, *child)?;
			if !node.is_leaf() {
				Phase::TraceDescend { trace: trace.clone(), node, hash }
			} else if node.start == context.program.n_ops {
				Phase::StateReveal { trace: trace.clone(), node: Node::whole(state_len), hash: trace.step.post_root }
			} else {
				return Err(Reason::OpRequired);
			}
		}
		(Phase::TraceChoose(trace), Move::ChooseOp { child, opening }) => {
			let (node, output_root) = choose_child(trace.descent.last(), trace_len, *child)?;
			if !node.is_leaf() || node.start == context.program.n_ops {
				return Err(Reason::WrongMove);
			}
			let Some(geometry) = open_op(context, node.start, opening)? else { return Ok(None) };
			let (chunks, links) = (geometry.output_layout().chunks(), geometry.chain_len());
			let op = OpClaim { trace: trace.clone(), op: node.start, output_root, chunks, links };
			Phase::TensorReveal { op, node: Node::whole(chunks), hash: output_root }
		}
		(Phase::TensorReveal { op, node, hash }, Move::Reveal(children)) => {
			let revealed = expect_frontier(Combiner::Blake3Cv, *node, op.chunks, hash, children)?;
			Phase::TensorChoose { op: op.clone(), revealed }
		}
		(Phase::TensorChoose { op, revealed }, Move::Choose(child)) => {
			let (node, hash) = choose_child(Some(revealed), op.chunks, *child)?;
			if node.is_leaf() {
				let chunk = ChunkClaim { op: op.clone(), chunk: node.start, cv: hash };
				links_phase(chunk, LinkSpan { lo: 0, hi: op.links, before: None, after: None })
			} else {
				Phase::TensorReveal { op: op.clone(), node, hash }
			}
		}
		(Phase::LinksReveal { chunk, span }, Move::Reveal(interior)) => {
			expect_count(interior, points(span.lo.into(), span.hi.into()).len())?;
			Phase::LinksChoose { chunk: chunk.clone(), span: *span, interior: interior.clone() }
		}
		(Phase::LinksChoose { chunk, span, interior }, Move::Choose(part)) => {
			links_phase(chunk.clone(), choose_links(span, interior, *part)?)
		}
		(Phase::StateReveal { trace, node, hash }, Move::Reveal(children)) => {
			let revealed = expect_frontier(STATE, *node, state_len, hash, children)?;
			Phase::StateChoose { trace: trace.clone(), revealed }
		}
		(Phase::StateChoose { trace, revealed }, Move::Choose(child)) => {
			let (node, hash) = choose_child(Some(revealed), state_len, *child)?;
			if node.is_leaf() {
				Phase::Leaf(LeafClaim::State { trace: trace.clone(), index: node.start, hash })
			} else {
				Phase::StateReveal { trace: trace.clone(), node, hash }
			}
		}
		_ => return Err(Reason::WrongMove),
	};
	Ok(Some(next))
}

fn expect_count(hashes: &Points, count: usize) -> Result<(), Reason> {
	if hashes.len() == count {
		Ok(())
	} else {
		Err(Reason::WrongCount)
	}
}

fn expect_frontier(combiner: Combiner, node: Node, n: u32, hash: &Hash, children: &Points) -> Result<Revealed, Reason> {
	expect_count(children, frontier(node, n).len())?;
	match combine_frontier(combiner, node, n, children) {
		Some(combined) if combined == *hash => Ok(Revealed { node, children: children.clone() }),
		_ => Err(Reason::DoesNotRecombine),
	}
}

fn choose_child(revealed: Option<&Revealed>, n: u32, child: u8) -> Result<(Node, Hash), Reason> {
	let Revealed { node, children } = revealed.ok_or(Reason::WrongMove)?;
	let index = usize::from(child);
	let node = frontier(*node, n).get(index).copied().ok_or(Reason::ChoiceOutOfRange)?;
	let hash = children.get(index).copied().ok_or(Reason::ChoiceOutOfRange)?;
	Ok((node, hash))
}

fn reveal_trace(
	step: &StepClaim,
	root: Hash,
	post_proof: &Proof,
	children: &Points,
	trace_len: u32,
) -> Result<Phase, Reason> {
	let node = Node::whole(trace_len);
	let revealed = expect_frontier(TRACE, node, trace_len, &root, children)?;
	let last = Node::leaf(trace_len.saturating_sub(1));
	if !verify_node(TRACE, &root, trace_len, last, &step.post_root, post_proof) {
		return Err(Reason::ProofInvalid);
	}
	let descent = Descent::default().with(revealed).ok_or(Reason::WrongMove)?;
	Ok(Phase::TraceChoose(TraceClaim { step: *step, root, descent }))
}

/// Start and end of part `index` of a range with the given interior points, with its value at the interior ends.
fn choose_part(
	lo: u64,
	hi: u64,
	interior: &Points,
	index: u8,
) -> Result<(u64, u64, Option<Hash>, Option<Hash>), Reason> {
	let ends = points(lo, hi);
	let index = usize::from(index);
	if index > ends.len() || ends.len() != interior.len() {
		return Err(Reason::ChoiceOutOfRange);
	}
	let start = index.checked_sub(1).and_then(|i| Some((*ends.get(i)?, *interior.get(i)?)));
	let end = ends.get(index).copied().zip(interior.get(index).copied());
	Ok((start.map_or(lo, |s| s.0), end.map_or(hi, |e| e.0), start.map(|s| s.1), end.map(|e| e.1)))
}

fn choose_steps(span: &StepSpan, interior: &Points, part: u8) -> Result<StepSpan, Reason> {
	let (lo, hi, before, after) = choose_part(span.lo, span.hi, interior, part)?;
	Ok(StepSpan { lo, hi, lo_root: before.unwrap_or(span.lo_root), hi_root: after.unwrap_or(span.hi_root) })
}

fn choose_links(span: &LinkSpan, interior: &Points, part: u8) -> Result<LinkSpan, Reason> {
	let (lo, hi, before, after) = choose_part(span.lo.into(), span.hi.into(), interior, part)?;
	// Both lie within the span, whose ends are 32-bit.
	Ok(LinkSpan { lo: lo as u32, hi: hi as u32, before: before.or(span.before), after: after.or(span.after) })
}

fn links_phase(chunk: ChunkClaim, span: LinkSpan) -> Phase {
	if span.hi - span.lo == 1 {
		Phase::Leaf(LeafClaim::Link { chunk, span })
	} else {
		Phase::LinksReveal { chunk, span }
	}
}

/// Checks that op `index` of the program is the opened one, and returns its geometry; `None` if it has none.
fn open_op(context: &Context, index: u32, opening: &OpOpening) -> Result<Option<OpGeometry>, Reason> {
	let program = &context.program;
	if opening.encoded_size() > MAX_OP_OPENING {
		return Err(Reason::EvidenceTooLarge);
	}
	if opening.op.index != index || !program.has_op(&opening.op) {
		return Err(Reason::ProofInvalid);
	}
	// What cannot be opened must not protect a claim: an op with too many inputs or an unknown tensor has no meaning.
	let op = &opening.op.item;
	let unknown = |id: TensorId| id.0 >= program.n_tensors;
	if op.inputs.len() > MAX_INPUTS || unknown(op.output) || op.tensor_operands().any(unknown) {
		return Ok(None);
	}
	match program.verify_op(opening) {
		Ok(geometry) => Ok(Some(geometry)),
		Err(ProgramOpeningError::Geometry) => Ok(None),
		Err(_) => Err(Reason::ProofInvalid),
	}
}
