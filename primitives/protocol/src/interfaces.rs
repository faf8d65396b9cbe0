//! The only ways one pallet reaches another. Each trait is implemented by one pallet and used by its neighbours.
//!
//! `operators` knows who may work and holds their bonds; `market` knows jobs, leases and escrow; `verification` knows
//! milestones; `disputes` rules. Calls go: market -> operators; verification -> market, operators, disputes;
//! disputes -> verification (the verdict).

use crate::{
	job::JobSpec, parameters::Parameters, Balance, BlockNumber, Hash, JobId, MilestoneIndex, Reason, SegmentIndex,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Why a worker is at fault. Each is proven by the referee or by an objective rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum WorkerFault {
	/// The referee refuted a micro-operation, or the worker's clock in a dispute ran out.
	LostDispute,
	/// A drawn boundary was not opened in time.
	NotOpened,
	/// A drawn pre-state was not served in time after an on-chain challenge.
	NotServed,
}

/// Why a verifier is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum VerifierFault {
	/// The referee upheld the worker, or the verifier's clock in a dispute ran out: the whole bond at stake in the check.
	LostDispute,
	/// Committed blind, then did not reveal.
	NotRevealed,
	/// Revealed a pre-state root that is not the one the worker's boundary opens to.
	WrongPreState,
}

/// A running lease, as the neighbours of `market` see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseView<AccountId> {
	/// Who works.
	pub worker: AccountId,
	/// Who pays.
	pub client: AccountId,
	/// How many leases this job had before this one.
	pub attempt: u32,
	/// The order.
	pub spec: JobSpec,
	/// Parameters that held when the job was posted.
	pub parameters: Parameters,
	/// First milestone not yet verified.
	pub next_milestone: MilestoneIndex,
	/// State root at the start of that milestone: of the last verified one, or the initial root.
	pub verified_root: Hash,
	/// Milestones of the whole job.
	pub milestones: u32,
	/// Segments of the whole job.
	pub segments: u32,
	/// Last block in which a milestone may be committed.
	pub deadline: BlockNumber,
	/// Whether the client has asked for the end: nothing more may be committed.
	pub cancelling: bool,
}

/// Implemented by `market`.
pub trait Leases<AccountId> {
	/// Error of the implementing pallet.
	type Error;

	/// The running lease of a job, if there is one.
	fn lease(job: JobId) -> Option<LeaseView<AccountId>>;

	/// Current parameters.
	fn parameters() -> Parameters;

	/// The worker showed progress (committed a milestone): its absence clock starts anew.
	fn progressed(job: JobId);

	/// Milestone `index` (the next one) is verified and ends in `state_root`: pays the worker its share and `fee_per_check`
	/// to each entry of `checkers` (an account appears once per honest check). The last milestone settles the job.
	fn milestone_verified(
		job: JobId,
		index: MilestoneIndex,
		state_root: Hash,
		checkers: &[AccountId],
	) -> Result<(), Self::Error>;

	/// The worker is proven at fault: slashes its collateral (client first, `challenger` its part, the rest burned), pays
	/// honest `checkers` of the failed milestone their fee, ends the lease and puts the order up again from the last
	/// verified milestone.
	fn worker_fault(
		job: JobId,
		fault: WorkerFault,
		challenger: Option<&AccountId>,
		checkers: &[AccountId],
	) -> Result<(), Self::Error>;

	/// The lease ends without anyone's proven fault, and the order goes up again. Collateral returns, less what the reason
	/// forfeits: see [`forfeit`](crate::economics::forfeit), which takes `unserved_ppm`. Honest `checkers` of the failed
	/// milestone are paid their fee as far as what verifying the rest needs leaves it. For each of
	/// `idle_seats` a fee burns: bonds were kept busy, and nobody was paid for it. The worker bears it for [`Reason::Unserved`]; else
	/// the client, as far as the fees of one milestone go with what is paid.
	fn lease_failed(
		job: JobId,
		reason: Reason,
		unserved_ppm: u32,
		idle_seats: u32,
		checkers: &[AccountId],
	) -> Result<(), Self::Error>;
}

/// Implemented by `verification`: what `market` must know before it lets a lease end without a verdict.
pub trait Rounds {
	/// Whether a milestone that this attempt committed is neither verified nor failed yet. While it is so the lease and its
	/// collateral stay, or a worker could leave between being drawn and being caught. Ends in bounded time.
	fn undecided(job: JobId, attempt: u32) -> bool;
}

/// Nothing is ever committed.
impl Rounds for () {
	fn undecided(_: JobId, _: u32) -> bool {
		false
	}
}

/// What a slash came to.
#[derive(
	Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct SlashSplit {
	/// Given to the client.
	pub client: Balance,
	/// Given to the challenger.
	pub challenger: Balance,
	/// Burned.
	pub burned: Balance,
}

