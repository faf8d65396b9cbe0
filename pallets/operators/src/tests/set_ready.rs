use super::mock::*;
use crate::{types::*, Error, ReadyVerifiers};
use assay_protocol::interfaces::Operators as _;
use frame_support::{assert_noop, assert_ok};

#[test]
fn success_after_draining() {
	run(|| {
		verifier(1, MIN);
		assert_ok!(Operators::set_draining(signed(1), Role::Verifier));
		assert_ok!(Operators::set_ready(signed(1), Role::Verifier));
		assert_eq!(ReadyVerifiers::<Test>::get().len(), 1);
	});
}

#[test]
fn success_with_a_job_is_busy() {
	run(|| {
		worker(1, MIN);
		assert_ok!(Operators::lock_collateral(&1, 0, 1));
		assert_ok!(Operators::set_draining(signed(1), Role::Worker));
		assert_ok!(Operators::set_ready(signed(1), Role::Worker));
		assert_eq!(record(Role::Worker, 1).state, State::Busy { duties: 1 });
	});
}

#[test]
fn success_after_absence_starts_the_row_anew() {
	run(|| {
		worker(1, MIN);
		(0..3).for_each(|_| Operators::note_absence(&1));
		assert_eq!(record(Role::Worker, 1).state, State::Unresponsive { duties: 0 });
		assert_ok!(Operators::set_ready(signed(1), Role::Worker));
		Operators::note_absence(&1);
		assert_eq!(record(Role::Worker, 1).state, State::Ready);
	});
}

#[test]
fn boundary_jail_term_and_whole_bond() {
	run(|| {
		worker(1, MIN + 40);
		assert_ok!(Operators::lock_collateral(&1, 0, 40));
		Operators::slash_collateral(&1, 0, &2, 0, None);
		let State::Jailed { until, .. } = record(Role::Worker, 1).state else { panic!("not jailed") };
		System::set_block_number(u64::from(until) - 1);
		assert_noop!(Operators::set_ready(signed(1), Role::Worker), Error::<Test>::StillJailed);
		System::set_block_number(u64::from(until));
		assert_ok!(Operators::set_ready(signed(1), Role::Worker));
	});
}

#[test]
fn fails_when_the_slashed_bond_is_not_whole() {
	run(|| {
		worker(1, MIN);
		assert_ok!(Operators::lock_collateral(&1, 0, 40));
		Operators::slash_collateral(&1, 0, &2, 0, None);
		System::set_block_number(1_000);
		assert_noop!(Operators::set_ready(signed(1), Role::Worker), Error::<Test>::BondTooSmall);
		assert_ok!(Operators::bond_more(signed(1), Role::Worker, 40));
		assert_ok!(Operators::set_ready(signed(1), Role::Worker));
	});
}

#[test]
fn fails_when_leaving() {
	run(|| {
		worker(1, MIN);
		assert_ok!(Operators::unbond(signed(1), Role::Worker, MIN));
		assert_noop!(Operators::set_ready(signed(1), Role::Worker), Error::<Test>::Leaving);
	});
}
