use crate::{Candidates, Config, Pallet, Slashes, LOG_TARGET};
use alloc::vec::Vec;
use frame_support::traits::{Get, ValidatorRegistration, ValidatorSet};
use pallet_session::{historical, SessionInterface};
use sp_runtime::traits::Convert;
use sp_staking::SessionIndex;

/// A validator's full identification: nothing but its account, for the bond that answers stays held under it.
pub struct Identification;

impl<AccountId> Convert<AccountId, Option<()>> for Identification {
	fn convert(_: AccountId) -> Option<()> {
		Some(())
	}
}

impl<T: Config> Pallet<T> {
	/// Every candidate with session keys; while there is none, the set at work carries on.
	fn next_set() -> Option<Vec<T::AccountId>> {
		let ready: Vec<_> = Candidates::<T>::get()
			.into_iter()
			.map(|candidate| candidate.account)
			.filter(T::Session::is_registered)
			.collect();
		if !ready.is_empty() {
			return Some(ready);
		}
		log::error!(target: LOG_TARGET, "no candidate has session keys; the current validators carry on");
		let current = <T::Session as ValidatorSet<T::AccountId>>::validators();
		(!current.is_empty()).then_some(current)
	}
}

impl<T: Config> pallet_session::SessionManager<T::AccountId> for Pallet<T> {
	fn new_session(_: SessionIndex) -> Option<Vec<T::AccountId>> {
		Self::next_set()
	}

	fn start_session(_: SessionIndex) {}

	/// Drops the evidence and the slash records of sessions that nobody answers for any more.
	fn end_session(end: SessionIndex) {
		let Some(first_kept) = end.checked_sub(T::BondingSessions::get()) else { return };
		T::Session::prune_up_to(first_kept);
		if let Some(dropped) = first_kept.checked_sub(1) {
			// One record per validator of one session at most, hence within the limit.
			let _ = Slashes::<T>::clear_prefix(dropped, T::MaxValidators::get(), None);
		}
	}
}

impl<T: Config> historical::SessionManager<T::AccountId, ()> for Pallet<T> {
	fn new_session(_: SessionIndex) -> Option<Vec<(T::AccountId, ())>> {
		Some(Self::next_set()?.into_iter().map(|account| (account, ())).collect())
	}

	fn start_session(start: SessionIndex) {
		<Self as pallet_session::SessionManager<_>>::start_session(start)
	}

	fn end_session(end: SessionIndex) {
		<Self as pallet_session::SessionManager<_>>::end_session(end)
	}
}
