use crate::{
	types::{Reputation, Unbonding, CHECKS_PER_MIN_BOND, MAX_SLOTS},
	Capabilities, Config, Contact, Error, Event, HoldReason, Operator, Pallet, Registry, Role, Service, State,
	VerifierCount,
};
use assay_protocol::Balance;
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, Get},
	traits::{fungible::MutateHold, tokens::Precision},
};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_register_worker(
		who: T::AccountId,
		bond: Balance,
		contact: Contact,
		capabilities: Capabilities,
	) -> DispatchResult {
		check_capabilities::<T>(&capabilities)?;
		Self::register(who, Role::Worker, bond, contact, Service::Worker(capabilities))
	}

	pub(crate) fn do_register_verifier(who: T::AccountId, bond: Balance, contact: Contact) -> DispatchResult {
		let count = VerifierCount::<T>::get();
		ensure!(count < T::MaxVerifiers::get(), Error::<T>::VerifiersFull);
		let service = Service::Verifier { check_stake: Self::current_check_stake(), since: Self::now() };
		Self::register(who, Role::Verifier, bond, contact, service)?;
		VerifierCount::<T>::put(count.saturating_add(1));
		Ok(())
	}

	fn register(who: T::AccountId, role: Role, bond: Balance, contact: Contact, service: Service) -> DispatchResult {
		check_contact::<T>(&contact)?;
		ensure!(!Registry::<T>::contains_key(role, &who), Error::<T>::AlreadyRegistered);
		ensure!(bond >= Self::min_bond(role), Error::<T>::BondTooSmall);
		T::NativeBalance::hold(&HoldReason::of(role).into(), &who, bond)?;
		let operator = Operator {
			bond,
			locked: 0,
			unbonding: None,
			state: State::Ready,
			reputation: Reputation::default(),
			contact,
			service,
		};
		Self::store(role, &who, &operator);
		Self::deposit_event(Event::Registered { role, who, bond });
		Ok(())
	}

	pub(crate) fn do_bond_more(who: T::AccountId, role: Role, amount: Balance) -> DispatchResult {
		ensure!(amount > 0, Error::<T>::ZeroAmount);
		let mut operator = Self::registered(role, &who)?;
		ensure!(!is_leaving(&operator), Error::<T>::Leaving);
		T::NativeBalance::hold(&HoldReason::of(role).into(), &who, amount)?;
		operator.bond = operator.bond.saturating_add(amount);
		if let Service::Verifier { since, .. } = &mut operator.service {
			*since = Self::now();
		}
		Self::refresh_check_stake(&mut operator);
		Self::store(role, &who, &operator);
		Self::deposit_event(Event::BondIncreased { role, who, bond: operator.bond });
		Ok(())
	}

	pub(crate) fn do_update_endpoint(who: T::AccountId, role: Role, contact: Contact) -> DispatchResult {
		check_contact::<T>(&contact)?;
		let mut operator = Self::registered(role, &who)?;
		operator.contact = contact;
		Registry::<T>::insert(role, &who, operator);
		Self::deposit_event(Event::EndpointUpdated { role, who });
		Ok(())
	}

	pub(crate) fn do_update_capabilities(who: T::AccountId, capabilities: Capabilities) -> DispatchResult {
		check_capabilities::<T>(&capabilities)?;
		let mut operator = Self::registered(Role::Worker, &who)?;
		operator.service = Service::Worker(capabilities);
		Registry::<T>::insert(Role::Worker, &who, operator);
		Self::deposit_event(Event::CapabilitiesUpdated { who });
		Ok(())
	}

	pub(crate) fn do_set_draining(who: T::AccountId, role: Role) -> DispatchResult {
		let mut operator = Self::registered(role, &who)?;
		ensure!(operator.state.takes_work(), Error::<T>::NotTakingWork);
		operator.state = State::Draining { duties: operator.state.duties() };
		Self::store(role, &who, &operator);
		Self::deposit_event(Event::StateChanged { role, who, state: operator.state });
		Ok(())
	}

	pub(crate) fn do_set_ready(who: T::AccountId, role: Role) -> DispatchResult {
		let mut operator = Self::registered(role, &who)?;
		ensure!(!is_leaving(&operator), Error::<T>::Leaving);
		if let State::Jailed { until, .. } = operator.state {
			ensure!(Self::now() >= until, Error::<T>::StillJailed);
		}
		ensure!(operator.bond >= Self::min_bond(role), Error::<T>::BondTooSmall);
		operator.state = State::at_work(operator.state.duties());
		operator.reputation.absences_in_row = 0;
		Self::refresh_check_stake(&mut operator);
		Self::store(role, &who, &operator);
		Self::deposit_event(Event::StateChanged { role, who, state: operator.state });
		Ok(())
	}

	pub(crate) fn do_unbond(who: T::AccountId, role: Role, amount: Balance) -> DispatchResult {
		ensure!(amount > 0, Error::<T>::ZeroAmount);
		let mut operator = Self::registered(role, &who)?;
		ensure!(amount <= operator.free(), Error::<T>::FreeBondTooSmall);
		// No underflow: the free bond is part of the bond.
		let rest = operator.bond.saturating_sub(amount);
		ensure!(rest == 0 || rest >= Self::min_bond(role), Error::<T>::BondTooSmall);
		if rest == 0 && operator.state.takes_work() {
			operator.state = State::Draining { duties: operator.state.duties() };
		}
		operator.bond = rest;
		let at = Self::now().saturating_add(T::Parameters::get().unbonding);
		let amount = operator.unbonding.map_or(0, |u| u.amount).saturating_add(amount);
		operator.unbonding = Some(Unbonding { amount, at });
		Self::store(role, &who, &operator);
		Self::deposit_event(Event::UnbondingStarted { role, who, amount, at });
		Ok(())
	}

	pub(crate) fn do_withdraw(who: T::AccountId, role: Role) -> DispatchResult {
		let mut operator = Self::registered(role, &who)?;
		let amount = match operator.unbonding {
			Some(unbonding) => {
				ensure!(Self::now() >= unbonding.at, Error::<T>::StillUnbonding);
				unbonding.amount
			}
			// A slash can take the last of a bond: then nothing is left to wait for.
			None if operator.bond == 0 => 0,
			None => return Err(Error::<T>::NothingUnbonding.into()),
		};
		T::NativeBalance::release(&HoldReason::of(role).into(), &who, amount, Precision::Exact)?;
		operator.unbonding = None;
		let left = operator.bond == 0 && operator.state.duties() == 0;
		if left {
			Self::remove(role, &who);
		} else {
			Self::store(role, &who, &operator);
		}
		Self::deposit_event(Event::Withdrawn { role, who, amount, left });
		Ok(())
	}
}

