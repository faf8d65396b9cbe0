use super::mock::*;
use crate::{Error, JobState};
use assay_protocol::parameters::UNIT;
use frame_support::{assert_noop, assert_ok};

#[test]
fn success_returns_the_deposit() {
	run(|| {
		let id = post(spec());
		assert_ok!(Market::bid(signed(ALICE), id, UNIT));
		assert_ok!(Market::withdraw_bid(signed(ALICE), id));
		assert_eq!(on_hold(ALICE), BOND);
		let JobState::Order(order) = job(id).state else { panic!("not an order") };
		assert!(order.bids.is_empty());
		assert_ok!(Market::bid(signed(ALICE), id, 2 * UNIT));
	});
}

#[test]
fn fails_when_there_is_none() {
	run(|| {
		let id = post(spec());
		assert_noop!(Market::withdraw_bid(signed(ALICE), id), Error::<Test>::NoSuchBid);
		assert_noop!(Market::withdraw_bid(signed(ALICE), 9), Error::<Test>::NotFound);
		lease(id, ALICE, UNIT);
		assert_noop!(Market::withdraw_bid(signed(ALICE), id), Error::<Test>::NotOpen);
	});
}
