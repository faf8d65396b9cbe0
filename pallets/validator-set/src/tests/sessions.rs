use super::*;
use crate::{Slash, Slashes};

#[test]
fn a_candidate_without_keys_is_passed_over() {
	run(|| {
		assert_ok!(Session::purge_keys(signed(2)));
		rotate(2);
		assert_eq!(Session::validators(), vec![1, 3]);
		assert_eq!(held(2), 2_000);
	});
}

#[test]
fn the_set_goes_on_when_nobody_is_ready() {
	run(|| {
		for who in 1..=3 {
			ValidatorSet::depart(&who, crate::DepartureCause::Offence);
		}
		rotate(3);
		assert_eq!(Session::validators(), vec![1, 2, 3]);
	});
}

#[test]
fn old_evidence_and_slash_records_are_dropped() {
	run(|| {
		Slashes::<Test>::insert(1, 1, Slash { base: 10, taken: 5 });
		rotate(6);
		assert!(Historical::historical_root(1).is_some());
		assert!(Slashes::<Test>::contains_key(1, 1));
		rotate(1);
		assert!(Historical::historical_root(1).is_none());
		assert!(!Slashes::<Test>::contains_key(1, 1));
	});
}
