//! Records of the market. They know nothing of the pallet's configuration.

use crate::{
	interfaces::SlashSplit, parameters::Parameters, reason::Reason, Balance, BlockNumber, Hash, JobId, MilestoneIndex,
};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Most bids an order holds.
pub const MAX_BIDS: u32 = 32;
/// Most leases a job gets; then it is closed.
pub const MAX_ATTEMPTS: u32 = 8;
/// Claims by different workers that the program cannot be run that close a job: a run is deterministic, so a second worker
/// that reports a fault of the program confirms the first.
pub const PROGRAM_CLAIMS: u32 = 2;

/// An offer to do what is left of a job.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Bid<AccountId> {
	/// Who offers.
	pub worker: AccountId,
	/// For how much in all.
	pub price: Balance,
	/// When.
	pub at: BlockNumber,
}

/// A job up for auction.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Order<AccountId> {
	/// Start of the bidding window or of the ramp.
	pub opened_at: BlockNumber,
	/// Bids, in the order they came; each has a deposit on hold.
	pub bids: BoundedVec<Bid<AccountId>, ConstU32<MAX_BIDS>>,
}

/// A job being executed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Lease<AccountId> {
	/// Who works.
	pub worker: AccountId,
	/// Price of the milestones from `first_milestone` on.
	pub price: Balance,
	/// Part of the price already paid.
	pub paid: Balance,
	/// Reserved in the worker's bond.
	pub collateral: Balance,
	/// First milestone of this lease.
	pub first_milestone: MilestoneIndex,
	/// When the lease began.
	pub since: BlockNumber,
	/// Last block in which the worker showed progress.
	pub progress_at: BlockNumber,
}

/// How a job ended. With the job's [`Account`] this is the receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Closing {
	/// Why it ended.
	pub reason: Reason,
	/// When.
	pub at: BlockNumber,
}

/// What a job is doing.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum JobState<AccountId> {
	/// Bids are taken. Left by `bid` (ramp), `close_auction`, `cancel_job`, `expire`.
	Order(Order<AccountId>),
	/// A worker has the lease. Left by the last verified milestone, a fault, `fail_job`, `cancel_job`, `declare_absent`, `expire`.
	Running(Lease<AccountId>),
	/// Over; no money is on hold. Left by `forget_job`.
	Closed(Closing),
}

/// What a worker did for a job and got for it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Share<AccountId> {
	/// Who.
	pub worker: AccountId,
	/// Verified milestones of this lease.
	pub milestones: u32,
	/// Money received.
	pub paid: Balance,
	/// Why the lease ended; `None` while it runs.
	pub ended: Option<Reason>,
}

/// Every coin of a job. What came in equals what is on hold plus what went out:
/// `escrowed + topped_up == price_left + fees_left + paid + fees_paid + fees_burned + refunded`.
#[derive(
	Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Account {
	/// Put on hold at posting: greatest price and verification budget.
	pub escrowed: Balance,
	/// Put on hold later: the client's part of slashes that pays for verifying again.
	pub topped_up: Balance,
	/// On hold for workers.
	pub price_left: Balance,
	/// On hold for verifiers.
	pub fees_left: Balance,
	/// Order deposit on hold; 0 once returned or burned.
	pub deposit: Balance,
	/// Paid to workers.
	pub paid: Balance,
	/// Paid to verifiers.
	pub fees_paid: Balance,
	/// Released to the client at the close.
	pub refunded: Balance,
	/// Order deposit burned at cancellation.
	pub deposit_burned: Balance,
	/// Fees burned for verifiers that were drawn and never heard of.
	pub fees_burned: Balance,
	/// Taken from workers' bonds over this job. Not part of the escrow.
	pub slashed: SlashSplit,
}

impl Account {
	/// Money of the client on hold as escrow.
	pub const fn escrow(&self) -> Balance {
		self.price_left.saturating_add(self.fees_left)
	}

	/// Whether every coin is where the fields say.
	pub fn balances(&self) -> bool {
		let came = self.escrowed.checked_add(self.topped_up);
		let went = self
			.escrow()
			.checked_add(self.paid)
			.and_then(|sum| sum.checked_add(self.fees_paid))
			.and_then(|sum| sum.checked_add(self.fees_burned))
			.and_then(|sum| sum.checked_add(self.refunded));
		came.is_some() && came == went
	}
}

/// How far the verified work has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Verified {
	/// Verified milestones: also the index of the next one.
	pub milestones: u32,
	/// State root that they end in; the initial root before the first.
	pub root: Hash,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Job<AccountId> {
	/// Who pays.
	pub client: AccountId,
	/// Parameters that hold for this job whatever governance does later.
	pub parameters: Parameters,
	/// When it was posted.
	pub posted_at: BlockNumber,
	/// Last block in which it may run.
	pub deadline: BlockNumber,
	/// Segments of the whole job.
	pub segments: u32,
	/// Milestones of the whole job.
	pub milestones: u32,
	/// Leases before the current one.
	pub attempt: u32,
	/// Leases that ended with the claim that the program or its data cannot be run.
	pub client_faults: u32,
	/// Whether the client has asked for the end while milestones were undecided: it comes when they are decided.
	pub cancelling: bool,
	/// How far the verified work has come.
	pub verified: Verified,
	/// Every coin of it.
	pub account: Account,
	/// One entry per lease.
	pub shares: BoundedVec<Share<AccountId>, ConstU32<MAX_ATTEMPTS>>,
	/// What it is doing.
	pub state: JobState<AccountId>,
}

/// Reasons that say the job itself cannot be run.
pub const fn blames_client(reason: Reason) -> bool {
	matches!(reason, Reason::ProgramUnavailable | Reason::ProgramMismatch | Reason::NonFinite | Reason::OutOfMemory)
}

impl<AccountId: PartialEq> Job<AccountId> {
	/// Whether earlier leases of this job bar `worker` from it: one that blamed the client (a second claim must come from
	/// someone else), gave up without a milestone, served nobody, or was at fault; or two that were absent without a
	/// milestone. One absence bars nobody: power cuts happen.
	pub fn bars(&self, worker: &AccountId) -> bool {
		let mut absences = 0u32;
		let own = self.shares.iter().filter(|share| share.worker == *worker);
		for share in own {
			let barred = match share.ended {
				Some(Reason::GaveUp) => share.milestones == 0,
				Some(Reason::Absent) => {
					absences = absences.saturating_add(u32::from(share.milestones == 0));
					absences > 1
				}
				Some(Reason::LostDispute | Reason::NotOpened | Reason::NotServed | Reason::Unserved) => true,
				Some(reason) => blames_client(reason),
				None => false,
			};
			if barred {
				return true;
			}
		}
		false
	}
}

/// What `assay receipt` shows of a closed job.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Receipt<AccountId> {
	/// The job.
	pub job: JobId,
	/// Who paid.
	pub client: AccountId,
	/// Hash of the SCALE-encoded specification.
	pub spec_hash: Hash,
	/// Why it ended.
	pub reason: Reason,
	/// The reason's stable code.
	pub code: u16,
	/// When it ended.
	pub closed_at: BlockNumber,
	/// State root after the last verified milestone.
	pub result_root: Hash,
	/// Verified milestones.
	pub verified_milestones: u32,
	/// Milestones of the whole job.
	pub milestones: u32,
	/// Who worked, and what each got.
	pub shares: alloc::vec::Vec<Share<AccountId>>,
	/// Every coin.
	pub account: Account,
}
