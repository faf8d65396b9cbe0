use super::mock::*;
use crate::Error;
use assay_protocol::{interfaces::Leases, parameters::UNIT, Reason};
use frame_support::{assert_noop, assert_ok};

#[test]
fn success_before_a_lease_costs_the_deposit() {
	run(|| {
		let id = post(spec());
		assert_ok!(Market::bid(signed(ALICE), id, UNIT));
		let issued = Balances::total_issuance();
		assert_ok!(Market::cancel_job(signed(CLIENT), id));
		assert_eq!(closed(id), Some(Reason::CancelledByClient));
		assert_eq!((on_hold(CLIENT), Balances::free_balance(CLIENT)), (0, FUNDS - UNIT));
		assert_eq!(Balances::total_issuance(), issued - UNIT);
		assert_eq!(on_hold(ALICE), BOND);
	});
}

#[test]
fn success_in_a_lease_pays_the_milestone_in_progress() {
	run(|| {
		let id = leased(ALICE, 100 * UNIT);
		assert_ok!(Market::cancel_job(signed(CLIENT), id));
		// Four of ten segments.
		assert_eq!(wealth(ALICE), FUNDS + 40 * UNIT);
		assert_eq!((on_hold(CLIENT), wealth(CLIENT)), (0, FUNDS - 40 * UNIT));
		let receipt = Market::receipt(id).expect("closed");
		assert_eq!((receipt.verified_milestones, receipt.account.paid), (0, 40 * UNIT));
	});
}

#[test]
fn success_between_leases_is_free() {
	run(|| {
		let id = leased(ALICE, 100 * UNIT);
		assert_ok!(Market::lease_failed(id, Reason::NoVerifiers, 0, 0, &[]));
		assert_ok!(Market::cancel_job(signed(CLIENT), id));
		assert_eq!(wealth(CLIENT), FUNDS);
	});
}

#[test]
fn fails_when_not_allowed() {
	run(|| {
		let id = leased(ALICE, UNIT);
		assert_noop!(Market::cancel_job(signed(ALICE), id), Error::<Test>::NotClient);
		assert_noop!(Market::cancel_job(signed(CLIENT), 9), Error::<Test>::NotFound);
		Undecided::set(true);
		assert_ok!(Market::cancel_job(signed(CLIENT), id));
		assert_noop!(Market::cancel_job(signed(CLIENT), id), Error::<Test>::MilestoneUndecided);
		Undecided::set(false);
		assert_ok!(Market::cancel_job(signed(CLIENT), id));
		assert_noop!(Market::cancel_job(signed(CLIENT), id), Error::<Test>::AlreadyClosed);
	});
}

/// What is committed is decided and paid first; then the job ends by itself.
#[test]
fn success_while_milestones_are_undecided() {
	run(|| {
		let id = leased(ALICE, 100 * UNIT);
		Undecided::set(true);
		assert_ok!(Market::cancel_job(signed(CLIENT), id));
		assert!(Market::lease(id).expect("runs").cancelling);
		assert_ok!(Market::milestone_verified(id, 0, [1; 32], &[]));
		assert_eq!(closed(id), None);
		Undecided::set(false);
		assert_ok!(Market::milestone_verified(id, 1, [2; 32], &[]));
		assert_eq!(closed(id), Some(Reason::CancelledByClient));
		// Two milestones of four segments, and the last of two that was in progress.
		assert_eq!(wealth(ALICE), FUNDS + 100 * UNIT);
		assert_eq!(on_hold(CLIENT), 0);
	});
}

#[test]
fn success_a_lease_that_fails_after_the_request_ends_the_job() {
	run(|| {
		let id = leased(ALICE, 100 * UNIT);
		Undecided::set(true);
		assert_ok!(Market::cancel_job(signed(CLIENT), id));
		Undecided::set(false);
		assert_ok!(Market::lease_failed(id, Reason::NoVerifiers, 0, 0, &[]));
		assert_eq!(closed(id), Some(Reason::CancelledByClient));
		assert_eq!(wealth(CLIENT), FUNDS);
	});
}
