//! What neighbours ask of the registry.

use crate::types::ABSENCES_TO_UNRESPONSIVE;
use crate::{
	BondAtWork, Collateral, Config, Error, Event, Operator, Pallet, ReadyVerifiers, Registry, Role, Service, State,
};
use alloc::vec::Vec;
use assay_protocol::{
	economics::draw_is_fair,
	interfaces::{Operators, SlashSplit, VerifierFault},
	sampling::{draw_candidates, Candidate},
	Balance, BlockNumber, Hash, JobId,
};
use codec::Encode;
use frame_support::ensure;
use sp_runtime::DispatchError;

impl<T: Config> Operators<T::AccountId> for Pallet<T> {
	type Error = DispatchError;

	fn can_work(who: &T::AccountId, collateral: Balance) -> Result<(), DispatchError> {
		Self::able_worker(who, collateral)?;
		Ok(())
	}

	fn takes_work(who: &T::AccountId) -> bool {
		Registry::<T>::get(Role::Worker, who).is_some_and(|worker| worker.state.takes_work())
	}

	fn lock_collateral(who: &T::AccountId, job: JobId, amount: Balance) -> Result<(), DispatchError> {
		let mut worker = Self::able_worker(who, amount)?;
		ensure!(!Collateral::<T>::contains_key(who, job), Error::<T>::CollateralExists);
		let duties = worker.state.duties().checked_add(1).ok_or(Error::<T>::DutiesOverflow)?;
		worker.state = worker.state.with_duties(duties);
		worker.locked = worker.locked.saturating_add(amount);
		Collateral::<T>::insert(who, job, amount);
		Self::store(Role::Worker, who, &worker);
		Self::deposit_event(Event::CollateralLocked { who: who.clone(), job, amount });
		Ok(())
	}

	fn release_collateral(who: &T::AccountId, job: JobId, success: bool, forfeit: Balance) -> Balance {
		let Some((mut worker, amount)) = Self::take_collateral(who, job) else { return 0 };
		let burned = Self::burn_bond(Role::Worker, who, &mut worker, forfeit.min(amount));
		Self::count(&mut worker, success);
		Self::store(Role::Worker, who, &worker);
		Self::deposit_event(Event::CollateralReleased { who: who.clone(), job, success, burned });
		burned
	}

	fn slash_collateral(
		who: &T::AccountId,
		job: JobId,
		client: &T::AccountId,
		client_cap: Balance,
		challenger: Option<&T::AccountId>,
	) -> SlashSplit {
		Self::do_slash_collateral(who, job, client, client_cap, challenger)
	}

	fn draw_verifiers(seed: &Hash, at: BlockNumber, count: u32, exclude: &[T::AccountId]) -> Vec<T::AccountId> {
		let able: Vec<(T::AccountId, Vec<u8>, Balance)> = ReadyVerifiers::<T>::get()
			.into_iter()
			.filter(|entry| entry.since <= at && !exclude.contains(&entry.who))
			.map(|entry| (entry.who.clone(), entry.who.encode(), entry.weight))
			.collect();
		let candidates: Vec<Candidate<'_>> =
			able.iter().map(|(_, id, weight)| Candidate { id, weight: *weight }).collect();
		draw_candidates(seed, &candidates, count)
			.into_iter()
			.filter_map(|at| able.get(at).map(|(who, ..)| who.clone()))
			.collect()
	}

	fn bond_at_work() -> Balance {
		BondAtWork::<T>::get()
	}

	fn is_fair(at: BlockNumber, before: Balance, barred: &[T::AccountId], checking: &[T::AccountId]) -> bool {
		let sum = |total: Balance, bond: Balance| total.saturating_add(bond);
		let verifiers = ReadyVerifiers::<T>::get();
		let free = || verifiers.iter().filter(|entry| !barred.contains(&entry.who) && !checking.contains(&entry.who));
		let ready = free().filter(|entry| entry.since <= at).map(|entry| entry.weight).fold(0, sum);
		// Bonds that are too new to be drawn are on neither side: or whoever adds some would stop every draw.
		let young = free().filter(|entry| entry.since > at).map(|entry| entry.weight).fold(0, sum);
		let mut apart: Vec<&T::AccountId> = barred.iter().chain(checking).collect();
		apart.sort_unstable();
		apart.dedup();
		let apart = apart
			.into_iter()
			.filter_map(|who| Registry::<T>::get(Role::Verifier, who))
			.map(|verifier| verifier.at_work())
			.fold(0, sum);
		let at_work = BondAtWork::<T>::get().saturating_sub(young).max(before);
		draw_is_fair(ready, at_work.saturating_sub(apart))
	}

