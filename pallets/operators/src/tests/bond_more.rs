use super::mock::*;
use crate::{types::*, Error, ReadyVerifiers};
use assay_protocol::interfaces::Operators as _;
use frame_support::{assert_noop, assert_ok};

#[test]
fn success_adds_to_the_bond_and_the_weight() {
	run(|| {
		verifier(1, MIN);
		assert_ok!(Operators::bond_more(signed(1), Role::Verifier, 5));
		assert_eq!(held(Role::Verifier, 1), MIN + 5);
		assert_eq!(ReadyVerifiers::<Test>::get()[0].weight, MIN + 5);
	});
}

#[test]
fn success_takes_over_the_check_stake_only_without_checks() {
	run(|| {
		verifier(1, MIN);
		assert_ok!(Operators::lock_check(&1));
		Current::mutate(|parameters| parameters.min_verifier_bond = 2 * MIN);
		assert_ok!(Operators::bond_more(signed(1), Role::Verifier, MIN));
		assert_eq!(record(Role::Verifier, 1).service, Service::Verifier { check_stake: MIN / 4, since: 1 });
		Operators::release_check(&1, true);
		assert_ok!(Operators::bond_more(signed(1), Role::Verifier, 1));
		assert_eq!(record(Role::Verifier, 1).service, Service::Verifier { check_stake: MIN / 2, since: 1 });
	});
}

#[test]
fn fails_when_not_registered() {
	run(|| {
		worker(1, MIN);
		assert_noop!(Operators::bond_more(signed(1), Role::Verifier, 5), Error::<Test>::NotRegistered);
	});
}

#[test]
fn fails_when_leaving() {
	run(|| {
		worker(1, MIN);
		assert_ok!(Operators::unbond(signed(1), Role::Worker, MIN));
		assert_noop!(Operators::bond_more(signed(1), Role::Worker, 5), Error::<Test>::Leaving);
	});
}

#[test]
fn boundary_zero() {
	run(|| {
		worker(1, MIN);
		assert_noop!(Operators::bond_more(signed(1), Role::Worker, 0), Error::<Test>::ZeroAmount);
	});
}
