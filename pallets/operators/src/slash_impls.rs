//! Slashing. A beneficiary that cannot receive (its account is gone and its part is below the existential deposit) gets
//! nothing and its part is burned, so that a slash never fails and never leaves money behind.

use crate::{types::Operator, Config, Event, HoldReason, Pallet, Role, State};
use assay_protocol::{
	economics::split_slash,
	interfaces::{SlashSplit, VerifierFault},
	Balance, JobId,
};
use frame_support::{
	pallet_prelude::Get,
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
	},
};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_slash_collateral(
		who: &T::AccountId,
		job: JobId,
		client: &T::AccountId,
		client_cap: Balance,
		challenger: Option<&T::AccountId>,
	) -> SlashSplit {
		let Some((mut worker, amount)) = Self::take_collateral(who, job) else { return SlashSplit::default() };
		let due = split_slash(amount, client_cap, challenger.is_some());
		let split = Self::slash_bond(Role::Worker, who, &mut worker, due, Some(client), challenger);
		Self::jail(&mut worker);
		Self::store(Role::Worker, who, &worker);
		Self::deposit_event(Event::WorkerSlashed { who: who.clone(), job, split });
		Self::deposit_event(Event::StateChanged { role: Role::Worker, who: who.clone(), state: worker.state });
		split
	}

	pub(crate) fn do_slash_check(
		who: &T::AccountId,
		fault: VerifierFault,
		beneficiary: Option<&T::AccountId>,
	) -> SlashSplit {
		let Some((mut verifier, amount)) = Self::take_check(who) else { return SlashSplit::default() };
		let due = split_slash(amount, 0, beneficiary.is_some());
		let split = Self::slash_bond(Role::Verifier, who, &mut verifier, due, None, beneficiary);
		Self::jail(&mut verifier);
		Self::store(Role::Verifier, who, &verifier);
		Self::deposit_event(Event::VerifierSlashed { who: who.clone(), fault, split });
		Self::deposit_event(Event::StateChanged { role: Role::Verifier, who: who.clone(), state: verifier.state });
		split
	}

	/// Takes what is `due` out of the bond; the parts that cannot be received are burned with the rest.
	fn slash_bond(
		role: Role,
		who: &T::AccountId,
		operator: &mut Operator,
		due: SlashSplit,
		client: Option<&T::AccountId>,
		challenger: Option<&T::AccountId>,
	) -> SlashSplit {
		let reason = HoldReason::of(role).into();
		let pay = |to: Option<&T::AccountId>, amount: Balance| {
			to.filter(|_| amount > 0)
				.and_then(|to| {
					T::NativeBalance::transfer_on_hold(
						&reason,
						who,
						to,
						amount,
						Precision::Exact,
						Restriction::Free,
						Fortitude::Force,
					)
					.ok()
				})
				.unwrap_or(0)
		};
		let client = pay(client, due.client);
		let challenger = pay(challenger, due.challenger);
		let unpaid = (due.client.saturating_sub(client)).saturating_add(due.challenger.saturating_sub(challenger));
		let rest = due.burned.saturating_add(unpaid);
		operator.bond = operator.bond.saturating_sub(client.saturating_add(challenger));
		let burned = Self::burn_bond(role, who, operator, rest);
		SlashSplit { client, challenger, burned }
	}

	/// Burns `amount` of the bond; returns what was burned.
	pub(crate) fn burn_bond(role: Role, who: &T::AccountId, operator: &mut Operator, amount: Balance) -> Balance {
		let reason = HoldReason::of(role).into();
		let burned =
			T::NativeBalance::burn_held(&reason, who, amount, Precision::BestEffort, Fortitude::Force).unwrap_or(0);
		operator.bond = operator.bond.saturating_sub(burned);
		burned
	}

	fn jail(operator: &mut Operator) {
		operator.reputation.faults = operator.reputation.faults.saturating_add(1);
		let until = Self::now().saturating_add(T::Parameters::get().unbonding);
		operator.state = State::Jailed { duties: operator.state.duties(), until };
	}
}
