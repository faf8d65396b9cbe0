use super::mock::*;
use crate::{types::*, Error, ReadyVerifiers, VerifierCount};
use frame_support::{assert_noop, assert_ok};

#[test]
fn success_can_be_drawn() {
	run(|| {
		verifier(2, MIN);
		verifier(1, 3 * MIN);
		let ready = ReadyVerifiers::<Test>::get();
		assert_eq!(
			ready.into_inner(),
			[Drawable { who: 1, weight: 3 * MIN, since: 1 }, Drawable { who: 2, weight: MIN, since: 1 }]
		);
		assert_eq!(VerifierCount::<Test>::get(), 2);
	});
}

#[test]
fn fails_when_registered() {
	run(|| {
		verifier(1, MIN);
		assert_noop!(Operators::register_verifier(signed(1), MIN, contact()), Error::<Test>::AlreadyRegistered);
		assert_eq!(VerifierCount::<Test>::get(), 1);
	});
}

#[test]
fn fails_when_bond_is_too_small() {
	run(|| {
		assert_noop!(Operators::register_verifier(signed(1), MIN - 1, contact()), Error::<Test>::BondTooSmall);
	});
}

#[test]
fn boundary_most_verifiers() {
	run(|| {
		for who in 0..u64::from(MaxVerifiers::get()) {
			verifier(who, MIN);
		}
		assert_noop!(Operators::register_verifier(signed(9), MIN, contact()), Error::<Test>::VerifiersFull);
		assert_ok!(Operators::unbond(signed(0), Role::Verifier, MIN));
		System::set_block_number(1 + Current::get().unbonding as u64);
		assert_ok!(Operators::withdraw(signed(0), Role::Verifier));
		assert_ok!(Operators::register_verifier(signed(9), MIN, contact()));
	});
}
