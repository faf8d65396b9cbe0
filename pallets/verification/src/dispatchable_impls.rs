use crate::{
	draw_impls::Current, weights::Size, Config, Error, Event, MilestoneRecordOf, Milestones, Openings, Pallet,
};
use alloc::vec::Vec;
use assay_commitment::BoundaryOpening;
use assay_protocol::{
	holding::{self, Holding},
	interfaces::{Leases, Operators},
	round::{Challenge, Effect, Phase, Round, SegmentRound},
	sampling::{draw_segments, milestone_seed, tranche_seed},
	Hash, JobId, MilestoneIndex, Reason, SegmentIndex,
};
use frame_support::{
	ensure,
	pallet_prelude::{DispatchError, DispatchResult},
};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_commit_milestone(
		who: T::AccountId,
		job: JobId,
		index: MilestoneIndex,
		root: Hash,
	) -> DispatchResult {
		let lease = T::Leases::lease(job).ok_or(Error::<T>::NoSuchLease)?;
		ensure!(who == lease.worker, refused::<T>(Reason::NotLeaseholder));
		let ahead = index.checked_sub(lease.next_milestone).filter(|_| index < lease.milestones);
		let ahead = ahead.ok_or(refused::<T>(Reason::MilestoneOutOfOrder))?;
		let in_order =
			ahead == 0 || index.checked_sub(1).is_some_and(|before| Milestones::<T>::contains_key(job, before));
		ensure!(in_order && !Milestones::<T>::contains_key(job, index), refused::<T>(Reason::MilestoneOutOfOrder));
		ensure!(ahead < lease.parameters.run_ahead.max(1), refused::<T>(Reason::RunAheadExceeded));
		let now = Self::now();
		ensure!(!lease.cancelling, refused::<T>(Reason::CancelledByClient));
		ensure!(now <= lease.deadline, refused::<T>(Reason::DeadlinePassed));
		let round = Round::commit(root, now);
		let bond_at_work = T::Operators::bond_at_work();
		let record = MilestoneRecordOf::<T> { attempt: lease.attempt, worker: who, seed: None, bond_at_work, round };
		Milestones::<T>::insert(job, index, record);
		T::Leases::progressed(job);
		Self::deposit_event(Event::MilestoneCommitted { job, index, root });
		Ok(())
	}

	/// Returns the size of the round.
	pub(crate) fn do_draw(job: JobId, index: MilestoneIndex) -> Result<Size, DispatchError> {
		let Current { lease, mut record, context } = Self::current(job, index)?;
		let now = Self::now();
		let seed = match record.seed {
			Some(seed) if record.round.phase == Phase::Waiting => seed,
			_ => {
				let blocks = record.round.beacon(&context, now).map_err(refused::<T>)?;
				let vrfs = Self::vrfs_of(blocks).ok_or(refused::<T>(Reason::BeaconMissing))?;
				milestone_seed(job, lease.attempt, &record.round.root, &vrfs)
			}
		};
		let barred = [lease.worker, lease.client];
		let at = record.round.committed_at;
		// Those who have left for good do not hold up draws for ever.
		let before = if now > record.round.draw_until(&context.parameters) { 0 } else { record.bond_at_work };
		if !T::Operators::is_fair(at, before, &barred, &[]) {
			// The seed stays: waiting brings no other draw.
			record.round.wait(&context, now).map_err(|_| refused::<T>(Reason::TooFewReady))?;
			record.seed = Some(seed);
			Self::deposit_event(Event::DrawWaits { job, index, seed });
			let size = Size::of_phase(&record.round.phase);
			Self::finish(job, index, record, Vec::new())?;
			return Ok(size);
		}
		let mut busy = Vec::new();
		let mut segments = Vec::new();
		for segment in draw_segments(&seed, context.range, lease.spec.verify.drawn) {
			let seed = tranche_seed(&seed, segment, 1);
			let verifiers = Self::assign(&seed, at, lease.spec.verify.verifiers, &barred, &busy);
			busy.extend(verifiers.iter().cloned());
			segments.push((segment, verifiers));
		}
		record.round.draw(&context, segments.clone(), now).map_err(refused::<T>)?;
		record.seed = Some(seed);
		Self::deposit_event(Event::Drawn { job, index, seed, segments });
		let size = Size::of_phase(&record.round.phase);
		// The bonds are reserved already: each draw must see the reservations of the one before.
		Self::finish(job, index, record, Vec::new())?;
		Ok(size)
	}

	pub(crate) fn do_commit_blind(
		who: T::AccountId,
		job: JobId,
		index: MilestoneIndex,
		segment: SegmentIndex,
		hash: Hash,
	) -> DispatchResult {
		let Current { mut record, context, .. } = Self::current(job, index)?;
		record.round.commit_blind(&context, &who, segment, hash, Self::now()).map_err(refused::<T>)?;
		Self::deposit_event(Event::BlindCommitted { job, index, segment, verifier: who });
		Self::note_opening_due(job, index, &record);
		Self::finish(job, index, record, Vec::new())
	}

	pub(crate) fn do_open(who: T::AccountId, job: JobId, index: MilestoneIndex, openings: Openings) -> DispatchResult {
		let Current { mut record, context, .. } = Self::current(job, index)?;
		ensure!(who == record.worker, refused::<T>(Reason::NotLeaseholder));
		record.round.open(&context, &openings, Self::now()).map_err(refused::<T>)?;
		if let Phase::Reveal { until, .. } = &record.round.phase {
			Self::deposit_event(Event::Opened { job, index, until: *until });
		}
		Self::finish(job, index, record, Vec::new())
	}

	pub(crate) fn do_reveal(
		who: T::AccountId,
		job: JobId,
		index: MilestoneIndex,
		segment: SegmentIndex,
		nonce: Hash,
		found: (Hash, Hash),
	) -> DispatchResult {
		let Current { mut record, context, .. } = Self::current(job, index)?;
		let account: [u8; 32] = who.clone().into();
		let effects =
			record.round.reveal(&context, &who, account, segment, nonce, found, Self::now()).map_err(refused::<T>)?;
		let agreed = matches!(effects.as_slice(), [Effect::ReleaseCheck { .. }]);
		Self::deposit_event(Event::Revealed { job, index, segment, verifier: who, agreed });
		Self::finish(job, index, record, effects)
	}

	/// Returns the size of the round before.
	pub(crate) fn do_settle(job: JobId, index: MilestoneIndex) -> Result<Size, DispatchError> {
		let Current { mut record, context, .. } = Self::current(job, index)?;
		let now = Self::now();
		let size = Size::of_phase(&record.round.phase);
		let effects = record.round.settle(&context, now).map_err(refused::<T>)?;
		Self::note_opening_due(job, index, &record);
		Self::finish(job, index, record, effects)?;
		Ok(size)
	}

	/// Returns the size of the round.
	pub(crate) fn do_redraw(job: JobId, index: MilestoneIndex) -> Result<Size, DispatchError> {
		let Current { lease, mut record, context } = Self::current(job, index)?;
		let now = Self::now();
		let mut replacements = record.round.replacements(&context, now);
		ensure!(!replacements.is_empty(), refused::<T>(Reason::TooEarly));
		let before = Size::of_phase(&record.round.phase);
		let seed = record.seed.ok_or(refused::<T>(Reason::WrongPhase))?;
		let mut busy: Vec<T::AccountId> = record
			.round
			.phase
			.segments()
			.iter()
			.flat_map(|entry| &entry.checks)
			.filter(|check| check.state.is_live())
			.map(|check| check.verifier.clone())
			.collect();
		// Where others keep too many busy for too long, nobody is drawn: the segment goes on with those it has, or not at all.
		let at = record.round.committed_at;
		let parties = [lease.worker.clone(), lease.client.clone()];
		// Time for all the tranches there could be: sooner, and whoever keeps others busy would have a segment unjudged;
		// later, and all stakes of the round would be kept as long as that lasts.
		let tranches = context.parameters.blind_window.saturating_mul(context.parameters.max_tranches);
		let last = record.round.phase.segments().iter().map(|entry| entry.until).max().unwrap_or(now);
		// Those who have left for good do not hold up draws for ever.
		let bond_before = if now > last.saturating_add(tranches) { 0 } else { record.bond_at_work };
		let fair = T::Operators::is_fair(at, bond_before, &parties, &busy);
		let patience = tranches.saturating_mul(2);
		let given_up = |entry: &SegmentRound<T::AccountId>| now > entry.until.saturating_add(patience);
		let waits: Vec<SegmentIndex> = record
			.round
			.phase
			.segments()
			.iter()
			.filter(|entry| !fair && !given_up(entry))
			.map(|entry| entry.segment)
			.collect();
		replacements.retain(|replacement| !waits.contains(&replacement.segment));
		ensure!(!replacements.is_empty(), refused::<T>(Reason::TooFewReady));
		let mut effects = Vec::new();
		for replacement in replacements {
			let segment = replacement.segment;
			let mut barred = replacement.exclude;
			barred.extend(parties.iter().cloned());
			let seed = tranche_seed(&seed, segment, replacement.tranche);
			let count = if fair { replacement.count } else { 0 };
			let verifiers = Self::assign(&seed, at, count, &barred, &busy);
			busy.extend(verifiers.iter().cloned());
			let asked = record.round.redraw(&context, segment, verifiers.clone(), now).map_err(refused::<T>)?;
			// The new ones' bonds are reserved already.
			effects.extend(asked.into_iter().filter(|effect| !matches!(effect, Effect::LockCheck(_))));
			Self::deposit_event(Event::Redrawn { job, index, segment, verifiers });
		}
		// Those dismissed are work as those drawn in their place.
		let after = Size::of_phase(&record.round.phase);
		let size = Size { segments: after.segments, checks: before.checks.saturating_add(after.checks) };
		Self::note_opening_due(job, index, &record);
		Self::finish(job, index, record, effects)?;
		Ok(size)
	}

	pub(crate) fn do_report_unserved(
		who: T::AccountId,
		job: JobId,
		index: MilestoneIndex,
		segment: SegmentIndex,
	) -> DispatchResult {
		let Current { mut record, context, .. } = Self::current(job, index)?;
		let until = record.round.report_unserved(&context, &who, segment, Self::now()).map_err(refused::<T>)?;
		match until {
			Some(until) => Self::deposit_event(Event::Unserved { job, index, segment, verifier: who, until }),
			None => Self::deposit_event(Event::AlsoUnserved { job, index, segment, verifier: who }),
		}
		Self::finish(job, index, record, Vec::new())
	}

	pub(crate) fn do_answer_challenge(
		who: T::AccountId,
		job: JobId,
		index: MilestoneIndex,
		segment: SegmentIndex,
		opening: Option<BoundaryOpening>,
		holding: Holding,
	) -> DispatchResult {
		let Current { lease, mut record, context } = Self::current(job, index)?;
		ensure!(who == record.worker, refused::<T>(Reason::NotLeaseholder));
		let challenge = record.round.phase.segments().iter().find(|entry| entry.segment == segment);
		let (tranche, until) = match challenge.map(|entry| (entry.tranche, entry.challenge)) {
			Some((tranche, Challenge::Open { until })) => (tranche, until),
			Some(_) => return Err(refused::<T>(Reason::WrongPhase).into()),
			None => return Err(refused::<T>(Reason::NotDrawn).into()),
		};
		record.round.answer_unserved(&context, segment, opening.as_ref(), Self::now()).map_err(refused::<T>)?;
		let proven = record.round.phase.segments().iter().find(|entry| entry.segment == segment);
		let pre_root = proven.and_then(|entry| entry.pre_root).ok_or(refused::<T>(Reason::OpeningInvalid))?;
		let seed = holding::seed(&record.round.root, segment, tranche, until);
		ensure!(holding.verify(&seed, &pre_root, lease.spec.program.n_state), Error::<T>::HoldingInvalid);
		Self::deposit_event(Event::ChallengeAnswered { job, index, segment, pre_root });
		Self::finish(job, index, record, Vec::new())
	}

	fn note_opening_due(job: JobId, index: MilestoneIndex, record: &MilestoneRecordOf<T>) {
		if let Phase::Opening { until, .. } = &record.round.phase {
			Self::deposit_event(Event::OpeningDue { job, index, until: *until });
		}
	}
}

fn refused<T: Config>(reason: Reason) -> Error<T> {
	Error::Refused(reason.into())
}
