use super::*;
use crate::ledger::{Boundary, Start};
use assay_agent::store::Store;
use assay_protocol::{
	parameters::Parameters,
	records::market::{Account as Money, Job, JobState, Lease, Verified},
};

const ME: Account = [1; 32];
const PLAN: JobPlan = JobPlan {
	steps: 20,
	segment_steps: 1,
	milestone_segments: 4,
	segments: 20,
	milestones: 5,
	drawn: 1,
	verifiers: 1,
	fee_per_check: 0,
	escrow: 0,
};

fn open(attempt: u32, worker: Account, milestones: u32, root: Hash) -> Standing {
	let lease = Lease { worker, price: 1, paid: 0, collateral: 2, first_milestone: 0, since: 0, progress_at: 1 };
	Standing::Open(Box::new(Job {
		client: [9; 32],
		parameters: Parameters::development(),
		posted_at: 0,
		deadline: 1_000,
		segments: PLAN.segments,
		milestones: PLAN.milestones,
		attempt,
		client_faults: 0,
		cancelling: false,
		verified: Verified { milestones, root },
		account: Money::default(),
		shares: Default::default(),
		state: JobState::Running(lease),
	}))
}

/// Blob of the state after a segment; its root is another.
fn checkpoint(segment: u32) -> Hash {
	[100 + segment as u8; 32]
}

fn root(segment: u32) -> Hash {
	[segment as u8; 32]
}

const INPUTS: [Hash; 2] = [[90; 32], [91; 32]];

/// A ledger of a lease with these segments executed, all of them with claims.
fn executed(lease: LeaseId, segments: std::ops::Range<u32>) -> (tempfile::TempDir, Ledger) {
	let folder = tempfile::tempdir().unwrap();
	let ledger = Ledger::new(Store::open(&folder.path().join("state.redb")).unwrap());
	ledger.start(lease, Start { segment: segments.start, root: [0; 32] }).unwrap();
	ledger.record_inputs(lease, &INPUTS).unwrap();
	for segment in segments {
		let end = Boundary { root: root(segment), checkpoint: checkpoint(segment) };
		ledger.record(lease, segment, end).unwrap();
		ledger.record_claims(lease, segment, &[200 + segment as u8; 32]).unwrap();
	}
	(folder, ledger)
}

fn known(job: JobId, standing: Option<Standing>) -> Known {
	Known {
		me: ME,
		standings: standing.map(|standing| (job, standing)).into_iter().collect(),
		plans: HashMap::new(),
		disputed: BTreeSet::new(),
	}
}

/// Courtesies take this many bytes each.
fn needed(known: &Known, ledger: &Ledger, room: u64) -> BTreeSet<Hash> {
	let courtesies = Courtesies { bytes: room, ..Courtesies::default() };
	let needed = known.needed(ledger, &courtesies, |_| 1).unwrap();
	needed.into_iter().map(|blob| *blob.as_bytes()).collect()
}

fn set(blobs: impl IntoIterator<Item = Hash>) -> BTreeSet<Hash> {
	blobs.into_iter().collect()
}

const LEASE: LeaseId = LeaseId { job: 7, attempt: 1 };
const OTHER: Account = [2; 32];

#[test]
fn a_running_lease_needs_what_may_still_be_drawn_and_where_that_starts() {
	let (_folder, ledger) = executed(LEASE, 0..11);
	let mut known = known(7, Some(open(1, ME, 2, root(7))));
	known.plans.insert(LEASE, PLAN);
	let claims = (8..11u8).map(|segment| [200 + segment; 32]);
	assert_eq!(needed(&known, &ledger, 0), set((7..11).map(checkpoint).chain(INPUTS).chain(claims)));
	assert_eq!(ledger.boundaries(LEASE).unwrap().len(), 11, "commitments are opened from the records");
	known.disputed.insert(LEASE);
	assert_eq!(needed(&known, &ledger, 0).len(), 11 + 11 + 2, "a dispute may be about any of it");
}

#[test]
fn what_is_not_known_to_be_over_is_needed() {
	let (_folder, ledger) = executed(LEASE, 0..3);
	let all = |standing| needed(&known(7, standing), &ledger, 0).len() == 3 + 3 + 2;
	assert!(all(None), "the chain could not be asked, or does not know the job yet");
	assert!(all(Some(open(1, ME, 0, [0; 32]))), "no plan yet");
	assert!(all(Some(open(0, OTHER, 0, [0; 32]))), "a state from before the lease");
	// The order that this lease followed has its number.
	assert!(all(Some(open(1, OTHER, 0, [0; 32]))), "leased since that state");
	assert_eq!(ledger.leases().unwrap(), [LEASE].into());
}

#[test]
fn a_lease_that_ended_leaves_the_verified_state_and_the_inputs_to_the_next() {
	let (_folder, ledger) = executed(LEASE, 0..11);
	let next = known(7, Some(open(2, OTHER, 2, root(7))));
	assert_eq!(needed(&next, &ledger, 10), set([checkpoint(7)].into_iter().chain(INPUTS)));
	let further = known(7, Some(open(2, OTHER, 3, [77; 32])));
	assert_eq!(needed(&further, &ledger, 10), set(INPUTS));
	let (_folder, second) = executed(LeaseId { job: 8, attempt: 0 }, 0..8);
	second.record_inputs(LEASE, &[[92; 32]]).unwrap();
	let mut both = known(7, Some(open(2, OTHER, 2, root(7))));
	both.standings.insert(8, open(1, OTHER, 2, root(7)));
	assert_eq!(needed(&both, &second, 3), set([checkpoint(7)].into_iter().chain(INPUTS)), "room for the later job's");
}

#[test]
fn of_a_closed_job_only_the_result_is_kept_and_that_for_a_time() {
	let (_folder, ledger) = executed(LEASE, 0..20);
	let closed = known(7, Some(Standing::Closed(root(19))));
	assert_eq!(needed(&closed, &ledger, 1), set([checkpoint(19)]));
	assert_eq!(ledger.leases().unwrap().len(), 1);
	let terms = Courtesies { age: Duration::ZERO, bytes: 1 };
	assert!(closed.needed(&ledger, &terms, |_| 1).unwrap().is_empty());
	assert_eq!(ledger.leases().unwrap().len(), 0, "and its records go with it");
}

#[test]
fn nothing_is_kept_of_a_job_that_the_chain_removed() {
	let (_folder, ledger) = executed(LEASE, 0..2);
	let other = LeaseId { job: 70, attempt: 0 };
	ledger.record(other, 0, Boundary { root: root(0), checkpoint: checkpoint(50) }).unwrap();
	let mut known = known(7, Some(Standing::Gone));
	known.standings.insert(70, open(0, OTHER, 1, root(0)));
	known.disputed.insert(LEASE);
	assert_eq!(needed(&known, &ledger, 0).len(), 2 + 2 + 2 + 1, "the secret of a disputed lease stays");
	assert_eq!(ledger.leases().unwrap(), [LEASE, other].into());
	known.disputed.clear();
	assert_eq!(needed(&known, &ledger, 0), set([checkpoint(50)]));
	assert_eq!(ledger.leases().unwrap(), [other].into());
}

#[test]
fn blobs_are_recorded_before_they_come_and_once() {
	let (_folder, ledger) = executed(LEASE, 0..0);
	ledger.record_inputs(LEASE, &[INPUTS[1], [93; 32]]).unwrap();
	assert_eq!(ledger.inputs(LEASE).unwrap(), [INPUTS[0], INPUTS[1], [93; 32]]);
}
