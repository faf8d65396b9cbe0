use crate::{mock::*, Error};
use assay_protocol::{parameters::Parameters, round::CheckState, Reason};
use frame_support::{assert_noop, assert_ok};
use program::Run;

fn refused(reason: Reason) -> Error<Test> {
	Error::Refused(reason.into())
}

#[test]
fn success_basic() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		commit_and_draw(&honest, 0);
		let (segment, who) = assigned(0).remove(0);
		let answer = answer(&honest, 0, segment, &who);
		assert_ok!(commit_blind(0, segment, &who, &answer));
		let state = record(0).round.phase.segments()[0].checks[0].state;
		assert_eq!(state, CheckState::Committed { blind: answer.commitment() });
		assert!(!is_opening(0));
	});
}

#[test]
fn the_last_commitment_starts_the_opening() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		commit_and_draw(&honest, 0);
		commit_all(0, |segment, who| answer(&honest, 0, segment, who));
		assert!(is_opening(0));
	});
}

#[test]
fn fails_for_who_is_not_assigned() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		commit_and_draw(&honest, 0);
		let (segment, who) = assigned(0).remove(0);
		let stranger = VERIFIERS.iter().find(|other| assigned(0).iter().all(|(_, who)| who != *other)).expect("six");
		let answer = answer(&honest, 0, segment, &who);
		assert_noop!(commit_blind(0, segment, stranger, &answer), refused(Reason::NotAssigned));
		assert_noop!(commit_blind(0, 99, &who, &answer), refused(Reason::NotDrawn));
	});
}

#[test]
fn fails_twice_and_too_late() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		commit_and_draw(&honest, 0);
		let mut assigned = assigned(0);
		let (segment, who) = assigned.remove(0);
		let first = answer(&honest, 0, segment, &who);
		assert_ok!(commit_blind(0, segment, &who, &first));
		assert_noop!(commit_blind(0, segment, &who, &first), refused(Reason::AlreadyCommitted));
		skip(Parameters::development().blind_window + 1);
		let (segment, who) = assigned.remove(0);
		let second = answer(&honest, 0, segment, &who);
		assert_noop!(commit_blind(0, segment, &who, &second), refused(Reason::TooLate));
	});
}

#[test]
fn fails_before_the_draw() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		assert_ok!(commit(&honest, 0));
		let answer = answer(&honest, 0, LAST, &VERIFIERS[0]);
		assert_noop!(commit_blind(0, LAST, &VERIFIERS[0], &answer), refused(Reason::WrongPhase));
	});
}
