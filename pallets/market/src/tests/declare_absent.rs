use super::mock::*;
use crate::{Error, JobState};
use assay_protocol::{interfaces::Leases, parameters::UNIT, Reason};
use frame_support::{assert_noop, assert_ok};
use pallet_operators::Role;

#[test]
fn success_puts_the_order_up_again() {
	run(|| {
		let id = leased(ALICE, UNIT);
		skip(job(id).parameters.progress_window + 1);
		assert_ok!(Market::declare_absent(signed(0), id));
		assert!(matches!(job(id).state, JobState::Order(_)));
		assert_eq!(job(id).shares[0].ended, Some(Reason::Absent));
		let alice = Operators::operator(Role::Worker, ALICE).expect("registered");
		assert_eq!((alice.reputation.absences, alice.reputation.faults, alice.locked), (1, 0, 0));
		let deposit = job(id).parameters.bid_deposit;
		assert_eq!(wealth(ALICE), FUNDS - deposit);
		assert_eq!(job(id).account.slashed.burned, deposit);
	});
}

#[test]
fn success_is_free_after_a_milestone() {
	run(|| {
		let id = leased(ALICE, UNIT);
		assert_ok!(Market::milestone_verified(id, 0, [1; 32], &[]));
		let wealth_before = wealth(ALICE);
		skip(job(id).parameters.progress_window + 1);
		assert_ok!(Market::declare_absent(signed(0), id));
		assert_eq!(wealth(ALICE), wealth_before);
	});
}

#[test]
fn twice_without_a_milestone_bars() {
	run(|| {
		let id = leased(ALICE, UNIT);
		skip(job(id).parameters.progress_window + 1);
		assert_ok!(Market::declare_absent(signed(0), id));
		lease(id, ALICE, UNIT);
		skip(job(id).parameters.progress_window + 1);
		assert_ok!(Market::declare_absent(signed(0), id));
		let again = Market::bid(signed(ALICE), id, UNIT);
		assert_noop!(again, Error::<Test>::BidRefused(Reason::BidBarred.into()));
	});
}

#[test]
fn success_after_the_deadline_closes() {
	run(|| {
		let id = leased(ALICE, UNIT);
		skip(DEADLINE);
		assert_ok!(Market::declare_absent(signed(0), id));
		assert_eq!(closed(id), Some(Reason::DeadlinePassed));
	});
}

#[test]
fn boundary_progress_starts_the_window_anew() {
	run(|| {
		let id = leased(ALICE, UNIT);
		let window = job(id).parameters.progress_window;
		skip(window);
		assert_noop!(Market::declare_absent(signed(0), id), Error::<Test>::ProgressWindowOpen);
		Market::progressed(id);
		skip(window);
		assert_noop!(Market::declare_absent(signed(0), id), Error::<Test>::ProgressWindowOpen);
		skip(1);
		Undecided::set(true);
		assert_noop!(Market::declare_absent(signed(0), id), Error::<Test>::MilestoneUndecided);
		Undecided::set(false);
		assert_ok!(Market::declare_absent(signed(0), id));
		assert_noop!(Market::declare_absent(signed(0), id), Error::<Test>::NotRunning);
	});
}
