//! What a dispute stores and the moves it takes.

use crate::{bounded::Bounded, BlockNumber, Hash, Reason};
use alloc::vec::Vec;
use assay_commitment::{
	tree::{FRONTIER_WIDTH, MAX_PROOF},
	Node,
};
use assay_program::commitment::{OpOpening, ProgramCommitment};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Most parts a range or a tree node is split into by one reveal.
pub(super) const ARITY: u32 = FRONTIER_WIDTH as u32;

/// Revealed hashes: the frontier of a tree node, or the interior points of a range.
pub type Points = Bounded<Hash, ARITY>;

/// Sibling hashes of a Merkle proof.
pub type Proof = Bounded<Hash, { MAX_PROOF as u32 }>;

/// Frontiers on the way from the top of a tree down, the deepest last.
pub type Descent = Bounded<Revealed, 8>;

/// A side of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Side {
	/// The worker, who claims a result.
	Defender,
	/// The verifier, who found another.
	Challenger,
}

impl Side {
	/// The other side.
	pub const fn opponent(self) -> Self {
		match self {
			Side::Defender => Side::Challenger,
			Side::Challenger => Side::Defender,
		}
	}
}

/// What a dispute is about. It does not change while the dispute runs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Context {
	/// The job's program.
	pub program: ProgramCommitment,
	/// First step of the segment.
	pub first_step: u64,
	/// One past the last step of the segment.
	pub end_step: u64,
	/// State root before the segment, agreed.
	pub pre_root: Hash,
	/// State root after it, as the defender claims.
	pub post_root: Hash,
	/// Total block budget of each side.
	pub clock: BlockNumber,
}

/// Remaining block budgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Clocks {
	/// Left to the defender, before the current move.
	pub defender: BlockNumber,
	/// Left to the challenger, before the current move.
	pub challenger: BlockNumber,
	/// Block at which the side to move got the turn.
	pub since: BlockNumber,
}

/// Steps whose result is disputed, more than one: the states before `lo` agree, those before `hi` differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct StepSpan {
	/// First disputed step.
	pub lo: u64,
	/// One past the last.
	pub hi: u64,
	/// State root before step `lo`, agreed.
	pub lo_root: Hash,
	/// State root after step `hi - 1`, claimed.
	pub hi_root: Hash,
}

/// One disputed step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct StepClaim {
	/// The step, counted from 0 over the job.
	pub step: u64,
	/// State root before it, agreed.
	pub pre_root: Hash,
	/// State root after it, claimed.
	pub post_root: Hash,
}

/// A node and the hashes of its frontier.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Revealed {
	/// The node.
	pub node: Node,
	/// Its frontier, left to right.
	pub children: Points,
}

/// The defender's trace of the disputed step.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct TraceClaim {
	/// The step.
	pub step: StepClaim,
	/// Root over the op outputs and the post state.
	pub root: Hash,
	/// What was revealed of the trace: with the leaves left of the disputed one, enough to prove each of those.
	pub descent: Descent,
}

/// One disputed op of the trace; every earlier output is agreed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct OpClaim {
	/// The trace.
	pub trace: TraceClaim,
	/// Index of the op.
	pub op: u32,
	/// Tensor root of its output, claimed.
	pub output_root: Hash,
	/// Chunks of the output, at least 2.
	pub chunks: u32,
	/// Links of each chunk's chain, at least 1.
	pub links: u32,
}

/// One disputed chunk of an op's output.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct ChunkClaim {
	/// The op.
	pub op: OpClaim,
	/// The chunk.
	pub chunk: u32,
	/// Its chaining value, claimed.
	pub cv: Hash,
}

/// Links of a chunk's chain whose result is disputed: what enters link `lo` agrees, what leaves link `hi - 1` differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct LinkSpan {
	/// First disputed link.
	pub lo: u32,
	/// One past the last.
	pub hi: u32,
	/// Accumulator hash that enters link `lo`, agreed; `None` at the chain's start.
	pub before: Option<Hash>,
	/// Accumulator hash that leaves link `hi - 1`, claimed; `None` at the chain's end, where the chunk itself is claimed.
	pub after: Option<Hash>,
}

