//! Bids, the auction, and putting an order up again.

use crate::{
	rules,
	types::{MAX_ATTEMPTS, PROGRAM_CLAIMS},
	Bid, Config, Error, Event, HoldReason, Job, JobState, Lease, Order, Pallet, Share,
};
use assay_protocol::{interfaces::Operators, job::JobSpec, parameters::Parameters, reason::Reason, Balance, JobId};
use frame_support::{
	pallet_prelude::{DispatchError, DispatchResult},
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision},
	},
	BoundedVec,
};

impl<T: Config> Pallet<T> {
	/// Adds a bid with its deposit. In a full order it displaces the worst bid, if it is strictly better.
	pub(crate) fn place_bid(id: JobId, job: &mut Job<T::AccountId>, bid: Bid<T::AccountId>) -> DispatchResult {
		let deposit = job.parameters.bid_deposit;
		let JobState::Order(order) = &mut job.state else { return Err(Error::<T>::NotOpen.into()) };
		if order.bids.is_full() {
			let full = Error::<T>::BidRefused(Reason::BidsFull.into());
			let worst = rules::worst_bid(&order.bids).ok_or(full)?;
			let displaced =
				order.bids.get(worst).filter(|other| bid.price < other.price).map(|other| other.worker.clone());
			let Some(displaced) = displaced else {
				return Err(Error::<T>::BidRefused(Reason::BidsFull.into()).into());
			};
			order.bids.remove(worst);
			Self::return_bid_deposit(id, &displaced, deposit, Some(Reason::BidOutbid))?;
		}
		T::NativeBalance::hold(&HoldReason::BidDeposit.into(), &bid.worker, deposit)?;
		let (worker, price) = (bid.worker.clone(), bid.price);
		order.bids.try_push(bid).map_err(|_| Error::<T>::BidRefused(Reason::BidsFull.into()))?;
		Self::deposit_event(Event::BidPlaced { job: id, worker, price });
		Ok(())
	}

	/// Returns the deposit of a bid that is gone.
	pub(crate) fn return_bid_deposit(
		id: JobId,
		worker: &T::AccountId,
		deposit: Balance,
		reason: Option<Reason>,
	) -> DispatchResult {
		T::NativeBalance::release(&HoldReason::BidDeposit.into(), worker, deposit, Precision::Exact)?;
		Self::deposit_event(Event::BidRemoved { job: id, worker: worker.clone(), reason });
		Ok(())
	}

	/// Burns the deposit of a winning bid whose worker takes no work any more.
	fn burn_bid_deposit(
		id: JobId,
		job: &mut Job<T::AccountId>,
		worker: &T::AccountId,
		deposit: Balance,
	) -> DispatchResult {
		let reason = HoldReason::BidDeposit.into();
		let burned = T::NativeBalance::burn_held(&reason, worker, deposit, Precision::Exact, Fortitude::Force)?;
		let slashed = &mut job.account.slashed;
		slashed.burned = slashed.burned.saturating_add(burned);
		let reason = Some(Reason::BidNotReady);
		Self::deposit_event(Event::BidRemoved { job: id, worker: worker.clone(), reason });
		Ok(())
	}

	/// Gives the lease to the best bid whose worker is still able. Better ones whose workers
	/// take no work any more lose their deposit. When none is able, the bids go and the window begins anew.
	pub(crate) fn clear_auction(id: JobId, job: &mut Job<T::AccountId>, spec: &JobSpec) -> DispatchResult {
		let JobState::Order(order) = &mut job.state else { return Err(Error::<T>::NotOpen.into()) };
		let bids = rules::best_first(core::mem::take(&mut order.bids));
		order.opened_at = Self::now();
		let mut granted = false;
		for bid in bids {
			let reason = if granted {
				Some(Reason::BidOutbid)
			} else {
				// Only a worker that is not able is passed over; any other failure undoes the call.
				match Self::lock(id, spec, &job.parameters, &bid.worker, bid.price) {
					Ok(collateral) => {
						granted = true;
						Self::begin_lease(id, job, bid.worker.clone(), bid.price, collateral)?;
						None
					}
					Err(_) => Some(Reason::BidNotReady),
				}
			};
			let deposit = job.parameters.bid_deposit;
			match reason {
				// Who bids and goes keeps the lease from others: were it free, a few bonds could keep every order from
				// being leased. Who has won another order meanwhile did not go.
				Some(Reason::BidNotReady) if !T::Operators::takes_work(&bid.worker) => {
					Self::burn_bid_deposit(id, job, &bid.worker, deposit)?
				}
				_ => Self::return_bid_deposit(id, &bid.worker, deposit, reason)?,
			}
		}
		if !granted {
			Self::deposit_event(Event::AuctionFailed { job: id });
		}
		Ok(())
	}

	/// Reserves the worker's collateral; changes nothing when the worker is not able.
	pub(crate) fn lock(
		id: JobId,
		spec: &JobSpec,
		parameters: &Parameters,
		worker: &T::AccountId,
		price: Balance,
	) -> Result<Balance, DispatchError> {
		let collateral =
			spec.collateral(price, parameters).ok_or(Error::<T>::BidRefused(Reason::AmountTooLarge.into()))?;
		T::Operators::lock_collateral(worker, id, collateral)?;
		Ok(collateral)
	}

	/// Begins the lease of a worker whose collateral is locked.
	pub(crate) fn begin_lease(
		id: JobId,
		job: &mut Job<T::AccountId>,
		worker: T::AccountId,
		price: Balance,
		collateral: Balance,
	) -> DispatchResult {
		Self::return_order_deposit(job)?;
		let share = Share { worker: worker.clone(), milestones: 0, paid: 0, ended: None };
		// Never full: an order goes up again only while attempts are left.
		job.shares.try_push(share).map_err(|_| Error::<T>::NotOpen)?;
		let now = Self::now();
		job.state = JobState::Running(Lease {
			worker: worker.clone(),
			price,
			paid: 0,
			collateral,
			first_milestone: job.verified.milestones,
			since: now,
			progress_at: now,
		});
		Self::deposit_event(Event::LeaseGranted { job: id, worker, price, collateral, attempt: job.attempt });
		Ok(())
	}

	/// After a lease has ended: puts the order up again from the last verified milestone, or closes the job when there is no
	/// point.
	pub(crate) fn reopen(id: JobId, job: &mut Job<T::AccountId>, spec: &JobSpec, ended: Reason) -> DispatchResult {
		job.attempt = job.attempt.saturating_add(1);
		let now = Self::now();
		job.state = JobState::Order(Order { opened_at: now, bids: BoundedVec::new() });
		let plan = Self::plan(job, spec)?;
		let dead_end = if job.cancelling {
			Some(Reason::CancelledByClient)
		} else if job.client_faults >= PROGRAM_CLAIMS {
			Some(ended)
		} else if job.attempt >= MAX_ATTEMPTS {
			Some(Reason::TooManyAttempts)
		} else if now > job.deadline {
			Some(Reason::DeadlinePassed)
		} else if !rules::can_finish(&plan, job) {
			Some(Reason::EscrowNotCovered)
		} else {
			None
		};
		if let Some(reason) = dead_end {
			return Self::close(id, job, reason);
		}
		Self::deposit_event(Event::OrderReopened {
			job: id,
			milestone: job.verified.milestones,
			max_price: job.account.price_left,
			attempt: job.attempt,
		});
		Ok(())
	}
}
