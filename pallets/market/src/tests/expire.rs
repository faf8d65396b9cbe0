use super::mock::*;
use crate::Error;
use assay_protocol::{interfaces::Leases, parameters::UNIT, Reason};
use frame_support::{assert_noop, assert_ok};

#[test]
fn success_without_bids_returns_everything() {
	run(|| {
		let id = post(spec());
		skip(DEADLINE + 1);
		assert_ok!(Market::expire(signed(0), id));
		assert_eq!(closed(id), Some(Reason::NoBids));
		assert_eq!((on_hold(CLIENT), wealth(CLIENT)), (0, FUNDS));
	});
}

#[test]
fn success_with_bids_returns_their_deposits() {
	run(|| {
		let id = post(spec());
		assert_ok!(Market::bid(signed(ALICE), id, UNIT));
		skip(DEADLINE + 1);
		assert_ok!(Market::expire(signed(0), id));
		assert_eq!(closed(id), Some(Reason::DeadlinePassed));
		assert_eq!(on_hold(ALICE), BOND);
	});
}

#[test]
fn success_in_a_lease_keeps_what_was_paid() {
	run(|| {
		let id = leased(ALICE, 100 * UNIT);
		assert_ok!(Market::milestone_verified(id, 0, [9; 32], &CHECKERS));
		skip(DEADLINE);
		assert_ok!(Market::expire(signed(0), id));
		assert_eq!(closed(id), Some(Reason::DeadlinePassed));
		assert_eq!(wealth(ALICE), FUNDS + 40 * UNIT);
		assert_eq!(wealth(CLIENT), FUNDS - 42 * UNIT);
		let receipt = Market::receipt(id).expect("closed");
		assert_eq!(receipt.shares[0].ended, Some(Reason::DeadlinePassed));
	});
}

#[test]
fn fails_while_undecided() {
	run(|| {
		let id = leased(ALICE, UNIT);
		skip(DEADLINE + 1);
		Undecided::set(true);
		assert_noop!(Market::expire(signed(0), id), Error::<Test>::MilestoneUndecided);
		Undecided::set(false);
		assert_ok!(Market::expire(signed(0), id));
		assert_noop!(Market::expire(signed(0), id), Error::<Test>::AlreadyClosed);
	});
}

#[test]
fn boundary_deadline() {
	run(|| {
		let id = post(spec());
		skip(DEADLINE);
		assert_noop!(Market::expire(signed(0), id), Error::<Test>::DeadlineAhead);
		skip(1);
		assert_ok!(Market::expire(signed(0), id));
	});
}
