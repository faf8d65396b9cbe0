//! The chain's calls by name, with the types that the pallets declare.

use crate::chain::Call;
use assay_commitment::BoundaryOpening;
use assay_protocol::{
	dispute::Move,
	holding::Holding,
	job::JobSpec,
	reason::Reason,
	records::operators::{Capabilities, Contact, Role},
	round::SegmentOpening,
	Balance, Hash, JobId, MilestoneIndex, SegmentIndex,
};
use assay_referee::Evidence;
use codec::Compact;

const OPERATORS: &str = "Operators";
const MARKET: &str = "Market";
const VERIFICATION: &str = "Verification";
const DISPUTES: &str = "Disputes";

/// Registers a worker with a bond.
pub fn register_worker(bond: Balance, contact: Contact, capabilities: Capabilities) -> Call {
	Call::new(OPERATORS, "register_worker", (Compact(bond), contact, capabilities))
}

/// Registers a verifier with a bond.
pub fn register_verifier(bond: Balance, contact: Contact) -> Call {
	Call::new(OPERATORS, "register_verifier", (Compact(bond), contact))
}

/// Publishes a new address.
pub fn update_endpoint(role: Role, contact: Contact) -> Call {
	Call::new(OPERATORS, "update_endpoint", (role, contact))
}

/// Adds to a bond.
pub fn bond_more(role: Role, amount: Balance) -> Call {
	Call::new(OPERATORS, "bond_more", (role, Compact(amount)))
}

/// Takes no new work.
pub fn set_draining(role: Role) -> Call {
	Call::new(OPERATORS, "set_draining", role)
}

/// Takes work again.
pub fn set_ready(role: Role) -> Call {
	Call::new(OPERATORS, "set_ready", role)
}

/// Asks for bond back.
pub fn unbond(role: Role, amount: Balance) -> Call {
	Call::new(OPERATORS, "unbond", (role, Compact(amount)))
}

/// Takes unbonded money out.
pub fn withdraw(role: Role) -> Call {
	Call::new(OPERATORS, "withdraw", role)
}

/// Posts a job and puts its money on hold.
pub fn post_job(spec: &JobSpec) -> Call {
	Call::new(MARKET, "post_job", spec)
}

/// Offers to do the job for `price` in all.
pub fn bid(job: JobId, price: Balance) -> Call {
	Call::new(MARKET, "bid", (job, Compact(price)))
}

/// Clears an auction whose window has passed.
pub fn close_auction(job: JobId) -> Call {
	Call::new(MARKET, "close_auction", job)
}

/// Withdraws a job.
pub fn cancel_job(job: JobId) -> Call {
	Call::new(MARKET, "cancel_job", job)
}

/// Gives a lease up.
pub fn fail_job(job: JobId, reason: Reason) -> Call {
	Call::new(MARKET, "fail_job", (job, reason))
}

/// Ends a job whose deadline has passed.
pub fn expire(job: JobId) -> Call {
	Call::new(MARKET, "expire", job)
}

/// Ends the lease of a worker that shows no progress.
pub fn declare_absent(job: JobId) -> Call {
	Call::new(MARKET, "declare_absent", job)
}

/// Commits a milestone.
pub fn commit_milestone(job: JobId, milestone: MilestoneIndex, root: Hash) -> Call {
	Call::new(VERIFICATION, "commit_milestone", (Compact(job), Compact(milestone), root))
}

/// Draws segments and verifiers.
pub fn draw(job: JobId, milestone: MilestoneIndex) -> Call {
	Call::new(VERIFICATION, "draw", (Compact(job), Compact(milestone)))
}

/// Commits an answer blind.
pub fn commit_blind(job: JobId, milestone: MilestoneIndex, segment: SegmentIndex, blind: Hash) -> Call {
	Call::new(VERIFICATION, "commit_blind", (Compact(job), Compact(milestone), Compact(segment), blind))
}

/// Opens the drawn boundaries.
pub fn open(job: JobId, milestone: MilestoneIndex, openings: &[SegmentOpening]) -> Call {
	Call::new(VERIFICATION, "open", (Compact(job), Compact(milestone), openings))
}

/// Reveals a blind answer.
pub fn reveal(
	job: JobId,
	milestone: MilestoneIndex,
	segment: SegmentIndex,
	nonce: Hash,
	pre_root: Hash,
	post_root: Hash,
) -> Call {
	Call::new(VERIFICATION, "reveal", (Compact(job), Compact(milestone), Compact(segment), nonce, pre_root, post_root))
}

/// Settles whatever a passed window or the last reveal decided.
pub fn settle(job: JobId, milestone: MilestoneIndex) -> Call {
	Call::new(VERIFICATION, "settle", (Compact(job), Compact(milestone)))
}

/// Replaces the absent verifiers of a milestone.
pub fn redraw(job: JobId, milestone: MilestoneIndex) -> Call {
	Call::new(VERIFICATION, "redraw", (Compact(job), Compact(milestone)))
}

/// Says that the worker does not serve the state before a segment.
pub fn report_unserved(job: JobId, milestone: MilestoneIndex, segment: SegmentIndex) -> Call {
	Call::new(VERIFICATION, "report_unserved", (Compact(job), Compact(milestone), Compact(segment)))
}

/// Plays a move of a dispute.
pub fn play(dispute: u64, played: &Move) -> Call {
	Call::new(DISPUTES, "play", (Compact(dispute), played))
}

/// Submits the openings of the disputed micro-operation.
pub fn submit_evidence(dispute: u64, evidence: &Evidence) -> Call {
	Call::new(DISPUTES, "submit_evidence", (Compact(dispute), evidence))
}

/// Ends a dispute whose side to move ran out of blocks.
pub fn time_out(dispute: u64) -> Call {
	Call::new(DISPUTES, "timeout", Compact(dispute))
}

/// Moves money.
pub fn transfer(to: [u8; 32], amount: Balance) -> Call {
	// `MultiAddress::Id` is variant 0.
	Call::new("Balances", "transfer_keep_alive", (0u8, to, Compact(amount)))
}

/// What a challenged worker proves: the boundary before the segment and one drawn chunk of the state.
pub fn answer_challenge(
	job: JobId,
	milestone: MilestoneIndex,
	segment: SegmentIndex,
	opening: Option<BoundaryOpening>,
	holding: &Holding,
) -> Call {
	let arguments = (Compact(job), Compact(milestone), Compact(segment), opening, holding);
	Call::new(VERIFICATION, "answer_challenge", arguments)
}
