//! What a round stores and what it asks its caller to do.

use crate::{
	interfaces::{VerifierFault, WorkerFault},
	parameters::Parameters,
	BlockNumber, Hash, JobId, MilestoneIndex, Reason, SegmentIndex,
};
use alloc::vec::Vec;
use assay_commitment::{BoundaryOpening, SegmentRange};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// What does not change during a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundContext {
	/// The job.
	pub job: JobId,
	/// The milestone.
	pub milestone: MilestoneIndex,
	/// Its segments.
	pub range: SegmentRange,
	/// State root before its first segment, verified. Known once the previous milestone is verified.
	pub verified_root: Hash,
	/// The job's parameters.
	pub parameters: Parameters,
}

/// The verification of one milestone.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Round<AccountId> {
	/// Root over the milestone's boundaries, as the worker committed it.
	pub root: Hash,
	/// Block of the commitment. The seed is made of the `beacon_blocks` blocks after it.
	pub committed_at: BlockNumber,
	/// Where the round stands.
	pub phase: Phase<AccountId>,
}

/// Where a round stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Phase<AccountId> {
	/// Waits for the beacon's blocks and for the previous milestone. Left by `draw`.
	Committed,
	/// Drawn verifiers fetch, re-execute and commit. Left by the last `commit_blind`, or by `settle` after the window.
	Blind {
		/// Drawn segments, ascending; the milestone's last is always among them.
		segments: Vec<SegmentRound<AccountId>>,
	},
	/// The worker must open the drawn boundaries. Left by `open`, or by `settle` after the window.
	Opening {
		/// Drawn segments.
		segments: Vec<SegmentRound<AccountId>>,
		/// Last block to open in.
		until: BlockNumber,
	},
	/// Verifiers reveal; differing results are disputed. Left by `settle`, or by a verdict against the worker.
	Reveal {
		/// Drawn segments, opened.
		segments: Vec<SegmentRound<AccountId>>,
		/// Last block to reveal in.
		until: BlockNumber,
	},
	/// Every check agreed or lost its dispute. Final.
	Verified {
		/// State root at the end of the milestone.
		state_root: Hash,
	},
	/// The milestone is not verified. Final.
	Failed(Reason),
}

/// The checks of one drawn segment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct SegmentRound<AccountId> {
	/// The segment, counted over the job.
	pub segment: SegmentIndex,
	/// Times verifiers were drawn for it, from 1.
	pub tranche: u32,
	/// Last block to commit in.
	pub until: BlockNumber,
	/// State root before it, once the worker proved it.
	pub pre_root: Option<Hash>,
	/// State root after it, as the worker claims, once opened.
	pub post_root: Option<Hash>,
	/// An on-chain challenge for the pre-state, of this tranche.
	pub challenge: Challenge,
	/// Verifiers that did not commit, of tranches that challenged the worker: replaced, or given up with the last tranche.
	pub refused: u32,
	/// One per verifier, in the order of the draw; replaced ones stay as [`CheckState::Absent`].
	pub checks: Vec<Check<AccountId>>,
}

/// Whether a tranche has challenged the worker to serve the pre-state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum Challenge {
	/// Not in this tranche.
	None,
	/// The worker must answer.
	Open {
		/// Last block to answer in.
		until: BlockNumber,
	},
	/// The worker has answered in this tranche.
	Answered,
}

/// One verifier's check of one segment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Check<AccountId> {
	/// Who checks.
	pub verifier: AccountId,
	/// How far it is.
	pub state: CheckState,
}

/// How far a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum CheckState {
	/// Drawn, nothing heard yet.
	Assigned,
	/// Committed blind.
	Committed {
		/// The blind commitment.
		blind: Hash,
	},
	/// Found what the worker claims.
	Agreed,
	/// Found another state; a dispute runs.
	Disputed {
		/// State root after the segment, as the verifier found.
		found_root: Hash,
	},
	/// Did not commit in time: replaced, not slashed.
	Absent,
	/// Lost its dispute: slashed.
	Lost,
	/// Committed but did not reveal: slashed.
	NotRevealed,
	/// Revealed another pre-state than the worker proved: slashed.
	WrongPreState,
}

impl CheckState {
	/// Whether the check's bond is still locked.
	pub const fn is_live(&self) -> bool {
		matches!(
			self,
			CheckState::Assigned | CheckState::Committed { .. } | CheckState::Agreed | CheckState::Disputed { .. }
		)
	}
}

