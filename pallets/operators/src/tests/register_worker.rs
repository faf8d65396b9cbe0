use super::mock::*;
use crate::{types::*, Error, Event};
use assay_protocol::parameters::UNIT;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::TokenError;

#[test]
fn success_holds_the_bond() {
	run(|| {
		worker(1, MIN);
		assert_eq!(held(Role::Worker, 1), MIN);
		assert_eq!(Balances::free_balance(1), FUNDS - MIN);
		assert_eq!(record(Role::Worker, 1).state, State::Ready);
		System::assert_last_event(Event::Registered { role: Role::Worker, who: 1, bond: MIN }.into());
	});
}

#[test]
fn success_both_roles_have_their_own_bond() {
	run(|| {
		worker(1, MIN);
		verifier(1, 2 * MIN);
		assert_eq!(held(Role::Worker, 1), MIN);
		assert_eq!(held(Role::Verifier, 1), 2 * MIN);
	});
}

#[test]
fn fails_when_registered() {
	run(|| {
		worker(1, MIN);
		let again = Operators::register_worker(signed(1), MIN, contact(), capabilities(1));
		assert_noop!(again, Error::<Test>::AlreadyRegistered);
	});
}

#[test]
fn fails_when_unsigned() {
	run(|| {
		let call = Operators::register_worker(RuntimeOrigin::root(), MIN, contact(), capabilities(1));
		assert_noop!(call, sp_runtime::DispatchError::BadOrigin);
	});
}

#[test]
fn fails_when_contact_is_incomplete() {
	run(|| {
		let nowhere = Contact { endpoint: Default::default(), ..contact() };
		assert_noop!(
			Operators::register_worker(signed(1), MIN, nowhere, capabilities(1)),
			Error::<Test>::ContactIncomplete
		);
		let nobody = Contact { peer_id: Default::default(), ..contact() };
		assert_noop!(
			Operators::register_worker(signed(1), MIN, nobody, capabilities(1)),
			Error::<Test>::ContactIncomplete
		);
	});
}

#[test]
fn fails_when_bond_is_not_owned() {
	run(|| {
		let call = Operators::register_worker(signed(1), FUNDS, contact(), capabilities(1));
		assert_noop!(call, TokenError::FundsUnavailable);
	});
}

#[test]
fn boundary_least_bond() {
	run(|| {
		let call = Operators::register_worker(signed(1), MIN - 1, contact(), capabilities(1));
		assert_noop!(call, Error::<Test>::BondTooSmall);
		assert_ok!(Operators::register_worker(signed(1), MIN, contact(), capabilities(1)));
		assert_eq!(MIN, 100 * UNIT);
	});
}

#[test]
fn boundary_slots() {
	run(|| {
		for slots in [0, MAX_SLOTS + 1] {
			let call = Operators::register_worker(signed(1), MIN, contact(), capabilities(slots));
			assert_noop!(call, Error::<Test>::SlotsOutOfRange);
		}
		assert_ok!(Operators::register_worker(signed(1), MIN, contact(), capabilities(MAX_SLOTS)));
	});
}
