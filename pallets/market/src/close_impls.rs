//! The ends of leases and jobs.

use crate::{types::Closing, Config, Error, Event, Job, JobState, Jobs, Pallet, Specs};
use assay_protocol::{
	economics::forfeit,
	interfaces::{Operators, Rounds},
	job::JobSpec,
	plan::JobPlan,
	reason::Reason,
	Balance, BlockNumber, JobId,
};
use frame_support::{ensure, pallet_prelude::DispatchResult};
use sp_runtime::{traits::BlockNumberProvider, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// Blocks in which users could transact.
	pub(crate) fn now() -> BlockNumber {
		T::Clock::current_block_number().saturated_into()
	}

	/// A job and what it asks for.
	pub(crate) fn found(id: JobId) -> Result<(Job<T::AccountId>, JobSpec), Error<T>> {
		let job = Jobs::<T>::get(id).ok_or(Error::<T>::NotFound)?;
		let spec = Specs::<T>::get(id).ok_or(Error::<T>::NotFound)?;
		Ok((job, spec))
	}

	/// How a posted job is divided: as when it was posted, for its parameters are kept.
	pub(crate) fn plan(job: &Job<T::AccountId>, spec: &JobSpec) -> Result<JobPlan, Error<T>> {
		spec.validate(&job.parameters).map_err(|reason| Error::<T>::SpecRefused(reason.into()))
	}

	/// A lease whose committed work is undecided may not end: its collateral answers for that work.
	pub(crate) fn ensure_decided(id: JobId, job: &Job<T::AccountId>) -> DispatchResult {
		ensure!(!T::Rounds::undecided(id, job.attempt), Error::<T>::MilestoneUndecided);
		Ok(())
	}

	/// The client takes the job back from the running lease, of which nothing is undecided: the milestone in progress is paid.
	pub(crate) fn cancel_lease(id: JobId, job: &mut Job<T::AccountId>, spec: &JobSpec) -> DispatchResult {
		Self::pay_milestone(job, spec)?;
		Self::end_lease(id, job, Reason::CancelledByClient, true)?;
		Self::close(id, job, Reason::CancelledByClient)
	}

	/// Ends the running lease and frees its collateral, less what the reason forfeits. The caller gives the job its next
	/// state.
	pub(crate) fn end_lease(id: JobId, job: &mut Job<T::AccountId>, reason: Reason, success: bool) -> DispatchResult {
		Self::do_end_lease(id, job, reason, success, 0, 0)
	}

	/// As [`Self::end_lease`] without success, where verifiers were not served: see
	/// [`forfeit`](assay_protocol::economics::forfeit). The worker forfeits at least `least`, as far as its collateral reaches.
	pub(crate) fn end_lease_unserved(
		id: JobId,
		job: &mut Job<T::AccountId>,
		reason: Reason,
		unserved_ppm: u32,
		least: Balance,
	) -> DispatchResult {
		Self::do_end_lease(id, job, reason, false, unserved_ppm, least)
	}

	fn do_end_lease(
		id: JobId,
		job: &mut Job<T::AccountId>,
		reason: Reason,
		success: bool,
		unserved_ppm: u32,
		least: Balance,
	) -> DispatchResult {
		let JobState::Running(lease) = &job.state else { return Err(Error::<T>::NotRunning.into()) };
		let worker = lease.worker.clone();
		let idle = job.verified.milestones <= lease.first_milestone;
		let due = forfeit(reason, idle, unserved_ppm, lease.collateral, job.parameters.bid_deposit);
		let due = due.max(least).min(lease.collateral);
		let burned = T::Operators::release_collateral(&worker, id, success, due);
		job.account.slashed.burned = job.account.slashed.burned.saturating_add(burned);
		Self::note_lease_ended(id, job, worker, reason);
		Ok(())
	}

	/// Writes the end of the running lease into the record.
	pub(crate) fn note_lease_ended(id: JobId, job: &mut Job<T::AccountId>, worker: T::AccountId, reason: Reason) {
		if let Some(share) = job.shares.last_mut() {
			share.ended = Some(reason);
		}
		Self::deposit_event(Event::LeaseEnded { job: id, worker, reason });
	}

	/// Closes a job that has no running lease: returns every bid deposit, the order deposit and the rest of the escrow.
	pub(crate) fn close(id: JobId, job: &mut Job<T::AccountId>, reason: Reason) -> DispatchResult {
		let closed = JobState::Closed(Closing { reason, at: Self::now() });
		if let JobState::Order(order) = core::mem::replace(&mut job.state, closed) {
			for bid in order.bids {
				Self::return_bid_deposit(id, &bid.worker, job.parameters.bid_deposit, Some(reason))?;
			}
		}
		Self::return_order_deposit(job)?;
		Self::refund(job)?;
		Self::deposit_event(Event::JobClosed {
			job: id,
			reason,
			code: reason.code(),
			result_root: job.verified.root,
			paid: job.account.paid,
			refunded: job.account.refunded,
		});
		Ok(())
	}
}
