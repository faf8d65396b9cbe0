use super::mock::*;
use crate::{types::MAX_BIDS, Error, HoldReason, JobState};
use assay_protocol::{parameters::UNIT, Reason};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};

fn refused(reason: Reason) -> Error<Test> {
	Error::BidRefused(reason.into())
}

#[test]
fn success_holds_the_deposit() {
	run(|| {
		let id = post(spec());
		assert_ok!(Market::bid(signed(ALICE), id, 90 * UNIT));
		let JobState::Order(order) = job(id).state else { panic!("not an order") };
		assert_eq!((order.bids[0].worker, order.bids[0].price), (ALICE, 90 * UNIT));
		assert_eq!(Balances::balance_on_hold(&HoldReason::BidDeposit.into(), &ALICE), UNIT / 10);
	});
}

#[test]
fn success_a_full_order_takes_only_a_better_bid() {
	run(|| {
		let id = post(spec());
		for at in 0..u64::from(MAX_BIDS) {
			worker(20 + at);
			assert_ok!(Market::bid(signed(20 + at), id, 50 * UNIT));
		}
		assert_noop!(Market::bid(signed(ALICE), id, 50 * UNIT), refused(Reason::BidsFull));
		assert_ok!(Market::bid(signed(ALICE), id, 50 * UNIT - 1));
		let last = 20 + u64::from(MAX_BIDS) - 1;
		assert_eq!(Balances::balance_on_hold(&HoldReason::BidDeposit.into(), &last), 0);
		let JobState::Order(order) = job(id).state else { panic!("not an order") };
		assert_eq!(order.bids.len() as u32, MAX_BIDS);
		assert!(order.bids.iter().all(|bid| bid.worker != last));
	});
}

#[test]
fn success_a_ramp_leases_at_once() {
	run(|| {
		let id = post(ramp());
		assert_eq!(Market::highest_bid(id), Some(10 * UNIT));
		assert_noop!(Market::bid(signed(ALICE), id, 10 * UNIT + 1), refused(Reason::BidAboveRamp));
		skip(45);
		assert_eq!(Market::highest_bid(id), Some(55 * UNIT));
		assert_ok!(Market::bid(signed(ALICE), id, 55 * UNIT));
		let JobState::Running(lease) = job(id).state else { panic!("not running") };
		assert_eq!((lease.worker, lease.price), (ALICE, 55 * UNIT));
		assert_eq!(Balances::balance_on_hold(&HoldReason::BidDeposit.into(), &ALICE), 0);
		assert_eq!(Balances::balance_on_hold(&HoldReason::OrderDeposit.into(), &CLIENT), 0);
		assert_noop!(Market::bid(signed(BOB), id, UNIT), Error::<Test>::NotOpen);
	});
}

#[test]
fn success_a_ramp_stays_at_its_maximum() {
	run(|| {
		let id = post(ramp());
		skip(300);
		assert_eq!(Market::highest_bid(id), Some(100 * UNIT));
		assert_ok!(Market::bid(signed(ALICE), id, 100 * UNIT));
	});
}

#[test]
fn fails_when_refused() {
	run(|| {
		let id = post(spec());
		assert_noop!(Market::bid(signed(ALICE), id + 1, UNIT), Error::<Test>::NotFound);
		assert_noop!(Market::bid(signed(CLIENT), id, UNIT), refused(Reason::BidByClient));
		assert_noop!(Market::bid(signed(ALICE), id, 100 * UNIT + 1), refused(Reason::BidAboveMaximum));
		assert_noop!(Market::bid(signed(ALICE), id, 2), refused(Reason::BidZero));
		assert_noop!(Market::bid(signed(30), id, UNIT), pallet_operators::Error::<Test>::NotRegistered);
		assert_ok!(Market::bid(signed(ALICE), id, 3));
		assert_noop!(Market::bid(signed(ALICE), id, 3), refused(Reason::BidDuplicate));
	});
}

#[test]
fn fails_when_the_bond_does_not_cover_the_collateral() {
	run(|| {
		let id = post(spec());
		// Insured 50 units, 4 segments, 1 drawn: 200 units of a bond of 1,000.
		assert_eq!(Market::collateral_for(id, UNIT), Some(200 * UNIT));
		for _ in 0..4 {
			leased(ALICE, UNIT);
		}
		assert_noop!(Market::bid(signed(ALICE), id, UNIT), pallet_operators::Error::<Test>::SlotsTaken);
		assert_ok!(Operators::unbond(signed(BOB), pallet_operators::Role::Worker, 850 * UNIT));
		assert_noop!(Market::bid(signed(BOB), id, UNIT), pallet_operators::Error::<Test>::FreeBondTooSmall);
	});
}

#[test]
fn boundary_window() {
	run(|| {
		let (id, quiet) = (post(spec()), post(spec()));
		skip(WINDOW - 1);
		assert_ok!(Market::bid(signed(ALICE), id, UNIT));
		skip(1);
		assert_noop!(Market::bid(signed(BOB), id, UNIT), refused(Reason::BidTooLate));
		// A window without a bid waits for its first.
		assert_ok!(Market::bid(signed(BOB), quiet, UNIT));
		assert_noop!(Market::bid(signed(ALICE), quiet, UNIT), refused(Reason::BidTooLate));
	});
}

#[test]
fn boundary_deadline() {
	run(|| {
		let (id, late) = (post(spec()), post(spec()));
		skip(DEADLINE);
		assert_ok!(Market::bid(signed(ALICE), id, UNIT));
		skip(1);
		assert_noop!(Market::bid(signed(ALICE), late, UNIT), Error::<Test>::DeadlinePassed);
	});
}
