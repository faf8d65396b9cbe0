use crate::{mock::*, Error, Openings};
use assay_protocol::{parameters::Parameters, round::Phase, Reason};
use frame_support::{assert_noop, assert_ok};
use program::{Lie, Run, FMA_OP};

fn refused(reason: Reason) -> Error<Test> {
	Error::Refused(reason.into())
}

fn blind(honest: &Run) {
	lease(honest, 1);
	commit_and_draw(honest, 0);
	commit_all(0, |segment, who| answer(honest, 0, segment, who));
}

fn openings(run: &Run) -> Openings {
	let opened: Vec<_> = record(0).round.phase.segments().iter().map(|entry| opening(run, 0, entry.segment)).collect();
	opened.try_into().expect("few")
}

#[test]
fn success_basic() {
	run(|| {
		let honest = Run::honest();
		blind(&honest);
		assert_ok!(open(&honest, 0));
		let round = record(0).round;
		assert!(matches!(round.phase, Phase::Reveal { .. }));
		for entry in round.phase.segments() {
			assert_eq!(entry.pre_root, Some(honest.root_after(entry.segment)));
			assert_eq!(entry.post_root, Some(honest.root_after(entry.segment + 1)));
		}
	});
}

#[test]
fn fails_for_others() {
	run(|| {
		let honest = Run::honest();
		blind(&honest);
		let openings = openings(&honest);
		assert_noop!(Verification::open(signed(&RIVAL), JOB, 0, openings), refused(Reason::NotLeaseholder));
	});
}

#[test]
fn fails_with_openings_of_another_run() {
	run(|| {
		let (honest, liar) = (Run::honest(), Run::lying(Lie::Output { step: 7, op: FMA_OP, element: 5 }));
		blind(&honest);
		let openings = openings(&liar);
		assert_noop!(Verification::open(signed(&WORKER), JOB, 0, openings), refused(Reason::OpeningInvalid));
	});
}

#[test]
fn fails_with_missing_or_swapped_openings() {
	run(|| {
		let honest = Run::honest();
		blind(&honest);
		let whole = openings(&honest).into_inner();
		let cut: Openings = whole[..1].to_vec().try_into().expect("few");
		assert_noop!(Verification::open(signed(&WORKER), JOB, 0, cut), refused(Reason::OpeningsMismatch));
		let swapped: Openings = whole.into_iter().rev().collect::<Vec<_>>().try_into().expect("few");
		assert_noop!(Verification::open(signed(&WORKER), JOB, 0, swapped), refused(Reason::OpeningsMismatch));
	});
}

#[test]
fn fails_before_all_are_committed() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		commit_and_draw(&honest, 0);
		let openings = openings(&honest);
		assert_noop!(Verification::open(signed(&WORKER), JOB, 0, openings), refused(Reason::WrongPhase));
	});
}

#[test]
fn silence_is_a_fault_without_a_challenger() {
	run(|| {
		let honest = Run::honest();
		blind(&honest);
		let openings = openings(&honest);
		let checkers: Vec<Account> = assigned(0).into_iter().map(|(_, who)| who).collect();
		let rich: u128 = checkers.iter().map(free).sum();
		skip(Parameters::development().open_window);
		assert_noop!(bare(Verification::settle(signed(&ANYONE), JOB, 0)), refused(Reason::TooEarly));
		skip(1);
		assert_noop!(Verification::open(signed(&WORKER), JOB, 0, openings), refused(Reason::TooLate));
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 0));
		assert_eq!(bond(&WORKER), WORKER_BOND - 2 * PRICE);
		// The verifiers did their part.
		assert_eq!(checkers.iter().map(free).sum::<u128>(), rich + 2 * FEE);
		assert!(crate::Milestones::<Test>::get(JOB, 0).is_none());
	});
}
