//! What verification asks of the court.

use crate::{Config, DisputeRecordOf, Disputes, Error, Event, NextId, OpenByJob, Pallet};
use assay_protocol::{
	dispute::{Context, DisputeState},
	interfaces::{Accusation, Court, Leases},
	JobId, Reason,
};
use frame_support::ensure;
use sp_runtime::DispatchError;

impl<T: Config> Court<T::AccountId> for Pallet<T> {
	type Error = DispatchError;

	fn open(accusation: Accusation<T::AccountId>) -> Result<u64, DispatchError> {
		ensure!(accusation.claimed_root != accusation.found_root, Error::<T>::from(Reason::SameResult));
		let job = accusation.job;
		let lease = T::Leases::lease(job)
			.filter(|lease| lease.attempt == accusation.attempt && lease.worker == accusation.defender)
			.ok_or(Error::<T>::NoSuchLease)?;
		let header = &lease.spec.program.header;
		let segment_steps = u64::from(header.segment_steps);
		// Two 32-bit numbers: the product fits.
		let first_step = u64::from(accusation.segment).saturating_mul(segment_steps);
		let end_step = first_step.saturating_add(segment_steps).min(header.steps);
		ensure!(first_step < end_step, Error::<T>::NoSuchSegment);
		let context = Context {
			first_step,
			end_step,
			pre_root: accusation.pre_root,
			post_root: accusation.claimed_root,
			clock: lease.parameters.dispute_clock,
			program: lease.spec.program,
		};
		let now = Self::now();
		let state = DisputeState::open(&context, now).map_err(Error::<T>::from)?;
		let id = NextId::<T>::get();
		OpenByJob::<T>::try_mutate(job, |open| open.try_push(id)).map_err(|_| Error::<T>::TooManyOpen)?;
		NextId::<T>::put(id.saturating_add(1));
		Self::deposit_event(Event::Opened {
			id,
			job,
			attempt: accusation.attempt,
			milestone: accusation.milestone,
			segment: accusation.segment,
			defender: accusation.defender.clone(),
			challenger: accusation.challenger.clone(),
		});
		Disputes::<T>::insert(
			id,
			DisputeRecordOf::<T> { accusation, context, state, opened_at: now, moves: 0, bytes: 0 },
		);
		Ok(id)
	}

	fn dismiss(job: JobId, attempt: u32) {
		let of_attempt = |id: &u64| Disputes::<T>::get(id).is_some_and(|record| record.accusation.attempt == attempt);
		let (dismissed, kept): (alloc::vec::Vec<u64>, alloc::vec::Vec<u64>) =
			OpenByJob::<T>::get(job).into_iter().partition(of_attempt);
		for id in dismissed {
			Disputes::<T>::remove(id);
			Self::deposit_event(Event::Dismissed { id });
		}
		match frame_support::BoundedVec::try_from(kept) {
			Ok(kept) if !kept.is_empty() => OpenByJob::<T>::insert(job, kept),
			// A part of a bounded list is within the bound, so this is the empty one.
			_ => OpenByJob::<T>::remove(job),
		}
	}
}
