use crate::{
	BalanceOf, Candidate, Candidates, Config, DepartureCause, Error, Event, HoldReason, Leaving, Pallet, Unbonding,
};
use frame_support::{
	ensure,
	traits::{fungible::MutateHold, tokens::Precision, Get, ValidatorRegistration, ValidatorSet},
};
use sp_runtime::{
	traits::{Saturating, Zero},
	DispatchError, DispatchResult,
};
use sp_staking::SessionIndex;

/// Planned one session ahead, a set still works for one whole session after the one in which it is left. The session
/// after that is the first without the validator, and a session's evidence is dropped as the following one begins.
const SESSIONS_TO_STAND_DOWN: SessionIndex = 3;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_register(who: T::AccountId, bond: BalanceOf<T>) -> DispatchResult {
		ensure!(!Leaving::<T>::contains_key(&who), Error::<T>::StillUnbonding);
		ensure!(bond >= T::MinBond::get(), Error::<T>::BondTooSmall);
		ensure!(T::Session::is_registered(&who), Error::<T>::NoSessionKeys);
		let candidates = Candidates::<T>::get();
		ensure!(!candidates.iter().any(|c| c.account == who), Error::<T>::AlreadyRegistered);
		if candidates.is_full() {
			let smallest = candidates.iter().min_by_key(|c| c.bond).ok_or(Error::<T>::Outbid)?;
			ensure!(bond > smallest.bond, Error::<T>::Outbid);
			Self::depart(&smallest.account, DepartureCause::Outbid);
		}
		Self::admit(&who, bond)?;
		Self::deposit_event(Event::Registered { validator: who, bond });
		Ok(())
	}

	pub(crate) fn do_raise_bond(who: T::AccountId, extra: BalanceOf<T>) -> DispatchResult {
		let bond = Candidates::<T>::try_mutate(|candidates| -> Result<_, DispatchError> {
			let candidate = candidates.iter_mut().find(|c| c.account == who).ok_or(Error::<T>::NotRegistered)?;
			T::Currency::hold(&HoldReason::Bond.into(), &who, extra)?;
			candidate.bond = candidate.bond.saturating_add(extra);
			Ok(candidate.bond)
		})?;
		Self::deposit_event(Event::BondRaised { validator: who, bond });
		Ok(())
	}

	pub(crate) fn do_leave(who: T::AccountId) -> DispatchResult {
		let candidates = Candidates::<T>::get();
		ensure!(candidates.iter().any(|c| c.account == who), Error::<T>::NotRegistered);
		ensure!(candidates.len() as u32 > T::MinValidators::get(), Error::<T>::TooFewValidators);
		Self::depart(&who, DepartureCause::Requested);
		Ok(())
	}

	pub(crate) fn do_withdraw(who: T::AccountId) -> DispatchResult {
		let unbonding = Leaving::<T>::get(&who).ok_or(Error::<T>::NotUnbonding)?;
		ensure!(T::Session::session_index() >= unbonding.until, Error::<T>::TooEarly);
		// A set with no willing candidate is carried on: whoever is in it still answers with its bond.
		let validators = <T::Session as ValidatorSet<T::AccountId>>::validators();
		ensure!(!validators.contains(&who), Error::<T>::StillValidating);
		if !unbonding.bond.is_zero() {
			T::Currency::release(&HoldReason::Bond.into(), &who, unbonding.bond, Precision::Exact)?;
		}
		Leaving::<T>::remove(&who);
		Self::deposit_event(Event::Withdrawn { validator: who, bond: unbonding.bond });
		Ok(())
	}

	/// Holds the bond and lists the candidate.
	pub(crate) fn admit(who: &T::AccountId, bond: BalanceOf<T>) -> DispatchResult {
		Candidates::<T>::try_mutate(|candidates| {
			ensure!(!candidates.iter().any(|c| c.account == *who), Error::<T>::AlreadyRegistered);
			T::Currency::hold(&HoldReason::Bond.into(), who, bond)?;
			candidates.try_push(Candidate { account: who.clone(), bond }).map_err(|_| Error::<T>::Outbid.into())
		})
	}

	/// Moves a candidate to the leavers. Does nothing for other accounts.
	pub(crate) fn depart(who: &T::AccountId, cause: DepartureCause) {
		let Some(bond) = Candidates::<T>::mutate(|candidates| {
			let position = candidates.iter().position(|c| c.account == *who)?;
			Some(candidates.remove(position).bond)
		}) else {
			return;
		};
		let until = T::Session::session_index()
			.saturating_add(T::BondingSessions::get())
			.saturating_add(SESSIONS_TO_STAND_DOWN);
		Leaving::<T>::insert(who, Unbonding { bond, until });
		Self::deposit_event(Event::Departed { validator: who.clone(), cause, until });
	}
}
