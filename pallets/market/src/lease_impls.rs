//! What `verification` reports.

use crate::{rules, Config, CurrentParameters, Error, Event, Job, JobState, Jobs, Pallet};
use assay_protocol::{
	interfaces::{LeaseView, Leases, Operators, Rounds, WorkerFault},
	parameters::Parameters,
	reason::Reason,
	Hash, JobId, MilestoneIndex,
};
use frame_support::{ensure, storage::with_storage_layer};
use sp_runtime::DispatchError;

impl<T: Config> Leases<T::AccountId> for Pallet<T> {
	type Error = DispatchError;

	fn lease(id: JobId) -> Option<LeaseView<T::AccountId>> {
		let (
			Job { client, parameters, segments, milestones, attempt, verified, state, deadline, cancelling, .. },
			spec,
		) = Self::found(id).ok()?;
		let JobState::Running(lease) = state else { return None };
		Some(LeaseView {
			worker: lease.worker,
			client,
			attempt,
			spec,
			parameters,
			next_milestone: verified.milestones,
			verified_root: verified.root,
			milestones,
			segments,
			deadline,
			cancelling,
		})
	}

	fn parameters() -> Parameters {
		CurrentParameters::<T>::get()
	}

	fn progressed(id: JobId) {
		Jobs::<T>::mutate(id, |job| {
			if let Some(Job { state: JobState::Running(lease), .. }) = job {
				lease.progress_at = Self::now();
			}
		});
	}

	fn milestone_verified(
		id: JobId,
		index: MilestoneIndex,
		state_root: Hash,
		checkers: &[T::AccountId],
	) -> Result<(), DispatchError> {
		with_storage_layer(|| Self::do_milestone_verified(id, index, state_root, checkers))
	}

	fn worker_fault(
		id: JobId,
		fault: WorkerFault,
		challenger: Option<&T::AccountId>,
		checkers: &[T::AccountId],
	) -> Result<(), DispatchError> {
		with_storage_layer(|| Self::do_worker_fault(id, fault, challenger, checkers))
	}

	fn lease_failed(
		id: JobId,
		reason: Reason,
		unserved_ppm: u32,
		idle_seats: u32,
		checkers: &[T::AccountId],
	) -> Result<(), DispatchError> {
		with_storage_layer(|| Self::do_lease_failed(id, reason, unserved_ppm, idle_seats, checkers))
	}
}

impl<T: Config> Pallet<T> {
	fn do_milestone_verified(
		id: JobId,
		index: MilestoneIndex,
		state_root: Hash,
		checkers: &[T::AccountId],
	) -> Result<(), DispatchError> {
		let (mut job, spec) = Self::found(id)?;
		ensure!(matches!(job.state, JobState::Running(_)), Error::<T>::NotRunning);
		ensure!(index == job.verified.milestones && index < job.milestones, Error::<T>::MilestoneOutOfOrder);
		let paid = Self::pay_milestone(&mut job, &spec)?;
		let reserved = rules::fees_from(&Self::plan(&job, &spec)?, index.saturating_add(1));
		let fees = Self::pay_checkers(&mut job, &spec, checkers, reserved);
		job.verified.milestones = index.saturating_add(1);
		job.verified.root = state_root;
		if let Some(share) = job.shares.last_mut() {
			share.milestones = share.milestones.saturating_add(1);
		}
		if let JobState::Running(lease) = &mut job.state {
			lease.progress_at = Self::now();
		}
		Self::deposit_event(Event::MilestonePaid { job: id, milestone: index, state_root, paid, fees });
		if job.verified.milestones == job.milestones {
			Self::end_lease(id, &mut job, Reason::Completed, true)?;
			Self::close(id, &mut job, Reason::Completed)?;
		} else if job.cancelling && !T::Rounds::undecided(id, job.attempt) {
			Self::cancel_lease(id, &mut job, &spec)?;
		}
		Jobs::<T>::insert(id, job);
		Ok(())
	}

	fn do_worker_fault(
		id: JobId,
		fault: WorkerFault,
		challenger: Option<&T::AccountId>,
		checkers: &[T::AccountId],
	) -> Result<(), DispatchError> {
		let (mut job, spec) = Self::found(id)?;
		let JobState::Running(lease) = &job.state else { return Err(Error::<T>::NotRunning.into()) };
		let worker = lease.worker.clone();
		// The milestone is still to be verified once: what that costs stays in the escrow.
		let reserved = rules::fees_from(&Self::plan(&job, &spec)?, job.verified.milestones);
		let fees = Self::pay_checkers(&mut job, &spec, checkers, reserved);
		let split = T::Operators::slash_collateral(&worker, id, &job.client, fees, challenger);
		Self::top_up_fees(&mut job, split.client);
		let slashed = &mut job.account.slashed;
		slashed.client = slashed.client.saturating_add(split.client);
		slashed.challenger = slashed.challenger.saturating_add(split.challenger);
		slashed.burned = slashed.burned.saturating_add(split.burned);
		let reason = match fault {
			WorkerFault::LostDispute => Reason::LostDispute,
			WorkerFault::NotOpened => Reason::NotOpened,
			WorkerFault::NotServed => Reason::NotServed,
		};
		Self::note_lease_ended(id, &mut job, worker, reason);
		Self::reopen(id, &mut job, &spec, reason)?;
		Jobs::<T>::insert(id, job);
		Ok(())
	}

	fn do_lease_failed(
		id: JobId,
		reason: Reason,
		unserved_ppm: u32,
		idle_seats: u32,
		checkers: &[T::AccountId],
	) -> Result<(), DispatchError> {
		let (mut job, spec) = Self::found(id)?;
		// The milestone is still to be verified once: what that costs stays in the escrow.
		let reserved = rules::fees_from(&Self::plan(&job, &spec)?, job.verified.milestones);
		let paid = Self::pay_checkers(&mut job, &spec, checkers, reserved);
		// Who is nearest to the cause bears that bonds were busy for nothing: the worker where it refused others, else the client.
		let from_worker = if reason == Reason::Unserved {
			spec.verify.fee_per_check.saturating_mul(idle_seats.into())
		} else {
			Self::burn_fees(id, &mut job, &spec, idle_seats, paid)?;
			0
		};
		Self::end_lease_unserved(id, &mut job, reason, unserved_ppm, from_worker)?;
		Self::reopen(id, &mut job, &spec, reason)?;
		Jobs::<T>::insert(id, job);
		Ok(())
	}
}
