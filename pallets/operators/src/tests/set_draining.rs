use super::mock::*;
use crate::{types::*, Error, ReadyVerifiers};
use assay_protocol::interfaces::Operators as _;
use frame_support::{assert_noop, assert_ok};

#[test]
fn success_keeps_its_job_and_takes_no_other() {
	run(|| {
		worker(1, MIN);
		assert_ok!(Operators::lock_collateral(&1, 0, 1));
		assert_ok!(Operators::set_draining(signed(1), Role::Worker));
		assert_eq!(record(Role::Worker, 1).state, State::Draining { duties: 1 });
		assert_noop!(Operators::can_work(&1, 0), Error::<Test>::NotTakingWork);
		Operators::release_collateral(&1, 0, true, 0);
		assert_eq!(record(Role::Worker, 1).state, State::Draining { duties: 0 });
	});
}

#[test]
fn success_is_not_drawn() {
	run(|| {
		verifier(1, MIN);
		assert_ok!(Operators::set_draining(signed(1), Role::Verifier));
		assert!(ReadyVerifiers::<Test>::get().is_empty());
		assert_noop!(Operators::lock_check(&1), Error::<Test>::NotTakingWork);
	});
}

#[test]
fn fails_when_not_taking_work() {
	run(|| {
		worker(1, MIN);
		assert_ok!(Operators::set_draining(signed(1), Role::Worker));
		assert_noop!(Operators::set_draining(signed(1), Role::Worker), Error::<Test>::NotTakingWork);
		assert_noop!(Operators::set_draining(signed(2), Role::Worker), Error::<Test>::NotRegistered);
	});
}
