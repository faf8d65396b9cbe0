//! The protocol's rules as they apply to a stored job. Pure.

use crate::types::{Bid, Job, JobState, MAX_BIDS};
use alloc::vec::Vec;
use assay_protocol::{
	job::{Clearing, JobSpec},
	plan::{self, JobPlan},
	Balance, BlockNumber, MilestoneIndex,
};
use frame_support::{traits::ConstU32, BoundedVec};

/// Most that the checks of milestone `from` and all after it cost.
pub(crate) fn fees_from(plan: &JobPlan, from: MilestoneIndex) -> Balance {
	// Posting the job computed the sum over all of them.
	plan.fees_from(from).unwrap_or(Balance::MAX)
}

/// Most that the checks of one milestone cost.
pub(crate) fn fees_of(plan: &JobPlan, milestone: MilestoneIndex) -> Balance {
	// As above.
	plan.fees_of(milestone).unwrap_or(Balance::MAX)
}

/// Milestones to do.
pub(crate) fn milestones_left<A>(job: &Job<A>) -> u32 {
	job.milestones.saturating_sub(job.verified.milestones)
}

/// Whether what is on hold pays for the rest of the job.
pub(crate) fn can_finish<A>(plan: &JobPlan, job: &Job<A>) -> bool {
	job.account.price_left >= Balance::from(milestones_left(job))
		&& job.account.fees_left >= fees_from(plan, job.verified.milestones)
}

/// Price of the next milestone of the running lease; 0 without one.
pub(crate) fn milestone_price<A>(plan: &JobPlan, job: &Job<A>) -> Balance {
	match &job.state {
		JobState::Running(lease) => plan.milestone_price(lease.price, lease.first_milestone, job.verified.milestones),
		_ => 0,
	}
}

/// Most that a bid may ask now; `None` when no order is open.
pub(crate) fn highest_bid<A>(spec: &JobSpec, job: &Job<A>, now: BlockNumber) -> Option<Balance> {
	let JobState::Order(order) = &job.state else { return None };
	let left = job.account.price_left;
	Some(match spec.offer.clearing {
		Clearing::BestBid { .. } => left,
		// After payments less may be left than the ramp once started from.
		Clearing::Ramp { start, duration } => {
			plan::ramp_price(start.min(left), left, duration, now.saturating_sub(order.opened_at))
		}
	})
}

/// The highest bid; of equal ones the latest.
pub(crate) fn worst_bid<A>(bids: &[Bid<A>]) -> Option<usize> {
	bids.iter().enumerate().max_by_key(|(at, bid)| (bid.price, *at)).map(|(at, _)| at)
}

/// Lowest first; of equal ones the earlier first, as [`plan::best_bid`] chooses.
pub(crate) fn best_first<A>(bids: BoundedVec<Bid<A>, ConstU32<MAX_BIDS>>) -> Vec<Bid<A>> {
	let mut bids = bids.into_inner();
	bids.sort_by_key(|bid| bid.price);
	bids
}
