//! Which orders to bid on.

use crate::config::PricePolicy;
use assay_protocol::{
	job::{Clearing, JobSpec},
	plan::ramp_price,
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
	/// The collateral of its bid is above its free bond.
	BondTooSmall {
		/// What the bid locks.
		needed: Balance,
		/// What is free.
		free: Balance,
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
			Self::BondTooSmall { needed, free } => {
				write!(f, "the bid locks {needed} of the bond and {free} is free; `assay provider bond` adds to it")
			}
			Self::MemoryTooSmall { needed } => {
				write!(f, "the job needs {needed} MiB; raise --memory if the machine has it")
			}
			Self::HadLease => write!(f, "had a lease of this job that ended by its own or the job's fault"),
		}
	}
}

/// Who bids, with what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bidder {
	/// Its account.
	pub account: [u8; 32],
	/// What it asks for a job.
	pub price: PricePolicy,
	/// Memory that it offers, MiB. A job that declares more is not taken; one that takes more than it declares is given back.
	pub memory_mib: u32,
	/// Bond that no duty reserves.
	pub free: Balance,
}

/// The price to bid on `order`, or why not. What the chain would refuse is not bid: a refusal costs a fee.
///
/// # Errors
/// [`NoBid`].
pub fn decide(
	bidder: &Bidder,
	job: &Job<[u8; 32]>,
	order: &Order<[u8; 32]>,
	spec: &JobSpec,
	now: BlockNumber,
) -> Result<Balance, NoBid> {
	let me = bidder.account;
	if now > job.deadline {
		return Err(NoBid::WindowOver);
	}
	if order.bids.iter().any(|bid| bid.worker == me) {
		return Err(NoBid::Bidden);
	}
	if job.bars(&me) {
		return Err(NoBid::HadLease);
	}
	if spec.memory_mib > bidder.memory_mib {
		return Err(NoBid::MemoryTooSmall { needed: spec.memory_mib });
	}
	let max = job.account.price_left;
	let wanted = bidder.price.price(max).ok_or(NoBid::PriceTooLow { offered: max })?;
	let needed = spec.collateral(wanted, &job.parameters).unwrap_or(Balance::MAX);
	if needed > bidder.free {
		return Err(NoBid::BondTooSmall { needed, free: bidder.free });
	}
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

/// Whether the auction can be closed by anyone now.
pub fn closable(job: &Job<[u8; 32]>, spec: &JobSpec, now: BlockNumber) -> bool {
	let JobState::Order(order) = &job.state else { return false };
	if now > job.deadline {
		return false;
	}
	match spec.offer.clearing {
		Clearing::BestBid { window } => !order.bids.is_empty() && now.saturating_sub(order.opened_at) >= window,
		Clearing::Ramp { .. } => false,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use assay_program::{commitment::ProgramCommitment, Header, Lane};
	use assay_protocol::{
		job::{Offer, Verify},
		parameters::{Parameters, UNIT},
		reason::Reason,
		records::market::{Account, Bid, Share, Verified},
	};

	const ME: [u8; 32] = [1; 32];

	fn bidder() -> Bidder {
		let price = PricePolicy { share_permille: 800, least: 0 };
		Bidder { account: ME, price, memory_mib: 64, free: 16 * UNIT }
	}

	fn spec() -> JobSpec {
		JobSpec {
			program: ProgramCommitment {
				header: Header { version: 1, lane: Lane::F32, seed: [1; 32], steps: 100, batch: 4, segment_steps: 5 },
				n_tensors: 5,
				n_ops: 3,
				n_updates: 1,
				n_state: 1,
				tensors_root: [2; 32],
				ops_root: [3; 32],
				updates_root: [4; 32],
			},
			program_blob: [5; 32],
			initial_root: [6; 32],
			milestone_segments: 4,
			offer: Offer { max_price: 10 * UNIT, clearing: Clearing::BestBid { window: 4 }, deadline: 1_000 },
			verify: Verify { drawn: 2, verifiers: 1, insured_value: 0, fee_per_check: UNIT / 10 },
			memory_mib: 64,
			endpoint: Vec::new(),
		}
	}

	fn job(ended: Option<Reason>) -> Job<[u8; 32]> {
		let shares = ended.map(|reason| Share { worker: ME, milestones: 0, paid: 0, ended: Some(reason) });
		Job {
			client: [9; 32],
			parameters: Parameters::development(),
			posted_at: 1,
			deadline: 1_000,
			segments: 20,
			milestones: 5,
			attempt: 0,
			client_faults: 0,
			cancelling: false,
			verified: Verified { milestones: 0, root: [6; 32] },
			account: Account { price_left: 10 * UNIT, ..Account::default() },
			shares: shares.into_iter().collect::<Vec<_>>().try_into().unwrap(),
			state: JobState::Order(order(None)),
		}
	}

	fn order(bid: Option<[u8; 32]>) -> Order<[u8; 32]> {
		let bids = bid.map(|worker| Bid { worker, price: 1, at: 10 });
		Order { opened_at: 10, bids: bids.into_iter().collect::<Vec<_>>().try_into().unwrap() }
	}

	fn decided(change: impl FnOnce(&mut Bidder), spec: &JobSpec) -> Result<Balance, NoBid> {
		let mut bidder = bidder();
		change(&mut bidder);
		decide(&bidder, &job(None), &order(None), spec, 11)
	}

	#[test]
	fn what_the_machine_and_the_bond_hold_is_bid_on() {
		let spec = spec();
		assert_eq!(decided(|_| (), &spec), Ok(8 * UNIT));
		// The collateral is twice the price.
		assert_eq!(
			decided(|bidder| bidder.free -= 1, &spec),
			Err(NoBid::BondTooSmall { needed: 16 * UNIT, free: 16 * UNIT - 1 })
		);
		assert_eq!(decided(|bidder| bidder.memory_mib = 63, &spec), Err(NoBid::MemoryTooSmall { needed: 64 }));
		assert_eq!(
			decided(|bidder| bidder.price.least = 11 * UNIT, &spec),
			Err(NoBid::PriceTooLow { offered: 10 * UNIT })
		);
	}

	#[test]
	fn nobody_bids_twice_or_where_the_last_lease_ended_by_a_fault() {
		let (bidder, spec) = (bidder(), spec());
		assert_eq!(decide(&bidder, &job(None), &order(Some(ME)), &spec, 11), Err(NoBid::Bidden));
		for reason in [Reason::GaveUp, Reason::LostDispute, Reason::ProgramUnavailable, Reason::NotServed] {
			assert_eq!(
				decide(&bidder, &job(Some(reason)), &order(None), &spec, 11),
				Err(NoBid::HadLease),
				"{reason:?}"
			);
		}
		for reason in [Reason::Absent, Reason::NoVerifiers, Reason::DrainedAway] {
			assert_eq!(decide(&bidder, &job(Some(reason)), &order(None), &spec, 11), Ok(8 * UNIT), "{reason:?}");
		}
	}

	#[test]
	fn a_window_without_bids_stays_open() {
		let (bidder, spec) = (bidder(), spec());
		assert_eq!(decide(&bidder, &job(None), &order(Some([2; 32])), &spec, 14), Err(NoBid::WindowOver));
		assert_eq!(decide(&bidder, &job(None), &order(Some([2; 32])), &spec, 13), Ok(8 * UNIT));
		assert_eq!(decide(&bidder, &job(None), &order(None), &spec, 500), Ok(8 * UNIT));
	}
}
