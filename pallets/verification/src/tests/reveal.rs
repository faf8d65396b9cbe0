use crate::{mock::*, Error};
use assay_protocol::{parameters::Parameters, parameters::UNIT, round::CheckState, Reason};
use frame_support::{assert_noop, assert_ok};
use program::{Lie, Run, FMA_OP};

fn refused(reason: Reason) -> Error<Test> {
	Error::Refused(reason.into())
}

#[test]
fn success_agreed() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		commit_and_draw(&honest, 0);
		until_reveal(&honest, &honest, 0);
		let (segment, who) = assigned(0).remove(0);
		assert_ok!(reveal(0, segment, &who, &answer(&honest, 0, segment, &who)));
		assert_eq!(record(0).round.phase.segments()[0].checks[0].state, CheckState::Agreed);
	});
}

#[test]
fn a_difference_opens_a_dispute() {
	run(|| {
		let (honest, liar) = (Run::honest(), Run::lying(Lie::Output { step: 7, op: FMA_OP, element: 5 }));
		lease(&honest, 1);
		disputed(&liar, &honest);
		let accusation = dispute(0).accusation;
		assert_eq!((accusation.segment, accusation.defender), (LAST, WORKER));
		assert_eq!(accusation.claimed_root, liar.root_after(4));
		assert_eq!(accusation.found_root, honest.root_after(4));
		// Nothing is settled while it runs.
		assert_noop!(bare(Verification::settle(signed(&ANYONE), JOB, 0)), refused(Reason::TooEarly));
	});
}

#[test]
fn fails_with_another_answer_than_committed() {
	run(|| {
		let (honest, liar) = (Run::honest(), Run::lying(Lie::Output { step: 7, op: FMA_OP, element: 5 }));
		lease(&honest, 1);
		commit_and_draw(&honest, 0);
		until_reveal(&honest, &honest, 0);
		let (segment, who) = assigned(0).pop().expect("the last segment");
		let other = answer(&liar, 0, segment, &who);
		assert_noop!(reveal(0, segment, &who, &other), refused(Reason::RevealMismatch));
	});
}

#[test]
fn a_copied_commitment_cannot_be_revealed() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 2);
		commit_and_draw(&honest, 0);
		let last: Vec<Account> =
			assigned(0).into_iter().filter(|(segment, _)| *segment == LAST).map(|(_, who)| who).collect();
		// The second of the last segment copies the first.
		let copied = answer(&honest, 0, LAST, &last[0]);
		commit_all(0, |segment, who| if *who == last[1] { copied } else { answer(&honest, 0, segment, who) });
		assert_ok!(open(&honest, 0));
		assert_noop!(reveal(0, LAST, &last[1], &copied), refused(Reason::RevealMismatch));
	});
}

#[test]
fn another_pre_state_is_slashed() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 2);
		commit_and_draw(&honest, 0);
		let (wrong_segment, wrong) = assigned(0).remove(0);
		let strange = |segment: u32, who: &Account| {
			let mut answer = answer(&honest, 0, segment, who);
			if *who == wrong && segment == wrong_segment {
				answer.pre_root = [9; 32];
			}
			answer
		};
		commit_all(0, strange);
		assert_ok!(open(&honest, 0));
		reveal_all(0, strange);
		assert_eq!(bond(&wrong), VERIFIER_BOND - 25 * UNIT);
		// The others suffice.
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 0));
		assert_eq!(view().next_milestone, 1);
	});
}

#[test]
fn fails_too_early_and_too_late() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		commit_and_draw(&honest, 0);
		let (segment, who) = assigned(0).remove(0);
		let answer = answer(&honest, 0, segment, &who);
		assert_noop!(reveal(0, segment, &who, &answer), refused(Reason::WrongPhase));
		until_reveal(&honest, &honest, 0);
		skip(Parameters::development().reveal_window + 1);
		assert_noop!(reveal(0, segment, &who, &answer), refused(Reason::TooLate));
	});
}
