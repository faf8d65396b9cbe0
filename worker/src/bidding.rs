//! Which orders to bid on.

use crate::config::PricePolicy;
use assay_protocol::{
	job::{Clearing, JobSpec},
	plan::ramp_price,
	reason::{Party, Reason},
	records::market::{Job, JobState, Order},
	Balance, BlockNumber,
};

/// Why this worker does not bid on an order now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoBid {
	/// It has bid already.
	Bidden,
	/// The bidding window is over.
	WindowOver,
	/// The client's maximum is below this worker's least price.
	PriceTooLow {
		/// What the client pays at most.
		offered: Balance,
	},
	/// The price ramp has not reached this worker's price yet.
	RampBelow {
		/// What it pays now.
		now: Balance,
		/// What this worker wants.
		wanted: Balance,
	},
	/// The job needs more memory than this worker offers.
	MemoryTooSmall {
		/// MiB needed.
		needed: u32,
	},
	/// It had a lease of this job that ended by its own or the job's fault.
	HadLease,
}

impl NoBid {
	/// Whether it is worth telling the operator.
	pub fn is_missed(&self) -> bool {
		!matches!(self, Self::Bidden | Self::WindowOver | Self::RampBelow { .. })
	}
}

impl std::fmt::Display for NoBid {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		match self {
			Self::Bidden => write!(f, "has bid already"),
			Self::WindowOver => write!(f, "the bidding window is over"),
			Self::PriceTooLow { offered } => write!(
				f,
				"the client pays {offered} at most, below the least price; lower --least-price to take such jobs"
			),
			Self::RampBelow { now, wanted } => write!(f, "the ramp is at {now}, {wanted} is wanted"),
			Self::MemoryTooSmall { needed } => {
				write!(f, "the job needs {needed} MiB; raise --memory if the machine has it")
			}
			Self::HadLease => write!(f, "had a lease of this job that ended by its own or the job's fault"),
		}
	}
}

/// The price to bid on `order`, or why not.
///
/// # Errors
/// [`NoBid`].
pub fn decide(
	me: &[u8; 32],
	job: &Job<[u8; 32]>,
	order: &Order<[u8; 32]>,
	spec: &JobSpec,
	policy: PricePolicy,
	memory_mib: u32,
	now: BlockNumber,
) -> Result<Balance, NoBid> {
	if order.bids.iter().any(|bid| bid.worker == *me) {
		return Err(NoBid::Bidden);
	}
	if job.shares.iter().any(|share| share.worker == *me && share.ended.is_some_and(would_end_alike)) {
		return Err(NoBid::HadLease);
	}
	if spec.memory_mib > memory_mib {
		return Err(NoBid::MemoryTooSmall { needed: spec.memory_mib });
	}
	let max = job.account.price_left;
	let wanted = policy.price(max).ok_or(NoBid::PriceTooLow { offered: max })?;
	let elapsed = now.saturating_sub(order.opened_at);
	match spec.offer.clearing {
		// A window that passed without a bid stays open until the first one.
		Clearing::BestBid { window } if elapsed >= window && !order.bids.is_empty() => Err(NoBid::WindowOver),
		Clearing::BestBid { .. } => Ok(wanted),
		Clearing::Ramp { start, duration } => {
			let paid = ramp_price(start, max, duration, elapsed);
			if paid < wanted {
				Err(NoBid::RampBelow { now: paid, wanted })
			} else {
				Ok(wanted)
			}
		}
	}
}

/// Whether a lease that ended so would end so again: the job or this worker is at fault, and neither has changed.
fn would_end_alike(reason: Reason) -> bool {
	match reason.party() {
		Party::Client | Party::Worker => !matches!(reason, Reason::Absent | Reason::DrainedAway),
		Party::Protocol | Party::Verifier => false,
	}
}

/// Whether the auction can be closed by anyone now.
pub fn closable(job: &Job<[u8; 32]>, spec: &JobSpec, now: BlockNumber) -> bool {
	let JobState::Order(order) = &job.state else { return false };
	match spec.offer.clearing {
		Clearing::BestBid { window } => !order.bids.is_empty() && now.saturating_sub(order.opened_at) >= window,
		Clearing::Ramp { .. } => false,
	}
}
