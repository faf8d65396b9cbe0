use super::*;

#[test]
fn success_basic() {
	run(|| {
		assert_ok!(ValidatorSet::register(signed(4), 500));
		assert_eq!(held(4), 500);
		// Planned at the next rotation, at work at the one after.
		rotate(1);
		assert_eq!(Session::validators(), vec![1, 2, 3]);
		rotate(1);
		assert_eq!(Session::validators(), vec![1, 2, 3, 4]);
	});
}

#[test]
fn boundary_least_bond() {
	run(|| {
		assert_noop!(ValidatorSet::register(signed(4), 99), Error::<Test>::BondTooSmall);
		assert_ok!(ValidatorSet::register(signed(4), 100));
	});
}

#[test]
fn fails_when_twice() {
	run(|| {
		assert_noop!(ValidatorSet::register(signed(1), 5_000), Error::<Test>::AlreadyRegistered);
	});
}

#[test]
fn fails_when_without_keys() {
	run(|| {
		assert_noop!(ValidatorSet::register(signed(7), 500), Error::<Test>::NoSessionKeys);
	});
}

#[test]
fn fails_when_still_unbonding() {
	run(|| {
		assert_ok!(ValidatorSet::leave(signed(1)));
		assert_noop!(ValidatorSet::register(signed(1), 500), Error::<Test>::StillUnbonding);
	});
}

#[test]
fn fails_when_poor() {
	run(|| {
		assert_noop!(ValidatorSet::register(signed(4), 10_001), sp_runtime::TokenError::FundsUnavailable);
	});
}

#[test]
fn full_set_is_entered_by_outbidding_the_smallest() {
	run(|| {
		assert_ok!(ValidatorSet::register(signed(4), 4_000));
		assert_noop!(ValidatorSet::register(signed(5), 1_000), Error::<Test>::Outbid);
		assert_ok!(ValidatorSet::register(signed(5), 1_001));
		assert!(!is_candidate(1));
		assert_eq!(held(1), 1_000, "the outbid bond answers for past sessions still");
		assert!(Leaving::<Test>::contains_key(1));
	});
}

#[test]
fn a_bidder_who_cannot_pay_displaces_nobody() {
	run(|| {
		assert_ok!(ValidatorSet::register(signed(4), 4_000));
		assert!(frame_support::storage::with_storage_layer(|| ValidatorSet::register(signed(5), 20_000)).is_err());
		assert!(is_candidate(1));
	});
}