/// Implemented by `operators`.
pub trait Operators<AccountId> {
	/// Error of the implementing pallet.
	type Error;

	/// Whether `who` may bid with `collateral` free in its bond; the error says why not.
	fn can_work(who: &AccountId, collateral: Balance) -> Result<(), Self::Error>;

	/// Whether `who` is a worker that takes work, however much it has to do already: one that left, drains, is jailed or was
	/// absent too often does not.
	fn takes_work(who: &AccountId) -> bool;

	/// Reserves `amount` of the worker's bond for `job` and makes it busy.
	fn lock_collateral(who: &AccountId, job: JobId, amount: Balance) -> Result<(), Self::Error>;

	/// Frees what is reserved for `job`, after burning up to `forfeit` of it; returns what was burned. `success` raises the
	/// worker's reputation.
	fn release_collateral(who: &AccountId, job: JobId, success: bool, forfeit: Balance) -> Balance;

	/// Takes all that is reserved for `job`: up to `client_cap` to the client (never above a quarter), a quarter to the challenger, the
	/// rest burned; jails the worker.
	fn slash_collateral(
		who: &AccountId,
		job: JobId,
		client: &AccountId,
		client_cap: Balance,
		challenger: Option<&AccountId>,
	) -> SlashSplit;

	/// Draws up to `count` distinct ready verifiers, stake-weighted, by `seed`, none of `exclude`. Only bonds that have not
	/// grown after block `at` count: whoever knows the seed can no longer place himself. Fewer when there are not enough.
	fn draw_verifiers(seed: &Hash, at: BlockNumber, count: u32, exclude: &[AccountId]) -> Vec<AccountId>;

	/// Bond of all verifiers that take work.
	fn bond_at_work() -> Balance;

	/// Whether enough verifiers are ready for a draw to be fair: [`draw_is_fair`](crate::economics::draw_is_fair). Ready are
	/// those that could be drawn: old as of block `at` and not `barred`. Who is `checking` already what is drawn for counts on
	/// neither side. `before` is a [`Self::bond_at_work`] of earlier that counts too: who has sent others away since
	/// gains nothing by it.
	fn is_fair(at: BlockNumber, before: Balance, barred: &[AccountId], checking: &[AccountId]) -> bool;

	/// Reserves part of a verifier's bond while a check of it is pending; counted per check.
	fn lock_check(who: &AccountId) -> Result<(), Self::Error>;

	/// Frees one check; `honest` raises the verifier's reputation.
	fn release_check(who: &AccountId, honest: bool);

	/// Slashes the part of the bond that one check reserves; a quarter to `beneficiary`, the rest burned. Frees the check.
	fn slash_check(who: &AccountId, fault: VerifierFault, beneficiary: Option<&AccountId>) -> SlashSplit;

	/// Notes an absence: reputation falls; after three in a row the operator is Unresponsive until it says it is ready.
	fn note_absence(who: &AccountId);

	/// Registers a worker with this bond for a benchmark of another pallet.
	#[cfg(feature = "runtime-benchmarks")]
	fn enlist(who: &AccountId, bond: Balance);
}

/// One accusation: a verifier's result differs from the boundary the worker opened.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Accusation<AccountId> {
	/// The job.
	pub job: JobId,
	/// The lease's attempt number.
	pub attempt: u32,
	/// The milestone.
	pub milestone: MilestoneIndex,
	/// The segment, counted over the whole job.
	pub segment: SegmentIndex,
	/// The worker.
	pub defender: AccountId,
	/// The verifier.
	pub challenger: AccountId,
	/// State root before the segment, agreed.
	pub pre_root: Hash,
	/// State root after it, as the worker claims.
	pub claimed_root: Hash,
	/// State root after it, as the verifier found.
	pub found_root: Hash,
}

/// Implemented by `disputes`.
pub trait Court<AccountId> {
	/// Error of the implementing pallet.
	type Error;

	/// Opens a dispute; the defender is to move.
	fn open(accusation: Accusation<AccountId>) -> Result<u64, Self::Error>;

	/// Ends every open dispute about this job's attempt without a verdict: the matter is decided elsewhere.
	fn dismiss(job: JobId, attempt: u32);
}

/// Implemented by `verification`: hears the verdicts.
pub trait OnVerdict<AccountId> {
	/// The dispute about a segment ended; `worker_lost` tells who. Slashing is done by the receiver.
	fn verdict(
		job: JobId,
		attempt: u32,
		milestone: MilestoneIndex,
		segment: SegmentIndex,
		challenger: &AccountId,
		worker_lost: bool,
	);
}

/// Randomness of recent blocks, implemented by `verification` over BABE's author VRF outputs.
pub trait Beacon {
	/// VRF output of the author of `block`, if it is still kept.
	fn vrf_of(block: BlockNumber) -> Option<Hash>;
}