/// What the referee rules on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum LeafClaim {
	/// One link of one chunk.
	Link {
		/// The chunk.
		chunk: ChunkClaim,
		/// The link: `hi == lo + 1`.
		span: LinkSpan,
	},
	/// One leaf of the state after the step, which follows from the state before it and the step's outputs.
	State {
		/// The trace, which ends in the state root.
		trace: TraceClaim,
		/// Position of the leaf: 0 is the meta data, `i` the parameter or state tensor `i - 1`.
		index: u32,
		/// Its hash, claimed.
		hash: Hash,
	},
}

impl LeafClaim {
	/// The trace of the step.
	pub const fn trace(&self) -> &TraceClaim {
		match self {
			LeafClaim::Link { chunk, .. } => &chunk.op.trace,
			LeafClaim::State { trace, .. } => trace,
		}
	}
}

/// Where a dispute stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Phase {
	/// Defender: [`Move::Reveal`] the state roots at the interior [`points`] of the span.
	StepsReveal(StepSpan),
	/// Challenger: [`Move::Choose`] the first part whose end differs.
	StepsChoose {
		/// The span.
		span: StepSpan,
		/// State roots at the interior points.
		interior: Points,
	},
	/// Defender: [`Move::RevealTrace`].
	TraceReveal(StepClaim),
	/// Challenger: [`Move::Choose`] the first child that differs, or [`Move::ChooseOp`] if it is the leaf of an op.
	/// The children are the last of the descent.
	TraceChoose(TraceClaim),
	/// Defender: [`Move::Reveal`] the frontier of the chosen node.
	TraceDescend {
		/// The trace.
		trace: TraceClaim,
		/// The chosen node, not a leaf.
		node: Node,
		/// Its hash, claimed.
		hash: Hash,
	},
	/// Defender: [`Move::Reveal`] the frontier of a node of the output tensor's tree.
	TensorReveal {
		/// The op.
		op: OpClaim,
		/// The node, not a leaf.
		node: Node,
		/// Its hash, claimed.
		hash: Hash,
	},
	/// Challenger: [`Move::Choose`] the first child that differs.
	TensorChoose {
		/// The op.
		op: OpClaim,
		/// The node whose frontier was revealed, and the frontier.
		revealed: Revealed,
	},
	/// Defender: [`Move::Reveal`] the accumulator hashes at the interior [`points`] of the span.
	LinksReveal {
		/// The chunk.
		chunk: ChunkClaim,
		/// The disputed links, more than one.
		span: LinkSpan,
	},
	/// Challenger: [`Move::Choose`] the first part whose end differs.
	LinksChoose {
		/// The chunk.
		chunk: ChunkClaim,
		/// The disputed links.
		span: LinkSpan,
		/// Accumulator hashes at the interior points.
		interior: Points,
	},
	/// Anyone may submit evidence to [`super::rule`]; the challenger's clock runs.
	Leaf(LeafClaim),
	/// Defender: [`Move::Reveal`] the frontier of a node of the tree under the state root after the step. Who has claimed a
	/// root of no such tree cannot, and loses by the clock.
	StateReveal {
		/// The trace.
		trace: TraceClaim,
		/// The node.
		node: Node,
		/// Its hash, claimed.
		hash: Hash,
	},
	/// Challenger: [`Move::Choose`] the first child that differs.
	StateChoose {
		/// The trace.
		trace: TraceClaim,
		/// The node whose frontier was revealed, and the frontier.
		revealed: Revealed,
	},
}

impl Phase {
	/// The side whose clock runs.
	pub const fn to_move(&self) -> Side {
		match self {
			Phase::StepsReveal(_)
			| Phase::TraceReveal(_)
			| Phase::TraceDescend { .. }
			| Phase::TensorReveal { .. }
			| Phase::LinksReveal { .. }
			| Phase::StateReveal { .. } => Side::Defender,
			Phase::StepsChoose { .. }
			| Phase::TraceChoose(_)
			| Phase::TensorChoose { .. }
			| Phase::LinksChoose { .. }
			| Phase::StateChoose { .. }
			| Phase::Leaf(_) => Side::Challenger,
		}
	}
}

/// A running dispute.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct DisputeState {
	/// Where it stands.
	pub phase: Phase,
	/// Remaining budgets.
	pub clocks: Clocks,
}

