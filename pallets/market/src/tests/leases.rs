//! What `verification` reports, through the interface that it uses.

use super::mock::*;
use crate::{Error, Job, JobState, Receipt};
use assay_protocol::{
	interfaces::{Leases, SlashSplit, WorkerFault},
	parameters::UNIT,
	Reason,
};
use frame_support::{assert_noop, assert_ok};
use pallet_operators::{Role, State};

#[test]
fn success_every_milestone_is_paid_and_the_rest_refunded() {
	run(|| {
		let id = leased(ALICE, 77 * UNIT + 1);
		for index in 0..3 {
			assert_eq!(Market::lease(id).expect("running").next_milestone, index);
			assert_ok!(Market::milestone_verified(id, index, [index as u8 + 1; 32], &[20, 20, 21, 21]));
		}
		assert_eq!(closed(id), Some(Reason::Completed));
		assert_eq!(wealth(ALICE), FUNDS + 77 * UNIT + 1);
		assert_eq!((wealth(20), wealth(21)), (FUNDS + 6 * UNIT, FUNDS + 6 * UNIT));
		assert_eq!((on_hold(CLIENT), wealth(CLIENT)), (0, FUNDS - 89 * UNIT - 1));
		let alice = Operators::operator(Role::Worker, ALICE).expect("registered");
		assert_eq!((alice.locked, alice.state, alice.reputation.done), (0, State::Ready, 1));
		let Receipt { client, reason, code, result_root, verified_milestones, shares, account, .. } =
			Market::receipt(id).expect("closed");
		assert_eq!((client, reason, code), (CLIENT, Reason::Completed, 20_001));
		assert_eq!((result_root, verified_milestones), ([3; 32], 3));
		assert_eq!((shares[0].worker, shares[0].paid, shares[0].milestones), (ALICE, 77 * UNIT + 1, 3));
		assert_eq!((account.paid, account.fees_paid), (77 * UNIT + 1, 12 * UNIT));
		assert_eq!(account.escrowed, account.paid + account.fees_paid + account.refunded);
		assert!(Market::lease(id).is_none());
	});
}

#[test]
fn success_the_lease_shows_what_neighbours_need() {
	run(|| {
		let id = leased(ALICE, UNIT);
		let lease = Market::lease(id).expect("running");
		assert_eq!((lease.worker, lease.client, lease.attempt), (ALICE, CLIENT, 0));
		assert_eq!((lease.milestones, lease.segments, lease.spec), (3, 10, spec()));
		assert_eq!(lease.verified_root, spec().initial_root);
		assert!(Market::lease(post(spec())).is_none());
	});
}

#[test]
fn fails_when_out_of_order() {
	run(|| {
		let id = leased(ALICE, UNIT);
		assert_noop!(Market::milestone_verified(id, 1, [1; 32], &[]), Error::<Test>::MilestoneOutOfOrder);
		assert_ok!(Market::milestone_verified(id, 0, [1; 32], &[]));
		assert_noop!(Market::milestone_verified(id, 0, [1; 32], &[]), Error::<Test>::MilestoneOutOfOrder);
		let order = post(spec());
		assert_noop!(Market::milestone_verified(order, 0, [1; 32], &[]), Error::<Test>::NotRunning);
		assert_noop!(Market::worker_fault(order, WorkerFault::NotOpened, None, &[]), Error::<Test>::NotRunning);
		assert_noop!(Market::lease_failed(order, Reason::NoVerifiers, 0, 0, &[]), Error::<Test>::NotRunning);
	});
}

