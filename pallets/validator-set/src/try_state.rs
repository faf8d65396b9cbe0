use crate::{Candidates, Config, EpochLength, HoldReason, Leaving, Pallet, SlotDuration};
use alloc::collections::BTreeSet;
use codec::Encode;
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// 1. No account is a candidate twice.
	/// 2. No account is both a candidate and leaving.
	/// 3. Every recorded bond is exactly what is on hold.
	/// 4. Slots and epochs have a length.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		let reason = HoldReason::Bond.into();
		let mut seen = BTreeSet::new();
		for candidate in Candidates::<T>::get() {
			ensure!(seen.insert(candidate.account.encode()), "an account is a candidate twice");
			ensure!(!Leaving::<T>::contains_key(&candidate.account), "a candidate is leaving");
			ensure!(
				T::Currency::balance_on_hold(&reason, &candidate.account) == candidate.bond,
				"a candidate's bond differs from its hold"
			);
		}
		for (account, unbonding) in Leaving::<T>::iter() {
			ensure!(
				T::Currency::balance_on_hold(&reason, &account) == unbonding.bond,
				"a leaver's bond differs from its hold"
			);
		}
		ensure!(SlotDuration::<T>::get() >= 2, "a slot has no length");
		ensure!(EpochLength::<T>::get() > 0, "an epoch has no length");
		Ok(())
	}
}