impl DisputeState {
	/// Opens a dispute at block `now`; the defender is to move. Fails if the segment or the program is empty.
	pub fn open(context: &Context, now: BlockNumber) -> Result<Self, Reason> {
		if context.first_step >= context.end_step {
			return Err(Reason::WrongPhase);
		}
		// One leaf more than these has the trace of a step and the tree of a state.
		let counts = [context.program.n_ops, context.program.n_state];
		if counts.into_iter().any(|count| count == 0 || count == u32::MAX) {
			return Err(Reason::ProgramEmpty);
		}
		let span = StepSpan {
			lo: context.first_step,
			hi: context.end_step,
			lo_root: context.pre_root,
			hi_root: context.post_root,
		};
		let clocks = Clocks { defender: context.clock, challenger: context.clock, since: now };
		Ok(Self { phase: span.phase(), clocks })
	}

	/// Block after which [`super::time_out`] ends the dispute against the side to move.
	pub fn deadline(&self) -> BlockNumber {
		self.clocks.since.saturating_add(self.clocks.left(self.phase.to_move()))
	}

	/// What the referee has to rule on, at the leaf.
	pub fn leaf(&self) -> Option<&LeafClaim> {
		match &self.phase {
			Phase::Leaf(claim) => Some(claim),
			_ => None,
		}
	}
}

impl StepSpan {
	/// The phase that narrows this span: by steps, or by the trace if it is a single step.
	pub(super) fn phase(self) -> Phase {
		if self.hi - self.lo == 1 {
			Phase::TraceReveal(StepClaim { step: self.lo, pre_root: self.lo_root, post_root: self.hi_root })
		} else {
			Phase::StepsReveal(self)
		}
	}
}

impl Clocks {
	/// Budget of a side.
	pub const fn left(&self, side: Side) -> BlockNumber {
		match side {
			Side::Defender => self.defender,
			Side::Challenger => self.challenger,
		}
	}
}

/// A move of the side whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Move {
	/// Defender: hashes of a frontier or of interior points, left to right.
	Reveal(Points),
	/// Defender: root of the step's trace, its top frontier, and the proof that its last leaf is the claimed state.
	RevealTrace {
		/// Root of the trace.
		root: Hash,
		/// Siblings of the last leaf, from the leaf up.
		post_proof: Proof,
		/// Hashes of the top frontier.
		children: Points,
	},
	/// Challenger: index of the first part that differs, counted from 0.
	Choose(u8),
	/// Challenger: the same, where the part is the leaf of an op.
	ChooseOp {
		/// Index of the first part that differs.
		child: u8,
		/// The op and the declarations of what it touches, against the program.
		opening: OpOpening,
	},
	/// Either side at any time: gives up.
	Concede,
}

/// Why a dispute ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Ground {
	/// The referee executed the leaf.
	Ruled,
	/// The chosen op has no meaning, so no claim about it can be right.
	Malformed,
	/// The loser's clock ran out.
	TimedOut,
	/// The loser gave up.
	Conceded,
}

/// The end of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Outcome {
	/// Who was right.
	pub winner: Side,
	/// Why it ended.
	pub ground: Ground,
}

impl Outcome {
	/// The reason to show.
	pub const fn reason(&self) -> Reason {
		match (self.ground, self.winner) {
			(Ground::Ruled, Side::Defender) => Reason::Upheld,
			(Ground::Ruled, Side::Challenger) => Reason::Refuted,
			(Ground::Malformed, _) => Reason::ProgramMalformed,
			(Ground::TimedOut, Side::Defender) => Reason::VerifierClockRanOut,
			(Ground::TimedOut, Side::Challenger) => Reason::WorkerClockRanOut,
			(Ground::Conceded, Side::Defender) => Reason::VerifierConceded,
			(Ground::Conceded, Side::Challenger) => Reason::WorkerConceded,
		}
	}
}

/// The ends of the parts that a range of `hi - lo >= 2` is split into, without `lo` and `hi` themselves: ascending,
/// evenly spaced, at most 15. Part `i` runs from point `i - 1` (or `lo`) to point `i` (or `hi`).
pub fn points(lo: u64, hi: u64) -> Vec<u64> {
	let len = u128::from(hi.saturating_sub(lo));
	let parts = len.min(u128::from(ARITY));
	// `len * i / parts < len`, so the sum stays below `hi`.
	(1..parts).map(|i| lo + (len * i / parts) as u64).collect()
}
