use super::*;

#[test]
fn success_basic_and_boundary_session() {
	run(|| {
		rotate(5);
		assert_ok!(ValidatorSet::leave(signed(1)));
		let until = Leaving::<Test>::get(1).map(|unbonding| unbonding.until);
		assert_eq!(until, Some(5 + 4 + 3));
		rotate(6);
		assert_noop!(ValidatorSet::withdraw(signed(1)), Error::<Test>::TooEarly);
		rotate(1);
		assert_ok!(ValidatorSet::withdraw(signed(1)));
		assert_eq!(held(1), 0);
		assert!(!Leaving::<Test>::contains_key(1));
		assert_ok!(ValidatorSet::register(signed(1), 500));
	});
}

/// As long as a session can be reported on, the bonds that answered for it are there.
#[test]
fn evidence_is_gone_when_the_bond_may_go() {
	run(|| {
		rotate(5);
		assert_ok!(ValidatorSet::leave(signed(1)));
		// The last session it validates in is the one planned already: 6.
		rotate(6);
		assert!(Historical::historical_root(6).is_some());
		assert_noop!(ValidatorSet::withdraw(signed(1)), Error::<Test>::TooEarly);
		rotate(1);
		assert!(Historical::historical_root(6).is_none());
		assert_ok!(ValidatorSet::withdraw(signed(1)));
	});
}

#[test]
fn fails_when_a_candidate() {
	run(|| {
		assert_noop!(ValidatorSet::withdraw(signed(1)), Error::<Test>::NotUnbonding);
	});
}

#[test]
fn fails_when_twice() {
	run(|| {
		assert_ok!(ValidatorSet::leave(signed(1)));
		rotate(7);
		assert_ok!(ValidatorSet::withdraw(signed(1)));
		assert_noop!(ValidatorSet::withdraw(signed(1)), Error::<Test>::NotUnbonding);
	});
}

#[test]
fn fails_when_the_set_goes_on_for_want_of_another() {
	run(|| {
		for who in 1..=3 {
			ValidatorSet::depart(&who, crate::DepartureCause::Offence);
		}
		rotate(10);
		assert_eq!(Session::validators(), vec![1, 2, 3]);
		assert_noop!(ValidatorSet::withdraw(signed(1)), Error::<Test>::StillValidating);
	});
}