#[test]
fn success_a_fault_is_slashed_and_its_checks_are_paid_by_it() {
	run(|| {
		let id = leased(ALICE, 90 * UNIT);
		assert_ok!(Market::milestone_verified(id, 0, [1; 32], &[20, 20, 21, 21]));
		let issued = Balances::total_issuance();
		assert_ok!(Market::worker_fault(id, WorkerFault::LostDispute, Some(&20), &[20, 21, 21]));
		// 200 units of collateral: 3 pay the checks again, 50 go to the challenger.
		let slashed = SlashSplit { client: 3 * UNIT, challenger: 50 * UNIT, burned: 147 * UNIT };
		let job = job(id);
		assert_eq!(job.account.slashed, slashed);
		assert_eq!(Balances::total_issuance(), issued - 147 * UNIT);
		assert_eq!(wealth(20), FUNDS + 3 * UNIT + 50 * UNIT);
		assert_eq!(job.account.fees_left, 16 * UNIT - 4 * UNIT);
		assert_eq!(wealth(CLIENT), FUNDS - 36 * UNIT - 4 * UNIT);
		assert_eq!((job.attempt, job.verified.milestones), (1, 1));
		assert!(matches!(job.state, JobState::Order(_)));
		let alice = Operators::operator(Role::Worker, ALICE).expect("registered");
		assert!(matches!(alice.state, State::Jailed { .. }));
		let again = Market::bid(signed(ALICE), id, UNIT);
		assert_noop!(again, Error::<Test>::BidRefused(Reason::BidBarred.into()));
		lease(id, BOB, 60 * UNIT);
		for index in 1..3 {
			assert_ok!(Market::milestone_verified(id, index, [2; 32], &[20, 20, 21, 21]));
		}
		let receipt = Market::receipt(id).expect("closed");
		assert_eq!(receipt.shares.len(), 2);
		assert_eq!(receipt.shares[0].ended, Some(Reason::LostDispute));
		assert_eq!(on_hold(CLIENT), 0);
	});
}

#[test]
fn success_a_failed_lease_costs_nobody() {
	run(|| {
		let id = leased(ALICE, UNIT);
		assert_ok!(Market::lease_failed(id, Reason::NoVerifiers, 0, 0, &[]));
		assert_eq!(job(id).shares[0].ended, Some(Reason::NoVerifiers));
		assert_eq!((wealth(ALICE), wealth(CLIENT)), (FUNDS, FUNDS));
		assert_eq!(Operators::free_bond(Role::Worker, ALICE), BOND);
	});
}

/// A client that keeps bonds busy with what nobody can execute pays for it, and not for long.
#[test]
fn success_verifiers_that_were_never_heard_of_cost_the_client_fees() {
	run(|| {
		let id = leased(ALICE, UNIT);
		let issued = Balances::total_issuance();
		let (escrow, fee) = (job(id).account.escrow(), verify().fee_per_check);
		assert_ok!(Market::lease_failed(id, Reason::NoVerifiers, 0, 3, &[]));
		assert_eq!(Balances::total_issuance(), issued - 3 * fee);
		assert_eq!(job(id).account.fees_burned, 3 * fee);
		assert_eq!((wealth(CLIENT), on_hold(CLIENT)), (FUNDS - 3 * fee, escrow - 3 * fee + job(id).account.deposit));
		// At most the fees of a milestone, after which the rest cannot be checked any more.
		lease(id, BOB, UNIT);
		let most = job(id).account.fees_left;
		assert_ok!(Market::lease_failed(id, Reason::NoVerifiers, 0, 1_000, &[]));
		let Job { account, state, .. } = job(id);
		assert!(account.fees_burned > 3 * fee && account.fees_burned < most, "{account:?}");
		let JobState::Closed(closing) = state else { panic!("{state:?}") };
		assert_eq!(closing.reason, Reason::EscrowNotCovered);
		assert_eq!((on_hold(CLIENT), wealth(CLIENT)), (0, FUNDS - account.fees_burned));
		assert_eq!(wealth(ALICE), FUNDS);
	});
}

