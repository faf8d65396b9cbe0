use super::mock::*;
use crate::{types::*, Error, ReadyVerifiers};
use assay_protocol::interfaces::Operators as _;
use frame_support::{assert_noop, assert_ok};

#[test]
fn success_stays_on_hold_until_withdrawn() {
	run(|| {
		worker(1, 3 * MIN);
		assert_ok!(Operators::unbond(signed(1), Role::Worker, MIN));
		assert_eq!(held(Role::Worker, 1), 3 * MIN);
		let worker = record(Role::Worker, 1);
		assert_eq!((worker.bond, worker.free()), (2 * MIN, 2 * MIN));
		assert_eq!(worker.state, State::Ready);
	});
}

#[test]
fn success_everything_leaves_the_draw() {
	run(|| {
		verifier(1, MIN);
		assert_ok!(Operators::unbond(signed(1), Role::Verifier, MIN));
		assert!(ReadyVerifiers::<Test>::get().is_empty());
		assert_eq!(record(Role::Verifier, 1).state, State::Draining { duties: 0 });
	});
}

#[test]
fn success_again_starts_the_term_anew() {
	run(|| {
		worker(1, 3 * MIN);
		assert_ok!(Operators::unbond(signed(1), Role::Worker, MIN));
		System::set_block_number(20);
		assert_ok!(Operators::unbond(signed(1), Role::Worker, 5));
		let at = 20 + Current::get().unbonding;
		assert_eq!(record(Role::Worker, 1).unbonding, Some(Unbonding { amount: MIN + 5, at }));
	});
}

#[test]
fn fails_when_locked() {
	run(|| {
		worker(1, 2 * MIN);
		assert_ok!(Operators::lock_collateral(&1, 0, MIN + 1));
		assert_noop!(Operators::unbond(signed(1), Role::Worker, MIN), Error::<Test>::FreeBondTooSmall);
		assert_noop!(Operators::unbond(signed(1), Role::Worker, 2 * MIN), Error::<Test>::FreeBondTooSmall);
	});
}

#[test]
fn boundary_what_stays() {
	run(|| {
		worker(1, 2 * MIN);
		assert_noop!(Operators::unbond(signed(1), Role::Worker, 0), Error::<Test>::ZeroAmount);
		assert_noop!(Operators::unbond(signed(1), Role::Worker, MIN + 1), Error::<Test>::BondTooSmall);
		assert_noop!(Operators::unbond(signed(1), Role::Worker, 2 * MIN + 1), Error::<Test>::FreeBondTooSmall);
		assert_ok!(Operators::unbond(signed(1), Role::Worker, MIN));
		assert_ok!(Operators::unbond(signed(1), Role::Worker, MIN));
	});
}
