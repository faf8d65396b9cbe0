use crate::{mock::*, Error, Milestones};
use assay_protocol::{parameters::Parameters, round::CheckState, Reason};
use frame_support::{assert_noop, assert_ok};
use program::Run;

fn refused(reason: Reason) -> Error<Test> {
	Error::Refused(reason.into())
}

fn window() -> u32 {
	Parameters::development().blind_window
}

#[test]
fn no_shows_are_replaced_and_not_slashed() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		commit_and_draw(&honest, 0);
		let before = assigned(0);
		let (segment, present) = before[0].clone();
		assert_ok!(commit_blind(0, segment, &present, &answer(&honest, 0, segment, &present)));
		let (missed, absent) = before[1].clone();
		skip(window());
		assert_noop!(bare(Verification::redraw(signed(&ANYONE), JOB, 0)), refused(Reason::TooEarly));
		skip(1);
		assert_ok!(Verification::redraw(signed(&ANYONE), JOB, 0));
		assert_eq!(bond(&absent), VERIFIER_BOND);
		let entry =
			record(0).round.phase.segments().iter().find(|entry| entry.segment == missed).cloned().expect("drawn");
		assert_eq!(entry.tranche, 2);
		assert_eq!(entry.checks[0].state, CheckState::Absent);
		assert_eq!(entry.checks[1].state, CheckState::Assigned);
		assert_ne!(entry.checks[1].verifier, absent);
		// The round goes on to the end.
		let fresh = entry.checks[1].verifier.clone();
		assert_ok!(commit_blind(0, missed, &fresh, &answer(&honest, 0, missed, &fresh)));
		assert_ok!(open(&honest, 0));
		reveal_all(0, |segment, who| answer(&honest, 0, segment, who));
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 0));
		assert_eq!(view().next_milestone, 1);
	});
}

#[test]
fn after_the_last_tranche_the_lease_ends_without_a_fault() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		commit_and_draw(&honest, 0);
		for _ in 1..Parameters::development().max_tranches {
			skip(window() + 1);
			assert_ok!(Verification::redraw(signed(&ANYONE), JOB, 0));
			check();
		}
		skip(window() + 1);
		assert_noop!(bare(Verification::redraw(signed(&ANYONE), JOB, 0)), refused(Reason::TooEarly));
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 0));
		assert!(Milestones::<Test>::get(JOB, 0).is_none());
		assert_eq!(bond(&WORKER), WORKER_BOND);
		assert!(VERIFIERS.iter().all(|who| bond(who) == VERIFIER_BOND));
	});
}

/// Replacements are not drawn from the few that others left ready; after twice the time of all tranches the round goes on without.
#[test]
fn waits_while_too_many_verifiers_are_busy() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		commit_and_draw(&honest, 0);
		let checking: Vec<_> = assigned(0).into_iter().map(|(_, who)| who).collect();
		let others: Vec<_> = VERIFIERS.iter().filter(|who| !checking.contains(who)).cloned().collect();
		fill(&others);
		skip(window() + 1);
		assert_noop!(bare(Verification::redraw(signed(&ANYONE), JOB, 0)), refused(Reason::TooFewReady));
		skip(window());
		assert_noop!(bare(Verification::redraw(signed(&ANYONE), JOB, 0)), refused(Reason::TooFewReady));
		skip(2 * Parameters::development().max_tranches * window());
		assert_ok!(Verification::redraw(signed(&ANYONE), JOB, 0));
		assert!(record(0).round.phase.segments().iter().all(|entry| entry.checks.len() == 1));
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 0));
		assert!(Milestones::<Test>::get(JOB, 0).is_none());
		assert_eq!(bond(&WORKER), WORKER_BOND);
		vacate(&others);
	});
}
