use super::mock::*;
use crate::{types::*, Error, Registry};
use assay_protocol::interfaces::Operators as _;
use frame_support::{assert_noop, assert_ok};

#[test]
fn success_leaves() {
	run(|| {
		worker(1, MIN);
		assert_ok!(Operators::unbond(signed(1), Role::Worker, MIN));
		System::set_block_number(500);
		assert_ok!(Operators::withdraw(signed(1), Role::Worker));
		assert!(!Registry::<Test>::contains_key(Role::Worker, 1));
		assert_eq!(Balances::free_balance(1), FUNDS);
	});
}

#[test]
fn success_part_stays() {
	run(|| {
		worker(1, 2 * MIN);
		assert_ok!(Operators::unbond(signed(1), Role::Worker, MIN));
		System::set_block_number(500);
		assert_ok!(Operators::withdraw(signed(1), Role::Worker));
		assert_eq!(held(Role::Worker, 1), MIN);
		assert_eq!(record(Role::Worker, 1).unbonding, None);
	});
}

#[test]
fn success_after_a_slash_took_everything() {
	run(|| {
		worker(1, MIN);
		assert_ok!(Operators::lock_collateral(&1, 0, MIN));
		Operators::slash_collateral(&1, 0, &2, MIN, Some(&3));
		assert_ok!(Operators::withdraw(signed(1), Role::Worker));
		assert!(!Registry::<Test>::contains_key(Role::Worker, 1));
	});
}

#[test]
fn fails_when_nothing_is_unbonding() {
	run(|| {
		worker(1, MIN);
		assert_noop!(Operators::withdraw(signed(1), Role::Worker), Error::<Test>::NothingUnbonding);
		assert_noop!(Operators::withdraw(signed(2), Role::Worker), Error::<Test>::NotRegistered);
	});
}

#[test]
fn boundary_term() {
	run(|| {
		worker(1, MIN);
		assert_ok!(Operators::unbond(signed(1), Role::Worker, MIN));
		let at = 1 + u64::from(Current::get().unbonding);
		System::set_block_number(at - 1);
		assert_noop!(Operators::withdraw(signed(1), Role::Worker), Error::<Test>::StillUnbonding);
		System::set_block_number(at);
		assert_ok!(Operators::withdraw(signed(1), Role::Worker));
	});
}
