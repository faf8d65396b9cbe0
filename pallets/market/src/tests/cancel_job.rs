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
		assert_ok!(Market::lease_failed(id, Reason::NoVerifiers));
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
		assert_noop!(Market::cancel_job(signed(CLIENT), id), Error::<Test>::MilestoneUndecided);
		Undecided::set(false);
		assert_ok!(Market::cancel_job(signed(CLIENT), id));
		assert_noop!(Market::cancel_job(signed(CLIENT), id), Error::<Test>::AlreadyClosed);
	});
}
