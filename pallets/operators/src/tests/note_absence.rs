use super::mock::*;
use crate::{types::*, ReadyVerifiers};
use assay_protocol::interfaces::Operators as _;
use frame_support::assert_ok;

#[test]
fn boundary_third_in_a_row() {
	run(|| {
		verifier(1, MIN);
		worker(1, MIN);
		assert_ok!(Operators::lock_check(&1));
		Operators::note_absence(&1);
		Operators::note_absence(&1);
		assert_eq!(record(Role::Verifier, 1).state, State::Busy { duties: 1 });
		Operators::note_absence(&1);
		assert_eq!(record(Role::Verifier, 1).state, State::Unresponsive { duties: 1 });
		assert_eq!(record(Role::Worker, 1).state, State::Unresponsive { duties: 0 });
		assert!(ReadyVerifiers::<Test>::get().is_empty());
		Operators::release_check(&1, false);
		assert_eq!(record(Role::Verifier, 1).state, State::Unresponsive { duties: 0 });
	});
}

#[test]
fn success_a_duty_done_ends_the_row() {
	run(|| {
		verifier(1, MIN);
		Operators::note_absence(&1);
		Operators::note_absence(&1);
		assert_ok!(Operators::lock_check(&1));
		Operators::release_check(&1, true);
		Operators::note_absence(&1);
		let verifier = record(Role::Verifier, 1);
		assert_eq!((verifier.state, verifier.reputation.absences), (State::Ready, 3));
	});
}

#[test]
fn success_of_a_stranger_changes_nothing() {
	run(|| Operators::note_absence(&1));
}
