use super::mock::*;
use crate::{types::MAX_ATTEMPTS, Error, JobState};
use assay_protocol::{interfaces::Leases, parameters::UNIT, Reason};
use frame_support::{assert_noop, assert_ok};
use pallet_operators::Role;

#[test]
fn success_puts_the_order_up_again_without_a_slash() {
	run(|| {
		let id = leased(ALICE, 90 * UNIT);
		assert_ok!(Market::milestone_verified(id, 0, [9; 32], &CHECKERS));
		assert_ok!(Market::fail_job(signed(ALICE), id, Reason::GaveUp));
		let job = job(id);
		assert!(matches!(job.state, JobState::Order(_)));
		assert_eq!((job.attempt, job.verified.milestones, job.verified.root), (1, 1, [9; 32]));
		assert_eq!(job.account.price_left, 100 * UNIT - 36 * UNIT);
		assert_eq!(wealth(ALICE), FUNDS + 36 * UNIT - job.parameters.bid_deposit);
		let alice = Operators::operator(Role::Worker, ALICE).expect("registered");
		assert_eq!((alice.locked, alice.reputation.failed, alice.reputation.faults), (0, 1, 0));
		// What is unpaid is the new ceiling; the price is for the milestones left.
		let over = Market::bid(signed(BOB), id, 64 * UNIT + 1);
		assert_noop!(over, Error::<Test>::BidRefused(Reason::BidAboveMaximum.into()));
		lease(id, BOB, 60 * UNIT);
		assert_ok!(Market::milestone_verified(id, 1, [10; 32], &CHECKERS));
		assert_eq!(wealth(BOB), FUNDS + 40 * UNIT);
	});
}

#[test]
fn success_two_workers_that_blame_the_program_close_the_job() {
	run(|| {
		let id = leased(ALICE, UNIT);
		assert_ok!(Market::fail_job(signed(ALICE), id, Reason::NonFinite));
		let again = Market::bid(signed(ALICE), id, UNIT);
		assert_noop!(again, Error::<Test>::BidRefused(Reason::BidBarred.into()));
		lease(id, BOB, UNIT);
		assert_ok!(Market::fail_job(signed(BOB), id, Reason::NonFinite));
		assert_eq!(closed(id), Some(Reason::NonFinite));
		assert_eq!((on_hold(CLIENT), wealth(CLIENT)), (0, FUNDS));
	});
}

#[test]
fn success_giving_up_costs_a_bid_deposit_and_the_job() {
	run(|| {
		let id = leased(ALICE, UNIT);
		let issued = Balances::total_issuance();
		assert_ok!(Market::fail_job(signed(ALICE), id, Reason::GaveUp));
		let deposit = job(id).parameters.bid_deposit;
		assert_eq!(Balances::total_issuance(), issued - deposit);
		assert_eq!((wealth(ALICE), on_hold(ALICE)), (FUNDS - deposit, BOND - deposit));
		assert_eq!(job(id).account.slashed.burned, deposit);
		let again = Market::bid(signed(ALICE), id, UNIT);
		assert_noop!(again, Error::<Test>::BidRefused(Reason::BidBarred.into()));
	});
}

#[test]
fn success_who_gave_up_after_a_milestone_may_come_back() {
	run(|| {
		let id = leased(ALICE, UNIT);
		assert_ok!(Market::milestone_verified(id, 0, [9; 32], &CHECKERS));
		assert_ok!(Market::fail_job(signed(ALICE), id, Reason::GaveUp));
		lease(id, ALICE, UNIT / 2);
	});
}

#[test]
fn boundary_most_attempts() {
	run(|| {
		let id = leased(ALICE, UNIT);
		for attempt in 1..MAX_ATTEMPTS {
			assert_ok!(Market::lease_failed(id, Reason::NoVerifiers, 0, 0, &[]));
			assert_eq!(job(id).attempt, attempt);
			lease(id, ALICE, UNIT);
		}
		assert_ok!(Market::lease_failed(id, Reason::NoVerifiers, 0, 0, &[]));
		assert_eq!(closed(id), Some(Reason::TooManyAttempts));
	});
}

#[test]
fn fails_when_not_allowed() {
	run(|| {
		let id = leased(ALICE, UNIT);
		assert_noop!(Market::fail_job(signed(BOB), id, Reason::GaveUp), Error::<Test>::NotLeaseholder);
		for reason in [Reason::Completed, Reason::LostDispute, Reason::DrainedAway] {
			assert_noop!(Market::fail_job(signed(ALICE), id, reason), Error::<Test>::ReasonNotAllowed);
		}
		Undecided::set(true);
		assert_noop!(Market::fail_job(signed(ALICE), id, Reason::GaveUp), Error::<Test>::MilestoneUndecided);
		Undecided::set(false);
		let order = post(spec());
		assert_noop!(Market::fail_job(signed(ALICE), order, Reason::GaveUp), Error::<Test>::NotRunning);
	});
}

#[test]
fn success_draining_at_a_milestone_is_free() {
	run(|| {
		let id = leased(ALICE, UNIT);
		assert_ok!(Market::milestone_verified(id, 0, [9; 32], &[]));
		assert_ok!(Market::fail_job(signed(ALICE), id, Reason::DrainedAway));
		let alice = Operators::operator(Role::Worker, ALICE).expect("registered");
		assert_eq!((alice.reputation.done, alice.reputation.failed), (1, 0));
	});
}
