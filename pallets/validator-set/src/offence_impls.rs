use crate::{
	BalanceOf, Candidates, Config, DepartureCause, Event, HoldReason, Leaving, Pallet, Slash, Slashes, WeightInfo,
};
use frame_support::{
	traits::{fungible::BalancedHold, Get, Imbalance},
	weights::Weight,
};
use pallet_session::SessionInterface;
use sp_runtime::{
	traits::{Saturating, Zero},
	Perbill,
};
use sp_staking::{
	offence::{OffenceDetails, OffenceSeverity, OnOffenceHandler},
	SessionIndex,
};

impl<T: Config> OnOffenceHandler<T::AccountId, (T::AccountId, ()), Weight> for Pallet<T> {
	/// Each report names every offender of its slot again, with a fraction that has grown with their number.
	fn on_offence(
		offenders: &[OffenceDetails<T::AccountId, (T::AccountId, ())>],
		fractions: &[Perbill],
		session: SessionIndex,
	) -> Weight {
		for (details, fraction) in offenders.iter().zip(fractions) {
			if !fraction.is_zero() {
				Self::punish(&details.offender.0, (*fraction).max(T::MinSlash::get()), session);
			}
		}
		T::WeightInfo::punish().saturating_mul(offenders.len() as u64)
	}
}

impl<T: Config> Pallet<T> {
	/// Burns what is still due for `session`, disables the offender and takes it out of the candidates.
	fn punish(who: &T::AccountId, fraction: Perbill, session: SessionIndex) {
		T::Session::report_offence(who.clone(), OffenceSeverity(fraction));
		let Some(bond) = Self::bond_of(who) else { return };
		let slash = Slashes::<T>::get(session, who).unwrap_or(Slash { base: bond, taken: Zero::zero() });
		let due = fraction.mul_ceil(slash.base).saturating_sub(slash.taken).min(bond);
		if !due.is_zero() {
			// Dropping the credit burns it.
			let burnt = {
				let (credit, _) = T::Currency::slash(&HoldReason::Bond.into(), who, due);
				credit.peek()
			};
			Self::lower_bond(who, burnt);
			Slashes::<T>::insert(session, who, Slash { base: slash.base, taken: slash.taken.saturating_add(burnt) });
			Self::deposit_event(Event::Slashed { validator: who.clone(), session, amount: burnt });
		}
		Self::depart(who, DepartureCause::Offence);
	}

	/// The bond held for an account, candidate or leaver.
	pub fn bond_of(who: &T::AccountId) -> Option<BalanceOf<T>> {
		Candidates::<T>::get()
			.into_iter()
			.find(|candidate| candidate.account == *who)
			.map(|candidate| candidate.bond)
			.or_else(|| Leaving::<T>::get(who).map(|unbonding| unbonding.bond))
	}

	fn lower_bond(who: &T::AccountId, by: BalanceOf<T>) {
		let listed = Candidates::<T>::mutate(|candidates| {
			let candidate = candidates.iter_mut().find(|candidate| candidate.account == *who)?;
			candidate.bond = candidate.bond.saturating_sub(by);
			Some(())
		});
		if listed.is_none() {
			Leaving::<T>::mutate(who, |unbonding| {
				if let Some(unbonding) = unbonding {
					unbonding.bond = unbonding.bond.saturating_sub(by);
				}
			});
		}
	}
}
