use crate::{
	rules, types::Verified, Account, Bid, Config, CurrentParameters, Error, Event, HoldReason, Job, JobState, Jobs,
	NextJob, Order, Pallet, Specs,
};
use assay_protocol::{
	interfaces::{Operators, Rounds},
	job::{Clearing, JobSpec},
	parameters::Parameters,
	reason::Reason,
	records::market::blames_client,
	Balance, JobId,
};
use frame_support::{ensure, pallet_prelude::DispatchResult, traits::fungible::MutateHold, BoundedVec};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_post_job(client: T::AccountId, spec: JobSpec) -> DispatchResult {
		let parameters = CurrentParameters::<T>::get();
		let refuse = |reason: Reason| Error::<T>::SpecRefused(reason.into());
		let plan = spec.validate(&parameters).map_err(refuse)?;
		let (escrowed, price_left) = (plan.escrow, spec.offer.max_price);
		// The escrow is the greatest price and the verification budget.
		let fees_left = escrowed.saturating_sub(price_left);
		let job = NextJob::<T>::get();
		let next = job.checked_add(1).ok_or(Error::<T>::JobsExhausted)?;
		let deposit = parameters.order_deposit;
		T::NativeBalance::hold(&HoldReason::Escrow.into(), &client, escrowed)?;
		T::NativeBalance::hold(&HoldReason::OrderDeposit.into(), &client, deposit)?;
		let now = Self::now();
		let record = Job {
			client: client.clone(),
			parameters,
			posted_at: now,
			deadline: now.saturating_add(spec.offer.deadline),
			segments: plan.segments,
			milestones: plan.milestones,
			attempt: 0,
			client_faults: 0,
			cancelling: false,
			verified: Verified { milestones: 0, root: spec.initial_root },
			account: Account { escrowed, price_left, fees_left, deposit, ..Account::default() },
			shares: BoundedVec::new(),
			state: JobState::Order(Order { opened_at: now, bids: BoundedVec::new() }),
		};
		Specs::<T>::insert(job, spec);
		Jobs::<T>::insert(job, record);
		NextJob::<T>::put(next);
		Self::deposit_event(Event::JobPosted { job, client, escrow: escrowed });
		Ok(())
	}

	pub(crate) fn do_bid(worker: T::AccountId, id: JobId, price: Balance) -> DispatchResult {
		let (mut job, spec) = Self::found(id)?;
		let JobState::Order(order) = &job.state else { return Err(Error::<T>::NotOpen.into()) };
		let now = Self::now();
		ensure!(now <= job.deadline, Error::<T>::DeadlinePassed);
		let refuse = |reason: Reason| Error::<T>::BidRefused(reason.into());
		ensure!(worker != job.client, refuse(Reason::BidByClient));
		ensure!(price >= Balance::from(rules::milestones_left(&job)), refuse(Reason::BidZero));
		ensure!(price <= job.account.price_left, refuse(Reason::BidAboveMaximum));
		ensure!(!job.bars(&worker), refuse(Reason::BidBarred));
		match spec.offer.clearing {
			Clearing::Ramp { .. } => {
				let ceiling = rules::highest_bid(&spec, &job, now).unwrap_or(0);
				ensure!(price <= ceiling, refuse(Reason::BidAboveRamp));
				let collateral = Self::lock(id, &spec, &job.parameters, &worker, price)?;
				Self::begin_lease(id, &mut job, worker, price, collateral)?;
			}
			Clearing::BestBid { window } => {
				let over = now >= order.opened_at.saturating_add(window);
				// A window that passed without a bid stays open until the first one.
				ensure!(!over || order.bids.is_empty(), refuse(Reason::BidTooLate));
				ensure!(order.bids.iter().all(|bid| bid.worker != worker), refuse(Reason::BidDuplicate));
				let collateral = spec.collateral(price, &job.parameters).ok_or(refuse(Reason::AmountTooLarge))?;
				T::Operators::can_work(&worker, collateral)?;
				Self::place_bid(id, &mut job, Bid { worker, price, at: now })?;
			}
		}
		Jobs::<T>::insert(id, job);
		Ok(())
	}

	pub(crate) fn do_withdraw_bid(worker: T::AccountId, id: JobId) -> DispatchResult {
		let (mut job, _) = Self::found(id)?;
		let JobState::Order(order) = &mut job.state else { return Err(Error::<T>::NotOpen.into()) };
		let at = order.bids.iter().position(|bid| bid.worker == worker).ok_or(Error::<T>::NoSuchBid)?;
		order.bids.remove(at);
		Self::return_bid_deposit(id, &worker, job.parameters.bid_deposit, None)?;
		Jobs::<T>::insert(id, job);
		Ok(())
	}

	pub(crate) fn do_close_auction(id: JobId) -> DispatchResult {
		let (mut job, spec) = Self::found(id)?;
		let JobState::Order(order) = &job.state else { return Err(Error::<T>::NotOpen.into()) };
		let now = Self::now();
		ensure!(now <= job.deadline, Error::<T>::DeadlinePassed);
		let Clearing::BestBid { window } = spec.offer.clearing else { return Err(Error::<T>::ClearedByBid.into()) };
		ensure!(now >= order.opened_at.saturating_add(window), Error::<T>::WindowOpen);
		ensure!(!order.bids.is_empty(), Error::<T>::NoBids);
		Self::clear_auction(id, &mut job, &spec)?;
		Jobs::<T>::insert(id, job);
		Ok(())
	}

	pub(crate) fn do_cancel_job(client: T::AccountId, id: JobId) -> DispatchResult {
		let (mut job, spec) = Self::found(id)?;
		ensure!(job.client == client, Error::<T>::NotClient);
		match &job.state {
			JobState::Closed(_) => return Err(Error::<T>::AlreadyClosed.into()),
			JobState::Order(_) => {
				Self::burn_order_deposit(&mut job)?;
				Self::close(id, &mut job, Reason::CancelledByClient)?;
			}
			// What is committed is decided first; nothing more can be committed.
			JobState::Running(_) if T::Rounds::undecided(id, job.attempt) => {
				ensure!(!job.cancelling, Error::<T>::MilestoneUndecided);
				job.cancelling = true;
				Self::deposit_event(Event::CancelRequested { job: id });
			}
			JobState::Running(_) => Self::cancel_lease(id, &mut job, &spec)?,
		}
		Jobs::<T>::insert(id, job);
		Ok(())
	}

	pub(crate) fn do_fail_job(worker: T::AccountId, id: JobId, reason: Reason) -> DispatchResult {
		let (mut job, spec) = Self::found(id)?;
		let JobState::Running(lease) = &job.state else { return Err(Error::<T>::NotRunning.into()) };
		ensure!(lease.worker == worker, Error::<T>::NotLeaseholder);
		let blames_client = blames_client(reason);
		let at_milestone = job.verified.milestones > lease.first_milestone;
		let leaves = matches!(reason, Reason::GaveUp | Reason::DrainedAway);
		ensure!(blames_client || leaves, Error::<T>::ReasonNotAllowed);
		ensure!(reason != Reason::DrainedAway || at_milestone, Error::<T>::ReasonNotAllowed);
		Self::ensure_decided(id, &job)?;
		Self::end_lease(id, &mut job, reason, reason == Reason::DrainedAway)?;
		job.client_faults = job.client_faults.saturating_add(blames_client.into());
		Self::reopen(id, &mut job, &spec, reason)?;
		Jobs::<T>::insert(id, job);
		Ok(())
	}

	pub(crate) fn do_expire(id: JobId) -> DispatchResult {
		let (mut job, _) = Self::found(id)?;
		ensure!(!matches!(job.state, JobState::Closed(_)), Error::<T>::AlreadyClosed);
		ensure!(Self::now() > job.deadline, Error::<T>::DeadlineAhead);
		let reason = match &job.state {
			JobState::Order(order) if job.attempt == 0 && order.bids.is_empty() => Reason::NoBids,
			JobState::Running(_) => {
				Self::ensure_decided(id, &job)?;
				Self::end_lease(id, &mut job, Reason::DeadlinePassed, false)?;
				Reason::DeadlinePassed
			}
			_ => Reason::DeadlinePassed,
		};
		Self::close(id, &mut job, reason)?;
		Jobs::<T>::insert(id, job);
		Ok(())
	}

	pub(crate) fn do_declare_absent(id: JobId) -> DispatchResult {
		let (mut job, spec) = Self::found(id)?;
		let JobState::Running(lease) = &job.state else { return Err(Error::<T>::NotRunning.into()) };
		let until = lease.progress_at.saturating_add(job.parameters.progress_window);
		ensure!(Self::now() > until, Error::<T>::ProgressWindowOpen);
		Self::ensure_decided(id, &job)?;
		T::Operators::note_absence(&lease.worker);
		Self::end_lease(id, &mut job, Reason::Absent, false)?;
		Self::reopen(id, &mut job, &spec, Reason::Absent)?;
		Jobs::<T>::insert(id, job);
		Ok(())
	}

	pub(crate) fn do_forget_job(id: JobId) -> DispatchResult {
		let (job, _) = Self::found(id)?;
		let JobState::Closed(closing) = &job.state else { return Err(Error::<T>::NotClosed.into()) };
		let until = closing.at.saturating_add(job.parameters.unbonding);
		ensure!(Self::now() >= until, Error::<T>::TooEarlyToForget);
		Jobs::<T>::remove(id);
		Specs::<T>::remove(id);
		Self::deposit_event(Event::JobForgotten { job: id });
		Ok(())
	}

	pub(crate) fn do_set_parameters(parameters: Parameters) -> DispatchResult {
		ensure!(parameters.is_valid(), Error::<T>::ParametersInvalid);
		CurrentParameters::<T>::put(parameters);
		Self::deposit_event(Event::ParametersSet { parameters });
		Ok(())
	}
}
