use super::mock::*;
use crate::{Error, Event, JobState};
use assay_protocol::{parameters::UNIT, Reason};
use frame_support::{assert_noop, assert_ok};
use pallet_operators::Role;

#[test]
fn success_the_lowest_bid_wins() {
	run(|| {
		let id = post(spec());
		assert_ok!(Market::bid(signed(ALICE), id, 80 * UNIT));
		assert_ok!(Market::bid(signed(BOB), id, 70 * UNIT));
		skip(WINDOW);
		assert_ok!(Market::close_auction(signed(0), id));
		let JobState::Running(lease) = job(id).state else { panic!("not running") };
		assert_eq!((lease.worker, lease.price, lease.collateral), (BOB, 70 * UNIT, 200 * UNIT));
		assert_eq!((on_hold(ALICE), on_hold(BOB)), (BOND, BOND));
		assert_eq!(on_hold(CLIENT), 116 * UNIT);
		System::assert_has_event(Event::BidRemoved { job: id, worker: ALICE, reason: Some(Reason::BidOutbid) }.into());
	});
}

#[test]
fn success_ties_go_to_the_earlier() {
	run(|| {
		let id = post(spec());
		assert_ok!(Market::bid(signed(BOB), id, UNIT));
		assert_ok!(Market::bid(signed(ALICE), id, UNIT));
		skip(WINDOW);
		assert_ok!(Market::close_auction(signed(0), id));
		assert_eq!(job(id).shares[0].worker, BOB);
	});
}

#[test]
fn success_passes_over_a_worker_that_is_not_able() {
	run(|| {
		let id = post(spec());
		assert_ok!(Market::bid(signed(ALICE), id, UNIT));
		assert_ok!(Market::bid(signed(BOB), id, 2 * UNIT));
		assert_ok!(Operators::set_draining(signed(ALICE), Role::Worker));
		skip(WINDOW);
		let issued = Balances::total_issuance();
		assert_ok!(Market::close_auction(signed(0), id));
		assert_eq!(job(id).shares[0].worker, BOB);
		// She kept her bid and could not keep her word.
		let deposit = job(id).parameters.bid_deposit;
		assert!(deposit > 0);
		assert_eq!((on_hold(ALICE), on_hold(BOB)), (BOND, BOND));
		assert_eq!(Balances::total_issuance(), issued - deposit);
		assert_eq!(job(id).account.slashed.burned, deposit);
	});
}

#[test]
fn success_begins_anew_when_nobody_is_able() {
	run(|| {
		let id = post(spec());
		assert_ok!(Market::bid(signed(ALICE), id, UNIT));
		assert_ok!(Operators::set_draining(signed(ALICE), Role::Worker));
		skip(WINDOW);
		assert_ok!(Market::close_auction(signed(0), id));
		let JobState::Order(order) = job(id).state else { panic!("not an order") };
		assert_eq!((order.opened_at, order.bids.len()), (1 + WINDOW, 0));
		assert_eq!(on_hold(ALICE), BOND);
		lease(id, BOB, UNIT);
	});
}

#[test]
fn fails_when_not_due() {
	run(|| {
		let id = post(spec());
		skip(WINDOW);
		assert_noop!(Market::close_auction(signed(0), id), Error::<Test>::NoBids);
		let other = post(ramp());
		assert_noop!(Market::close_auction(signed(0), other), Error::<Test>::ClearedByBid);
		lease(id, ALICE, UNIT);
		assert_noop!(Market::close_auction(signed(0), id), Error::<Test>::NotOpen);
	});
}

#[test]
fn boundary_window() {
	run(|| {
		let id = post(spec());
		assert_ok!(Market::bid(signed(ALICE), id, UNIT));
		skip(WINDOW - 1);
		assert_noop!(Market::close_auction(signed(0), id), Error::<Test>::WindowOpen);
		skip(1);
		assert_ok!(Market::close_auction(signed(0), id));
	});
}

#[test]
fn boundary_deadline() {
	run(|| {
		let id = post(spec());
		assert_ok!(Market::bid(signed(ALICE), id, UNIT));
		skip(DEADLINE + 1);
		assert_noop!(Market::close_auction(signed(0), id), Error::<Test>::DeadlinePassed);
		assert_ok!(Market::expire(signed(0), id));
	});
}
