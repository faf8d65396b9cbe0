use super::mock::*;
use crate::{types::*, Error, ReadyVerifiers};
use assay_protocol::interfaces::{Operators as _, SlashSplit, VerifierFault};
use frame_support::{assert_noop, assert_ok};

const STAKE: u128 = MIN / CHECKS_PER_MIN_BOND;

#[test]
fn success_lock_and_release() {
	run(|| {
		verifier(1, MIN);
		assert_ok!(Operators::lock_check(&1));
		assert_ok!(Operators::lock_check(&1));
		assert_eq!(record(Role::Verifier, 1).locked, 2 * STAKE);
		Operators::release_check(&1, true);
		Operators::release_check(&1, false);
		let verifier = record(Role::Verifier, 1);
		assert_eq!((verifier.locked, verifier.state), (0, State::Ready));
		assert_eq!((verifier.reputation.done, verifier.reputation.failed), (1, 1));
	});
}

#[test]
fn boundary_as_many_checks_as_the_bond_carries() {
	run(|| {
		verifier(1, MIN);
		for _ in 0..CHECKS_PER_MIN_BOND {
			assert_ok!(Operators::lock_check(&1));
		}
		assert_noop!(Operators::lock_check(&1), Error::<Test>::FreeBondTooSmall);
		assert!(ReadyVerifiers::<Test>::get().is_empty());
		Operators::release_check(&1, true);
		assert_eq!(ReadyVerifiers::<Test>::get().len(), 1);
	});
}

#[test]
fn success_a_changed_parameter_does_not_change_a_pending_check() {
	run(|| {
		verifier(1, MIN);
		assert_ok!(Operators::lock_check(&1));
		Current::mutate(|parameters| parameters.min_verifier_bond = 10 * MIN);
		Operators::release_check(&1, true);
		assert_eq!(record(Role::Verifier, 1).locked, 0);
	});
}

#[test]
fn success_slash_conserves_money_and_jails() {
	run(|| {
		verifier(1, MIN);
		assert_ok!(Operators::lock_check(&1));
		assert_ok!(Operators::lock_check(&1));
		let issued = Balances::total_issuance();
		let split = Operators::slash_check(&1, VerifierFault::LostDispute, Some(&2));
		assert_eq!(split, SlashSplit { client: 0, challenger: STAKE / 4, burned: STAKE - STAKE / 4 });
		assert_eq!(Balances::total_issuance(), issued - split.burned);
		let verifier = record(Role::Verifier, 1);
		assert_eq!((verifier.bond, verifier.locked), (MIN - STAKE, STAKE));
		assert!(matches!(verifier.state, State::Jailed { duties: 1, .. }));
		assert!(ReadyVerifiers::<Test>::get().is_empty());
	});
}

#[test]
fn success_slash_without_beneficiary_burns_all() {
	run(|| {
		verifier(1, MIN);
		assert_ok!(Operators::lock_check(&1));
		let split = Operators::slash_check(&1, VerifierFault::NotRevealed, None);
		assert_eq!(split, SlashSplit { client: 0, challenger: 0, burned: STAKE });
	});
}

#[test]
fn fails_when_nothing_is_pending() {
	run(|| {
		verifier(1, MIN);
		assert_eq!(Operators::slash_check(&1, VerifierFault::NotRevealed, None), SlashSplit::default());
		Operators::release_check(&1, true);
		Operators::release_check(&9, true);
		assert_noop!(Operators::lock_check(&9), Error::<Test>::NotRegistered);
		assert_eq!(record(Role::Verifier, 1).reputation, Reputation::default());
	});
}
