//! What a round stores and what it asks its caller to do.

use crate::{
	economics::PPM,
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
	/// Last block in which the job may run.
	pub deadline: BlockNumber,
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
	/// The seed is fixed, and too few verifiers are ready for a fair draw. Left by `draw`, or by `settle` after the job's deadline
	/// and [`Round::draw_until`]: no sooner, or a cheat could keep verifiers busy until a seed that draws its lie has passed.
	Waiting,
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
	/// Verifiers that reported they were not served, did not commit, and are replaced or given up.
	pub refused: u32,
	/// Seats of later tranches for which there was nobody to draw.
	pub unfilled: u32,
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
	/// Whether it has reported that it is not served.
	pub reported: bool,
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
		matches!(self, CheckState::Assigned | CheckState::Committed { .. } | CheckState::Disputed { .. })
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
	/// How many are needed: as many as are missing, and one more where the worker was challenged; or those by which the
	/// refused outweigh the committed. Fewer will do.
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
	/// The lease ends without a proven fault.
	LeaseFailed {
		/// Why.
		reason: Reason,
		/// How much more of those drawn for a segment were refused than answered, parts per million; 0 but for
		/// [`Reason::Unserved`].
		unserved_ppm: u32,
		/// Seats of segments that stayed unchecked, whose verifiers neither answered nor reported.
		idle_seats: u32,
		/// One entry per check that agreed: it is paid as far as the fees go.
		checkers: Vec<AccountId>,
	},
}

impl<AccountId> Phase<AccountId> {
	/// The drawn segments; none before the draw and after the end.
	pub fn segments(&self) -> &[SegmentRound<AccountId>] {
		match self {
			Phase::Blind { segments } | Phase::Opening { segments, .. } | Phase::Reveal { segments, .. } => segments,
			Phase::Committed | Phase::Waiting | Phase::Verified { .. } | Phase::Failed(_) => &[],
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

	/// Checks that were committed, whatever became of them since.
	pub(super) fn answered(&self) -> u32 {
		let waiting = |state: &CheckState| matches!(state, CheckState::Assigned | CheckState::Absent);
		self.checks.iter().filter(|check| !waiting(&check.state)).count() as u32
	}

	/// Whether nobody is missing, and yet no more have committed than were refused: a worker that serves only its friends
	/// needs more of them than it refuses others.
	pub(super) fn is_outweighed(&self) -> bool {
		self.missing() == 0 && self.answered() <= self.refused
	}

	/// Whether nobody else is waited for or asked: nobody is missing, and if the segment is outweighed it stays so.
	pub fn is_settled(&self, parameters: &Parameters) -> bool {
		self.missing() == 0 && (!self.is_outweighed() || self.tranche >= parameters.max_tranches)
	}

	/// Seats whose verifiers neither answered nor reported that they are not served.
	pub(super) fn idle_seats(&self) -> u32 {
		let waiting = |state: &CheckState| matches!(state, CheckState::Assigned | CheckState::Absent);
		self.checks.iter().filter(|check| !check.reported && waiting(&check.state)).count() as u32
	}

	/// By how much those refused outweigh those who answered, of all who were drawn or would have been, parts per million. A tie
	/// counts as one more that was refused: friends enough for a tie must not be a cheap way out.
	pub(super) fn unserved_ppm(&self) -> u32 {
		let tie = self.refused > 0 && self.refused == self.answered();
		let excess = u64::from(self.refused.saturating_sub(self.answered())).saturating_add(tie.into());
		let seats = (self.checks.len() as u64).saturating_add(self.unfilled.into());
		let part = excess.saturating_mul(PPM.into()).checked_div(seats);
		// At most a million.
		part.unwrap_or(0) as u32
	}
}
