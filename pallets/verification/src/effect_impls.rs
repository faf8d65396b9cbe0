//! Carrying out what a round asks for.

use crate::{Config, Error, Event, MilestoneRecordOf, Milestones, Pallet};
use alloc::vec::Vec;
use assay_protocol::{
	interfaces::{Accusation, Court, Leases, OnVerdict, Operators, Rounds},
	round::{Effect, Phase},
	JobId, MilestoneIndex, Reason, SegmentIndex,
};
use frame_support::{defensive, pallet_prelude::DispatchResult, storage::with_storage_layer};

impl<T: Config> Pallet<T> {
	/// Stores a round after a transition, or removes it if it is over, and carries out the effects in order. The round is
	/// stored first, so that a neighbour that asks back sees the new state.
	pub(crate) fn finish(
		job: JobId,
		index: MilestoneIndex,
		record: MilestoneRecordOf<T>,
		effects: Vec<Effect<T::AccountId>>,
	) -> DispatchResult {
		let (attempt, worker) = (record.attempt, record.worker.clone());
		let failed = match &record.round.phase {
			Phase::Failed(reason) => Some(*reason),
			_ => None,
		};
		if record.round.phase.is_final() {
			Milestones::<T>::remove(job, index);
		} else {
			Milestones::<T>::insert(job, index, record);
		}
		if let Some(reason) = failed {
			Self::end_attempt(job, index, attempt, reason);
		}
		for effect in effects {
			Self::carry_out(job, index, attempt, &worker, effect)?;
		}
		Ok(())
	}

	fn carry_out(
		job: JobId,
		index: MilestoneIndex,
		attempt: u32,
		worker: &T::AccountId,
		effect: Effect<T::AccountId>,
	) -> DispatchResult {
		match effect {
			Effect::LockCheck(verifier) => T::Operators::lock_check(&verifier),
			Effect::ReleaseCheck { verifier, honest } => {
				T::Operators::release_check(&verifier, honest);
				Ok(())
			}
			Effect::SlashCheck { verifier, fault, to_worker } => {
				T::Operators::slash_check(&verifier, fault, to_worker.then_some(worker));
				Ok(())
			}
			Effect::NoteAbsence(verifier) => {
				T::Operators::note_absence(&verifier);
				Ok(())
			}
			Effect::Accuse { segment, challenger, pre_root, claimed_root, found_root } => T::Court::open(Accusation {
				job,
				attempt,
				milestone: index,
				segment,
				defender: worker.clone(),
				challenger,
				pre_root,
				claimed_root,
				found_root,
			})
			.map(|_| ()),
			Effect::Verified { state_root, checkers } => {
				T::Leases::milestone_verified(job, index, state_root, &checkers)?;
				Self::start_next(job, index);
				let checks = checkers.len() as u32;
				Self::deposit_event(Event::MilestoneVerified { job, index, state_root, checks });
				Ok(())
			}
			Effect::WorkerFault { fault, challenger, checkers } => {
				T::Leases::worker_fault(job, fault, challenger.as_ref(), &checkers)
			}
			Effect::LeaseFailed { reason, unserved_ppm, idle_seats, checkers } => {
				T::Leases::lease_failed(job, reason, unserved_ppm, idle_seats, &checkers)
			}
		}
	}

	/// The next milestone can be drawn now. Its beacon starts here: the blocks after its commitment may be long forgotten,
	/// and these are unknown to its worker just the same.
	fn start_next(job: JobId, verified: MilestoneIndex) {
		Milestones::<T>::mutate(job, verified.saturating_add(1), |next| {
			if let Some(next) = next {
				next.round.committed_at = Self::now();
				next.bond_at_work = T::Operators::bond_at_work();
			}
		});
	}

	/// The lease ends with a failed milestone: what it committed beyond has no value, and its other disputes are decided.
	fn end_attempt(job: JobId, failed: MilestoneIndex, attempt: u32, reason: Reason) {
		T::Court::dismiss(job, attempt);
		Self::deposit_event(Event::MilestoneFailed { job, index: failed, reason });
		let mut index = failed.saturating_add(1);
		// At most the run-ahead, and without checks: only the failed one was drawn.
		while Milestones::<T>::take(job, index).is_some() {
			Self::deposit_event(Event::MilestoneFailed { job, index, reason: Reason::Superseded });
			index = index.saturating_add(1);
		}
	}

	fn do_verdict(
		job: JobId,
		attempt: u32,
		index: MilestoneIndex,
		segment: SegmentIndex,
		challenger: &T::AccountId,
		worker_lost: bool,
	) -> DispatchResult {
		// A round that has ended dismissed its disputes; a verdict for it would change nothing.
		let Some(mut record) = Milestones::<T>::get(job, index).filter(|record| record.attempt == attempt) else {
			return Ok(());
		};
		let effects = record
			.round
			.verdict(segment, challenger, worker_lost)
			.map_err(|reason| Error::<T>::Refused(reason.into()))?;
		Self::finish(job, index, record, effects)
	}
}

impl<T: Config> OnVerdict<T::AccountId> for Pallet<T> {
	fn verdict(
		job: JobId,
		attempt: u32,
		milestone: MilestoneIndex,
		segment: SegmentIndex,
		challenger: &T::AccountId,
		worker_lost: bool,
	) {
		let carried_out =
			with_storage_layer(|| Self::do_verdict(job, attempt, milestone, segment, challenger, worker_lost));
		if let Err(error) = carried_out {
			defensive!("disputes run only about a round that waits for them", error);
		}
	}
}

impl<T: Config> Rounds for Pallet<T> {
	fn undecided(job: JobId, attempt: u32) -> bool {
		// All milestones of a job belong to its one running lease, so the first one tells.
		Milestones::<T>::iter_prefix_values(job).next().is_some_and(|record| record.attempt == attempt)
	}
}
