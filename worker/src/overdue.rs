//! Jobs of others that time has ended: anyone may say so, and somebody must, or their money stays on hold.
//!
//! Every worker would. Each waits a while of its own after the time has come, so that one is usually enough.

use assay_agent::keys::Account;
use assay_protocol::{
	records::market::{Job, JobState},
	BlockNumber, JobId,
};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Blocks over which the workers spread.
const SPREAD: u32 = 24;
/// Jobs ended for others after one listing.
pub(crate) const MOST: usize = 4;

/// What ends a job or its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overdue {
	/// The deadline has passed: the job closes.
	Expired,
	/// The worker of the lease showed no progress: the order goes up again.
	Absent,
}

/// What this worker should end, if anything. Its own lease it never declares absent.
pub(crate) fn overdue(me: &Account, id: JobId, job: &Job<Account>, now: BlockNumber) -> Option<Overdue> {
	let passed = |until: BlockNumber| now > until.saturating_add(own_wait(me, id));
	match &job.state {
		JobState::Closed(_) => None,
		_ if passed(job.deadline) => Some(Overdue::Expired),
		JobState::Running(lease) if lease.worker != *me => {
			passed(lease.progress_at.saturating_add(job.parameters.progress_window)).then_some(Overdue::Absent)
		}
		_ => None,
	}
}

/// Blocks that this worker leaves to the others; another number for each job.
fn own_wait(me: &Account, id: JobId) -> u32 {
	let mut hasher = DefaultHasher::new();
	(me, id).hash(&mut hasher);
	(hasher.finish() % u64::from(SPREAD)) as u32
}

#[cfg(test)]
mod tests {
	use super::*;
	use assay_protocol::{
		parameters::Parameters,
		records::market::{Account as Money, Lease, Order, Verified},
	};

	const ME: Account = [1; 32];
	const OTHER: Account = [2; 32];

	fn job(state: JobState<Account>) -> Job<Account> {
		Job {
			client: [9; 32],
			parameters: Parameters::development(),
			posted_at: 0,
			deadline: 1_000,
			segments: 4,
			milestones: 2,
			attempt: 0,
			client_faults: 0,
			cancelling: false,
			verified: Verified { milestones: 0, root: [0; 32] },
			account: Money::default(),
			shares: Default::default(),
			state,
		}
	}

	fn lease_of(worker: Account) -> JobState<Account> {
		let lease = Lease { worker, price: 1, paid: 0, collateral: 2, first_milestone: 0, since: 0, progress_at: 100 };
		JobState::Running(lease)
	}

	#[test]
	fn after_its_own_wait_and_never_itself() {
		let order = job(JobState::Order(Order { opened_at: 0, bids: Default::default() }));
		assert_eq!(overdue(&ME, 7, &order, 1_000), None);
		assert_eq!(overdue(&ME, 7, &order, 1_000 + SPREAD), Some(Overdue::Expired));
		let window = Parameters::development().progress_window;
		let running = job(lease_of(OTHER));
		assert_eq!(overdue(&ME, 7, &running, 100 + window), None);
		assert_eq!(overdue(&ME, 7, &running, 100 + window + SPREAD), Some(Overdue::Absent));
		assert_eq!(overdue(&OTHER, 7, &running, 100 + window + SPREAD), None);
		assert_eq!(overdue(&OTHER, 7, &running, 1_000 + SPREAD), Some(Overdue::Expired));
	}

	#[test]
	fn workers_spread() {
		let waits: std::collections::BTreeSet<u32> = (0..50u8).map(|who| own_wait(&[who; 32], 7)).collect();
		assert!(waits.len() > 10 && waits.iter().all(|wait| *wait < SPREAD));
	}
}