/// Whether the operator asked its whole bond back.
fn is_leaving(operator: &Operator) -> bool {
	operator.bond == 0 && operator.unbonding.is_some()
}

fn check_contact<T: Config>(contact: &Contact) -> Result<(), Error<T>> {
	ensure!(!contact.endpoint.is_empty() && !contact.peer_id.is_empty(), Error::<T>::ContactIncomplete);
	Ok(())
}

fn check_capabilities<T: Config>(capabilities: &Capabilities) -> Result<(), Error<T>> {
	ensure!((1..=MAX_SLOTS).contains(&capabilities.slots), Error::<T>::SlotsOutOfRange);
	Ok(())
}

impl<T: Config> Pallet<T> {
	/// Bond that one pending check reserves under the current parameters; never 0.
	pub(crate) fn current_check_stake() -> Balance {
		(T::Parameters::get().min_verifier_bond / CHECKS_PER_MIN_BOND).max(1)
	}

	/// Least bond of a role under the current parameters; never 0.
	pub(crate) fn min_bond(role: Role) -> Balance {
		let parameters = T::Parameters::get();
		match role {
			Role::Worker => parameters.min_worker_bond,
			Role::Verifier => parameters.min_verifier_bond,
		}
		.max(1)
	}

	/// Takes over a changed parameter while no check depends on the old one.
	fn refresh_check_stake(operator: &mut Operator) {
		if operator.state.duties() == 0 {
			if let Service::Verifier { check_stake, .. } = &mut operator.service {
				*check_stake = Self::current_check_stake();
			}
		}
	}
}
