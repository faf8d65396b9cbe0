//! What holds between any two calls.

use crate::{
	BondAtWork, Collateral, Config, Drawable, HoldReason, Pallet, ReadyVerifiers, Registry, Role, Service, State,
	VerifierCount,
};
use alloc::vec::Vec;
use assay_protocol::Balance;
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant; for try-runtime and for tests of this pallet and its neighbours. Reads all records.
	///
	/// 1. The money on hold for a role equals bond plus unbonding of its record.
	/// 2. What is locked is part of the bond.
	/// 3. A worker's locked bond is the sum of its collateral, one entry per duty.
	/// 4. A verifier's locked bond is its stake per check, once per duty.
	/// 5. `Busy` has at least one duty, and a record sits under its own role.
	/// 6. The index holds exactly the verifiers that can take a check, ascending, each with its bond as weight.
	/// 7. The counter counts the verifiers and is within the bound, and the bond at work is theirs.
	/// 8. Collateral belongs to registered workers.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let mut verifiers = 0u32;
		let mut at_work: Balance = 0;
		let mut drawable = Vec::new();
		for (role, who, operator) in Registry::<T>::iter() {
			let held = T::NativeBalance::balance_on_hold(&HoldReason::of(role).into(), &who);
			ensure!(held == operator.held(), "invariant 1: hold differs from record");
			ensure!(operator.locked <= operator.bond, "invariant 2: locked above bond");
			let duties = operator.state.duties();
			ensure!(operator.state != State::Busy { duties: 0 }, "invariant 5: busy without duty");
			match (role, &operator.service) {
				(Role::Worker, Service::Worker(_)) => {
					let jobs: Vec<Balance> = Collateral::<T>::iter_prefix_values(&who).collect();
					ensure!(jobs.len() as u32 == duties, "invariant 3: collateral entries differ from duties");
					ensure!(
						jobs.iter().sum::<Balance>() == operator.locked,
						"invariant 3: collateral differs from locked"
					);
				}
				(Role::Verifier, Service::Verifier { check_stake, .. }) => {
					ensure!(
						check_stake.saturating_mul(duties.into()) == operator.locked,
						"invariant 4: checks differ from locked"
					);
					verifiers = verifiers.saturating_add(1);
					at_work = at_work.saturating_add(operator.at_work());
					drawable.extend(operator.draw_weight().map(|(weight, since)| Drawable { who, weight, since }));
				}
				_ => return Err("invariant 5: record under another role".into()),
			}
		}
		drawable.sort_by(|a, b| a.who.cmp(&b.who));
		ensure!(ReadyVerifiers::<T>::get().into_inner() == drawable, "invariant 6: index differs from records");
		ensure!(VerifierCount::<T>::get() == verifiers, "invariant 7: verifiers miscounted");
		ensure!(BondAtWork::<T>::get() == at_work, "invariant 7: bond at work differs from records");
		ensure!(verifiers <= <T::MaxVerifiers as frame_support::traits::Get<u32>>::get(), "invariant 7: too many");
		for (who, _, _) in Collateral::<T>::iter() {
			ensure!(Registry::<T>::contains_key(Role::Worker, &who), "invariant 8: collateral of a stranger");
		}
		Ok(())
	}
}
