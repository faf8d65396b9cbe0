use super::mock::*;
use crate::{types::*, Collateral, Error};
use assay_protocol::interfaces::{Operators as _, SlashSplit};
use frame_support::{assert_noop, assert_ok};

#[test]
fn success_lock_and_release() {
	run(|| {
		worker(1, MIN);
		assert_ok!(Operators::lock_collateral(&1, 7, 60));
		assert_eq!(record(Role::Worker, 1).locked, 60);
		assert_eq!(record(Role::Worker, 1).state, State::Busy { duties: 1 });
		Operators::release_collateral(&1, 7, true, 0);
		let worker = record(Role::Worker, 1);
		assert_eq!((worker.locked, worker.state, worker.reputation.done), (0, State::Ready, 1));
		assert_eq!(Collateral::<Test>::get(1, 7), None);
	});
}

#[test]
fn success_a_forfeit_is_burned_and_never_above_the_collateral() {
	run(|| {
		worker(1, MIN);
		let issued = Balances::total_issuance();
		for (forfeit, burned) in [(0, 0), (20, 20), (1_000, 60)] {
			assert_ok!(Operators::lock_collateral(&1, 7, 60));
			assert_eq!(Operators::release_collateral(&1, 7, false, forfeit), burned);
		}
		assert_eq!(held(Role::Worker, 1), MIN - 80);
		assert_eq!(record(Role::Worker, 1).bond, MIN - 80);
		assert_eq!(Balances::total_issuance(), issued - 80);
	});
}

#[test]
fn success_release_of_a_stranger_changes_nothing() {
	run(|| {
		worker(1, MIN);
		let before = record(Role::Worker, 1);
		Operators::release_collateral(&1, 7, true, 0);
		Operators::release_collateral(&2, 7, true, 0);
		assert_eq!(Operators::slash_collateral(&1, 7, &2, MIN, None), SlashSplit::default());
		assert_eq!(record(Role::Worker, 1), before);
	});
}

#[test]
fn success_slash_conserves_money() {
	run(|| {
		worker(1, MIN);
		assert_ok!(Operators::lock_collateral(&1, 7, 1_003));
		let issued = Balances::total_issuance();
		let split = Operators::slash_collateral(&1, 7, &2, 200, Some(&3));
		assert_eq!(split, SlashSplit { client: 200, challenger: 250, burned: 553 });
		assert_eq!(Balances::free_balance(2), FUNDS + 200);
		assert_eq!(Balances::free_balance(3), FUNDS + 250);
		assert_eq!(Balances::total_issuance(), issued - 553);
		let worker = record(Role::Worker, 1);
		assert_eq!((worker.bond, worker.locked, worker.reputation.faults), (MIN - 1_003, 0, 1));
		assert!(matches!(worker.state, State::Jailed { duties: 0, .. }));
	});
}

#[test]
fn success_slash_burns_what_a_dead_account_cannot_take() {
	run(|| {
		worker(1, MIN);
		assert_ok!(Operators::lock_collateral(&1, 7, 1_000));
		let split = Operators::slash_collateral(&1, 7, &999, 1_000, None);
		assert_eq!(split, SlashSplit { client: 0, challenger: 0, burned: 1_000 });
	});
}

#[test]
fn success_slash_of_one_job_leaves_the_other() {
	run(|| {
		worker(1, MIN);
		assert_ok!(Operators::lock_collateral(&1, 7, 100));
		assert_ok!(Operators::lock_collateral(&1, 8, 50));
		Operators::slash_collateral(&1, 7, &2, 0, None);
		let worker = record(Role::Worker, 1);
		assert_eq!((worker.locked, worker.state.duties()), (50, 1));
		Operators::release_collateral(&1, 8, true, 0);
		assert!(matches!(record(Role::Worker, 1).state, State::Jailed { duties: 0, .. }));
	});
}

#[test]
fn boundary_client_gets_at_most_a_quarter() {
	run(|| {
		worker(1, MIN);
		assert_ok!(Operators::lock_collateral(&1, 7, 1_000));
		let split = Operators::slash_collateral(&1, 7, &2, 1_000, Some(&3));
		assert_eq!(split, SlashSplit { client: 250, challenger: 250, burned: 500 });
	});
}

#[test]
fn fails_when_not_able() {
	run(|| {
		assert_noop!(Operators::can_work(&1, 0), Error::<Test>::NotRegistered);
		worker(1, MIN);
		assert_noop!(Operators::lock_collateral(&1, 7, MIN + 1), Error::<Test>::FreeBondTooSmall);
		assert_ok!(Operators::lock_collateral(&1, 7, 1));
		assert_noop!(Operators::lock_collateral(&1, 7, 1), Error::<Test>::CollateralExists);
		assert_ok!(Operators::lock_collateral(&1, 8, 1));
		assert_noop!(Operators::lock_collateral(&1, 9, 1), Error::<Test>::SlotsTaken);
	});
}

#[test]
fn boundary_whole_bond() {
	run(|| {
		worker(1, MIN);
		assert_ok!(Operators::lock_collateral(&1, 7, MIN));
		assert_noop!(Operators::can_work(&1, 1), Error::<Test>::FreeBondTooSmall);
	});
}
