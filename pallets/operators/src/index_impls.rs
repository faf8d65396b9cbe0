//! The record store and the index of verifiers that can be drawn. Every write of a record goes through [`Pallet::store`]
//! or [`Pallet::remove`] unless it cannot change the index, so index and records never disagree.

use crate::{BondAtWork, Config, Drawable, Error, Operator, Pallet, ReadyVerifiers, Registry, Role, VerifierCount};
use assay_protocol::{Balance, BlockNumber};
use sp_runtime::{traits::BlockNumberProvider, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// Blocks in which users could transact.
	pub(crate) fn now() -> BlockNumber {
		T::Clock::current_block_number().saturated_into()
	}

	/// The record of an operator, or the error that says it has none.
	pub(crate) fn registered(role: Role, who: &T::AccountId) -> Result<Operator, Error<T>> {
		Registry::<T>::get(role, who).ok_or(Error::<T>::NotRegistered)
	}

	/// Writes a record and brings the index up to date.
	pub(crate) fn store(role: Role, who: &T::AccountId, operator: &Operator) {
		if role == Role::Verifier {
			Self::index(who, operator.draw_weight());
			Self::count_bond(Registry::<T>::get(role, who).as_ref(), Some(operator));
		}
		Registry::<T>::insert(role, who, operator);
	}

	/// Removes a record.
	pub(crate) fn remove(role: Role, who: &T::AccountId) {
		if role == Role::Verifier {
			Self::index(who, None);
			Self::count_bond(Registry::<T>::get(role, who).as_ref(), None);
			VerifierCount::<T>::mutate(|count| *count = count.saturating_sub(1));
		}
		Registry::<T>::remove(role, who);
	}

	/// Brings the bond at work up to date with a verifier's change. Writes only on change.
	fn count_bond(before: Option<&Operator>, after: Option<&Operator>) {
		let (before, after) = (before.map_or(0, Operator::at_work), after.map_or(0, Operator::at_work));
		if before != after {
			BondAtWork::<T>::mutate(|bond| *bond = bond.saturating_sub(before).saturating_add(after));
		}
	}

	/// Puts a verifier into the index with this weight, or takes it out. Writes only on change.
	fn index(who: &T::AccountId, weight: Option<(Balance, BlockNumber)>) {
		let mut ready = ReadyVerifiers::<T>::get();
		let changed = match (ready.binary_search_by(|entry| entry.who.cmp(who)), weight) {
			(Ok(at), Some((weight, since))) => match ready.get_mut(at) {
				Some(entry) if entry.weight != weight || entry.since != since => {
					(entry.weight, entry.since) = (weight, since);
					true
				}
				_ => false,
			},
			(Ok(at), None) => {
				ready.remove(at);
				true
			}
			// Never full: registrations are bounded by the index's capacity.
			(Err(at), Some((weight, since))) => {
				ready.try_insert(at, Drawable { who: who.clone(), weight, since }).is_ok()
			}
			(Err(_), None) => false,
		};
		if changed {
			ReadyVerifiers::<T>::put(ready);
		}
	}
}
