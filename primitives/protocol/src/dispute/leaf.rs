//! The end of a dispute: the referee executes the leaf.

use super::state::{Context, DisputeState, Ground, LeafClaim, Outcome, Side};
use crate::Reason;
use assay_referee::{judge, Evidence, EvidenceError, MicroClaim, Target, Verdict};
use codec::Encode;

/// Largest evidence, bytes.
pub const MAX_EVIDENCE: usize = 160 << 10;

/// Why evidence was not ruled on. The dispute has not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleError {
	/// The dispute is not at its leaf yet.
	NotAtLeaf,
	/// The evidence is above [`MAX_EVIDENCE`].
	TooLarge,
	/// The referee rejected the evidence.
	Rejected(EvidenceError),
}

impl RuleError {
	/// The reason to show.
	pub const fn reason(&self) -> Reason {
		match self {
			RuleError::NotAtLeaf => Reason::WrongPhase,
			RuleError::TooLarge => Reason::EvidenceTooLarge,
			RuleError::Rejected(_) => Reason::EvidenceInvalid,
		}
	}
}

/// Executes the leaf on `evidence`, which anyone may submit. The claimed bits or a loss for the defender.
pub fn rule(state: &DisputeState, context: &Context, evidence: &Evidence) -> Result<Outcome, RuleError> {
	let leaf = state.leaf().ok_or(RuleError::NotAtLeaf)?;
	if evidence.encoded_size() > MAX_EVIDENCE {
		return Err(RuleError::TooLarge);
	}
	let winner = match judge(&leaf.micro_claim(context), evidence).map_err(RuleError::Rejected)? {
		Verdict::Upheld => Side::Defender,
		Verdict::Refuted(_) => Side::Challenger,
	};
	Ok(Outcome { winner, ground: Ground::Ruled })
}

impl LeafClaim {
	/// The claim as the referee takes it.
	pub fn micro_claim(&self, context: &Context) -> MicroClaim {
		let target = match self {
			LeafClaim::Link { chunk, span } => Target::Micro {
				op: chunk.op.op,
				chunk: chunk.chunk,
				link: span.lo,
				previous: span.before,
				claimed: span.after.unwrap_or(chunk.cv),
			},
			LeafClaim::State { index, hash, .. } => Target::StateLeaf { index: *index, claimed: *hash },
		};
		let trace = self.trace();
		MicroClaim {
			program_root: context.program.root(),
			step: trace.step.step,
			pre_state_root: trace.step.pre_root,
			trace_root: trace.root,
			target,
		}
	}
}
