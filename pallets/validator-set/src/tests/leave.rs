use super::*;

#[test]
fn success_basic() {
	run(|| {
		assert_ok!(ValidatorSet::leave(signed(1)));
		assert_eq!(held(1), 1_000);
		rotate(1);
		assert_eq!(Session::validators(), vec![1, 2, 3], "planned before it left");
		rotate(1);
		assert_eq!(Session::validators(), vec![2, 3]);
	});
}

#[test]
fn fails_when_not_registered() {
	run(|| {
		assert_noop!(ValidatorSet::leave(signed(4)), Error::<Test>::NotRegistered);
	});
}

#[test]
fn boundary_smallest_set() {
	run(|| {
		assert_ok!(ValidatorSet::leave(signed(1)));
		assert_noop!(ValidatorSet::leave(signed(2)), Error::<Test>::TooFewValidators);
	});
}
