use super::mock::*;
use crate::{Error, Jobs, Specs};
use frame_support::{assert_noop, assert_ok};

#[test]
fn boundary_term() {
	run(|| {
		let id = post(spec());
		assert_noop!(Market::forget_job(signed(0), id), Error::<Test>::NotClosed);
		assert_ok!(Market::cancel_job(signed(CLIENT), id));
		let term = job(id).parameters.unbonding;
		skip(term - 1);
		assert_noop!(Market::forget_job(signed(0), id), Error::<Test>::TooEarlyToForget);
		skip(1);
		assert!(Market::receipt(id).is_some());
		assert_ok!(Market::forget_job(signed(0), id));
		assert!(!Jobs::<Test>::contains_key(id) && !Specs::<Test>::contains_key(id));
		assert_noop!(Market::forget_job(signed(0), id), Error::<Test>::NotFound);
	});
}
