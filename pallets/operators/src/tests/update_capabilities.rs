use super::mock::*;
use crate::Error;
use assay_protocol::interfaces::Operators as _;
use frame_support::{assert_noop, assert_ok};

#[test]
fn success_more_slots_take_more_jobs() {
	run(|| {
		worker(1, MIN);
		assert_ok!(Operators::lock_collateral(&1, 0, 1));
		assert_ok!(Operators::lock_collateral(&1, 1, 1));
		assert_noop!(Operators::can_work(&1, 1), Error::<Test>::SlotsTaken);
		assert_ok!(Operators::update_capabilities(signed(1), capabilities(3)));
		assert_ok!(Operators::can_work(&1, 1));
	});
}

#[test]
fn fails_when_not_a_worker() {
	run(|| {
		verifier(1, MIN);
		assert_noop!(Operators::update_capabilities(signed(1), capabilities(1)), Error::<Test>::NotRegistered);
	});
}

#[test]
fn boundary_slots() {
	run(|| {
		worker(1, MIN);
		assert_noop!(Operators::update_capabilities(signed(1), capabilities(0)), Error::<Test>::SlotsOutOfRange);
		assert_ok!(Operators::update_capabilities(signed(1), capabilities(1)));
	});
}
