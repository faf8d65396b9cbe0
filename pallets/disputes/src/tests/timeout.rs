use crate::{mock::*, Error};
use assay_protocol::{dispute::player::Action, parameters::Parameters, Reason};
use frame_support::{assert_noop, assert_ok};
use program::{Lie, Run, FMA_OP};

fn refused(reason: Reason) -> Error<Test> {
	Error::Refused(reason.into())
}

fn open() -> (Run, Run) {
	let (honest, liar) = (Run::honest(), Run::lying(Lie::Output { step: 7, op: FMA_OP, element: 5 }));
	lease(&honest, 1);
	disputed(&liar, &honest);
	(honest, liar)
}

#[test]
fn a_silent_worker_loses() {
	run(|| {
		let _ = open();
		skip(Parameters::development().dispute_clock);
		assert_noop!(Disputes::timeout(signed(&ANYONE), 0), refused(Reason::ClockStillRuns));
		skip(1);
		assert_ok!(Disputes::timeout(signed(&ANYONE), 0));
		assert_eq!(bond(&WORKER), WORKER_BOND - 2 * PRICE);
		assert!(crate::Disputes::<Test>::get(0).is_none());
	});
}

#[test]
fn a_silent_verifier_loses() {
	run(|| {
		let (honest, liar) = open();
		let (who, Action::Move(played)) = next_action(0, &liar, &honest) else { panic!("a move") };
		assert_ok!(Disputes::play(signed(&who), 0, Box::new(played)));
		let challenger = dispute(0).accusation.challenger;
		skip(Parameters::development().dispute_clock + 1);
		assert_ok!(Disputes::timeout(signed(&ANYONE), 0));
		assert!(bond(&challenger) < VERIFIER_BOND);
		assert_eq!(bond(&WORKER), WORKER_BOND);
	});
}

#[test]
fn nobody_submitting_at_the_leaf_counts_against_the_verifier() {
	run(|| {
		let (honest, liar) = open();
		play_to_leaf(0, &liar, &honest);
		let challenger = dispute(0).accusation.challenger;
		skip(Parameters::development().dispute_clock + 1);
		assert_ok!(Disputes::timeout(signed(&ANYONE), 0));
		assert!(bond(&challenger) < VERIFIER_BOND);
	});
}

#[test]
fn fails_for_an_unknown_dispute() {
	run(|| {
		assert_noop!(Disputes::timeout(signed(&ANYONE), 0), Error::<Test>::NotFound);
	});
}
