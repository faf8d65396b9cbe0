use super::*;

#[test]
fn success_basic() {
	run(|| {
		assert_ok!(ValidatorSet::raise_bond(signed(1), 250));
		assert_eq!(held(1), 1_250);
		assert_eq!(ValidatorSet::bond_of(&1), Some(1_250));
	});
}

#[test]
fn fails_when_not_registered() {
	run(|| {
		assert_noop!(ValidatorSet::raise_bond(signed(4), 250), Error::<Test>::NotRegistered);
	});
}

#[test]
fn fails_when_leaving() {
	run(|| {
		assert_ok!(ValidatorSet::leave(signed(1)));
		assert_noop!(ValidatorSet::raise_bond(signed(1), 250), Error::<Test>::NotRegistered);
	});
}