/// One silent segment beside others that were checked must not end a stranger's job.
#[test]
fn success_the_first_failed_milestone_costs_its_fees_and_not_the_job() {
	run(|| {
		let id = leased(ALICE, UNIT);
		let before = job(id).account;
		assert_ok!(Market::lease_failed(id, Reason::NoVerifiers, 0, 1_000, &[20, 21]));
		let Job { account, state, .. } = job(id);
		assert!(matches!(state, JobState::Order(_)), "{state:?}");
		assert_eq!(account.fees_paid, 2 * verify().fee_per_check);
		assert!(account.fees_burned > 0);
		let again = before.fees_left - account.fees_left;
		lease(id, BOB, UNIT);
		assert_ok!(Market::lease_failed(id, Reason::NoVerifiers, 0, 1_000, &[]));
		assert_eq!(job(id).account.fees_burned, account.fees_burned + again, "each costs the fees of a milestone");
	});
}

/// Refusing one verifier, to be heard of by nobody else, is not cheaper than refusing nobody.
#[test]
fn success_idle_seats_cost_a_worker_that_refused_others() {
	run(|| {
		let id = leased(ALICE, 40 * UNIT);
		let issued = Balances::total_issuance();
		let due = 9 * verify().fee_per_check;
		assert!(due > job(id).parameters.bid_deposit);
		assert_ok!(Market::lease_failed(id, Reason::Unserved, 1, 9, &[]));
		assert_eq!(Balances::total_issuance(), issued - due);
		assert_eq!(job(id).account.slashed.burned, due);
		assert_eq!((job(id).account.fees_burned, wealth(CLIENT)), (0, FUNDS));
	});
}

#[test]
fn success_a_lease_nobody_could_check_costs_half() {
	run(|| {
		let id = leased(ALICE, 40 * UNIT);
		let issued = Balances::total_issuance();
		let JobState::Running(lease) = job(id).state else { panic!("leased") };
		assert_ok!(Market::lease_failed(id, Reason::Unserved, 1_000_000, 0, &[]));
		let half = lease.collateral / 2;
		assert!(half >= 40 * UNIT);
		assert_eq!(Balances::total_issuance(), issued - half);
		assert_eq!(Operators::free_bond(Role::Worker, ALICE), BOND - half);
		assert_eq!(job(id).account.slashed, SlashSplit { burned: half, ..SlashSplit::default() });
		let again = Market::bid(signed(ALICE), id, UNIT);
		assert_noop!(again, Error::<Test>::BidRefused(Reason::BidBarred.into()));
	});
}

#[test]
fn success_a_lease_hardly_anyone_could_check_costs_a_part_of_it() {
	run(|| {
		let id = leased(ALICE, 40 * UNIT);
		let issued = Balances::total_issuance();
		let JobState::Running(lease) = job(id).state else { panic!("leased") };
		assert_ok!(Market::lease_failed(id, Reason::Unserved, 250_000, 0, &[]));
		assert_eq!(Balances::total_issuance(), issued - lease.collateral / 8);
	});
}

#[test]
fn success_a_checker_without_account_leaves_its_fee_to_the_client() {
	run(|| {
		crate::CurrentParameters::<Test>::mutate(|parameters| parameters.min_fee_per_check = 1);
		let verify = assay_protocol::job::Verify { fee_per_check: 1, ..verify() };
		let id = post(assay_protocol::job::JobSpec { verify, ..spec() });
		lease(id, ALICE, UNIT);
		assert_ok!(Market::milestone_verified(id, 0, [1; 32], &[999, 20]));
		assert_eq!(job(id).account.fees_paid, 1);
		assert_eq!(wealth(20), FUNDS + 1);
	});
}

#[test]
fn boundary_more_checkers_than_budget() {
	run(|| {
		let id = leased(ALICE, UNIT);
		assert_ok!(Market::milestone_verified(id, 0, [1; 32], &[20; 100]));
		// Its own four and the four set aside for a failed milestone; those to come stay.
		assert_eq!(wealth(20), FUNDS + 8 * UNIT);
		assert_eq!(job(id).account.fees_left, 8 * UNIT);
		assert_ok!(Market::worker_fault(id, WorkerFault::NotServed, None, &[21; 100]));
		assert_eq!(wealth(21), FUNDS);
	});
}