	fn lock_check(who: &T::AccountId) -> Result<(), DispatchError> {
		let mut verifier = Self::registered(Role::Verifier, who)?;
		ensure!(verifier.state.takes_work(), Error::<T>::NotTakingWork);
		let Service::Verifier { check_stake, .. } = verifier.service else {
			return Err(Error::<T>::NotRegistered.into());
		};
		ensure!(verifier.free() >= check_stake, Error::<T>::FreeBondTooSmall);
		let duties = verifier.state.duties().checked_add(1).ok_or(Error::<T>::DutiesOverflow)?;
		verifier.state = verifier.state.with_duties(duties);
		verifier.locked = verifier.locked.saturating_add(check_stake);
		Self::store(Role::Verifier, who, &verifier);
		Ok(())
	}

	fn release_check(who: &T::AccountId, honest: bool) {
		let Some((mut verifier, _)) = Self::take_check(who) else { return };
		Self::count(&mut verifier, honest);
		Self::store(Role::Verifier, who, &verifier);
	}

	fn slash_check(who: &T::AccountId, fault: VerifierFault, beneficiary: Option<&T::AccountId>) -> SlashSplit {
		Self::do_slash_check(who, fault, beneficiary)
	}

	fn note_absence(who: &T::AccountId) {
		// The machine was away, so the absence counts in every role that the account has.
		for role in [Role::Worker, Role::Verifier] {
			let Some(mut operator) = Registry::<T>::get(role, who) else { continue };
			let reputation = &mut operator.reputation;
			reputation.absences = reputation.absences.saturating_add(1);
			reputation.absences_in_row = reputation.absences_in_row.saturating_add(1);
			let in_row = reputation.absences_in_row;
			if in_row >= ABSENCES_TO_UNRESPONSIVE && operator.state.takes_work() {
				operator.state = State::Unresponsive { duties: operator.state.duties() };
				Self::deposit_event(Event::StateChanged { role, who: who.clone(), state: operator.state });
			}
			Self::store(role, who, &operator);
			Self::deposit_event(Event::AbsenceNoted { role, who: who.clone(), in_row });
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn enlist(who: &T::AccountId, bond: Balance) {
		crate::benchmarking::enlist::<T>(who, bond);
	}
}

impl<T: Config> Pallet<T> {
	/// The worker's record, if it can take one more job with this collateral.
	fn able_worker(who: &T::AccountId, collateral: Balance) -> Result<Operator, Error<T>> {
		let worker = Self::registered(Role::Worker, who)?;
		ensure!(worker.state.takes_work(), Error::<T>::NotTakingWork);
		let Service::Worker(capabilities) = &worker.service else { return Err(Error::<T>::NotRegistered) };
		ensure!(worker.state.duties() < capabilities.slots, Error::<T>::SlotsTaken);
		ensure!(worker.free() >= collateral, Error::<T>::FreeBondTooSmall);
		Ok(worker)
	}

	/// Ends a job's reservation: the record with the duty gone, and the collateral, free again. Not stored yet.
	pub(crate) fn take_collateral(who: &T::AccountId, job: JobId) -> Option<(Operator, Balance)> {
		let mut worker = Registry::<T>::get(Role::Worker, who)?;
		let amount = Collateral::<T>::take(who, job)?;
		worker.locked = worker.locked.saturating_sub(amount);
		worker.state = worker.state.with_duties(worker.state.duties().saturating_sub(1));
		Some((worker, amount))
	}

	/// Ends one check's reservation: the record with the duty gone, and its stake, free again. Not stored yet.
	pub(crate) fn take_check(who: &T::AccountId) -> Option<(Operator, Balance)> {
		let mut verifier = Registry::<T>::get(Role::Verifier, who)?;
		let Service::Verifier { check_stake, .. } = verifier.service else { return None };
		let duties = verifier.state.duties().checked_sub(1)?;
		verifier.locked = verifier.locked.saturating_sub(check_stake);
		verifier.state = verifier.state.with_duties(duties);
		Some((verifier, check_stake))
	}

	/// Counts the end of a duty.
	fn count(operator: &mut Operator, success: bool) {
		let reputation = &mut operator.reputation;
		if success {
			reputation.done = reputation.done.saturating_add(1);
			reputation.absences_in_row = 0;
		} else {
			reputation.failed = reputation.failed.saturating_add(1);
		}
	}
}