/// The worker's opening of one drawn segment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct SegmentOpening {
	/// The boundary before the segment; `None` exactly for the milestone's first segment, whose pre-state is verified.
	pub pre: Option<BoundaryOpening>,
	/// The boundary after it.
	pub post: BoundaryOpening,
}

/// New verifiers for a segment whose earlier ones were absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement<AccountId> {
	/// The segment.
	pub segment: SegmentIndex,
	/// Tranche that they are drawn for; goes into the seed.
	pub tranche: u32,
	/// How many are needed: as many as are missing, and one more where these were not served. Fewer will do.
	pub count: u32,
	/// Who must not be drawn: everybody who was drawn for this segment before.
	pub exclude: Vec<AccountId>,
}

/// What the caller has to do after a transition, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect<AccountId> {
	/// Reserve the bond of one check.
	LockCheck(AccountId),
	/// Free one check; an honest one raises reputation.
	ReleaseCheck {
		/// The verifier.
		verifier: AccountId,
		/// Whether its result counted.
		honest: bool,
	},
	/// Slash the bond of one check.
	SlashCheck {
		/// The verifier.
		verifier: AccountId,
		/// For what.
		fault: VerifierFault,
		/// Whether the worker it accused gets the challenger's part.
		to_worker: bool,
	},
	/// Note an absence. The check has been released before.
	NoteAbsence(AccountId),
	/// Open a dispute.
	Accuse {
		/// The segment.
		segment: SegmentIndex,
		/// The verifier.
		challenger: AccountId,
		/// State root before the segment, agreed.
		pre_root: Hash,
		/// State root after it, claimed.
		claimed_root: Hash,
		/// State root after it, found.
		found_root: Hash,
	},
	/// The milestone is verified: pay it, and one fee to each entry.
	Verified {
		/// State root at its end.
		state_root: Hash,
		/// One entry per honest check.
		checkers: Vec<AccountId>,
	},
	/// The worker is proven at fault: slash its collateral, pay one fee to each entry, dismiss other disputes of the lease.
	WorkerFault {
		/// For what.
		fault: WorkerFault,
		/// Who proved it.
		challenger: Option<AccountId>,
		/// One entry per honest check.
		checkers: Vec<AccountId>,
	},
	/// The lease ends without a proven fault, for this reason.
	LeaseFailed(Reason),
}

impl<AccountId> Phase<AccountId> {
	/// The drawn segments; none before the draw and after the end.
	pub fn segments(&self) -> &[SegmentRound<AccountId>] {
		match self {
			Phase::Blind { segments } | Phase::Opening { segments, .. } | Phase::Reveal { segments, .. } => segments,
			Phase::Committed | Phase::Verified { .. } | Phase::Failed(_) => &[],
		}
	}

	/// Whether the round is over.
	pub const fn is_final(&self) -> bool {
		matches!(self, Phase::Verified { .. } | Phase::Failed(_))
	}
}

impl<AccountId> SegmentRound<AccountId> {
	/// Checks that take part: drawn and not replaced.
	pub(super) fn active(&self) -> impl Iterator<Item = &Check<AccountId>> {
		self.checks.iter().filter(|check| check.state != CheckState::Absent)
	}

	/// Checks that are neither committed nor replaced.
	pub(super) fn missing(&self) -> usize {
		self.checks.iter().filter(|check| check.state == CheckState::Assigned).count()
	}

	/// Whether a check is neither committed nor replaced.
	pub fn is_missing(&self) -> bool {
		self.missing() > 0
	}

	/// Checks that are committed and not revealed yet.
	fn committed(&self) -> u32 {
		self.checks.iter().filter(|check| matches!(check.state, CheckState::Committed { .. })).count() as u32
	}

	/// Whether the segment is given up: nobody is asked any more, and nobody has committed, or no more than were refused. A
	/// worker that serves only its friends needs more of them than it refuses others.
	pub fn is_unchecked(&self) -> bool {
		self.missing() == 0 && self.committed() <= self.refused
	}

	/// Whether most of all who were drawn were refused: then it costs the worker that nobody could check.
	pub(super) fn mostly_refused(&self) -> bool {
		u64::from(self.refused).saturating_mul(2) > self.checks.len() as u64
	}
}
