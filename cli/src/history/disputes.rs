//! Events of disputes.

use super::{Happening, Reader};
use assay_agent::{
	chain::ChainEvent,
	keys::{address, Account},
	ChainError,
};
use assay_protocol::{
	dispute::{ChunkClaim, LeafClaim, Outcome, Phase, Side},
	records::disputes::LeafKind,
	BlockNumber, JobId, MilestoneIndex, Reason, SegmentIndex,
};
use codec::Compact;

/// Fields of the event `Disputes.Ended`: dispute, job, milestone, segment, outcome, reason, moves, bytes, leaf; the last is the weight charged for the referee.
pub type DisputeEnded = (
	u64,
	JobId,
	MilestoneIndex,
	SegmentIndex,
	Outcome,
	Reason,
	u32,
	u32,
	Option<LeafKind>,
	(Compact<u64>, Compact<u64>),
);

impl Reader {
	/// What an event of a dispute says about the job.
	pub(super) fn dispute(&mut self, event: &ChainEvent) -> Result<Option<Happening>, ChainError> {
		Ok(match event.name.as_str() {
			"Opened" => {
				type Opened = (u64, JobId, u32, MilestoneIndex, SegmentIndex, Account, Account);
				let (dispute, job, _, milestone, segment, worker, verifier): Opened = event.decode()?;
				(job == self.job).then(|| {
					self.disputes.insert(dispute);
					let (worker, verifier) = (address(&worker), address(&verifier));
					Happening::DisputeOpened { dispute, milestone, segment, worker, verifier }
				})
			}
			"Moved" => {
				let (dispute, moves, to_move, deadline): (u64, u32, Side, BlockNumber) = event.decode()?;
				self.disputes.contains(&dispute).then(|| Happening::DisputeMoved {
					dispute,
					moves,
					waits_for: side(to_move),
					at: String::new(),
					deadline: deadline.into(),
				})
			}
			"Ended" => {
				let (dispute, job, milestone, segment, outcome, reason, moves, bytes, leaf, _): DisputeEnded =
					event.decode()?;
				(job == self.job).then(|| Happening::DisputeEnded {
					dispute,
					milestone,
					segment,
					winner: side(outcome.winner),
					reason: reason.into(),
					leaf: leaf.map(|leaf| match leaf {
						LeafKind::Op(kind) => format!("{kind:?}"),
						LeafKind::StateAssembly => "state".into(),
					}),
					moves,
					bytes,
				})
			}
			"Dismissed" => {
				let dispute: u64 = event.decode()?;
				self.disputes.contains(&dispute).then_some(Happening::DisputeDismissed { dispute })
			}
			_ => None,
		})
	}
}

const fn side(side: Side) -> &'static str {
	match side {
		Side::Defender => "worker",
		Side::Challenger => "verifier",
	}
}

/// How far the dispute has narrowed.
pub(super) fn describe(phase: &Phase) -> String {
	match phase {
		Phase::StepsReveal(span) | Phase::StepsChoose { span, .. } => format!("steps {}..{}", span.lo, span.hi),
		Phase::TraceReveal(step) => format!("step {}", step.step),
		Phase::TraceChoose(trace) | Phase::TraceDescend { trace, .. } => format!("step {}, ops", trace.step.step),
		Phase::TensorReveal { op, .. } | Phase::TensorChoose { op, .. } => {
			format!("step {}, op {}", op.trace.step.step, op.op)
		}
		Phase::LinksReveal { chunk, .. } | Phase::LinksChoose { chunk, .. } => chunk_place(chunk),
		Phase::StateReveal { trace, .. } | Phase::StateChoose { trace, .. } => {
			format!("step {}, state after it", trace.step.step)
		}
		Phase::Leaf(LeafClaim::State { trace, .. }) => {
			format!("step {}, one leaf of the state after it", trace.step.step)
		}
		Phase::Leaf(LeafClaim::Link { .. }) => "one micro-operation".into(),
	}
}

fn chunk_place(chunk: &ChunkClaim) -> String {
	format!("step {}, op {}, chunk {}", chunk.op.trace.step.step, chunk.op.op, chunk.chunk)
}
