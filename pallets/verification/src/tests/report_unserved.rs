use crate::{mock::*, Error, Milestones};
use assay_protocol::{parameters::Parameters, round::Challenge, Reason};
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
		assert_ok!(Verification::report_unserved(signed(&who), JOB, 0, segment));
		let until = System::block_number() + Parameters::development().serve_window;
		assert_eq!(record(0).round.phase.segments()[0].challenge, Challenge::Open { until });
		assert_noop!(Verification::report_unserved(signed(&who), JOB, 0, segment), refused(Reason::AlreadyReported));
	});
}

#[test]
fn fails_for_others() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		commit_and_draw(&honest, 0);
		let segment = assigned(0)[0].0;
		assert_noop!(Verification::report_unserved(signed(&ANYONE), JOB, 0, segment), refused(Reason::NotAssigned));
	});
}

#[test]
fn silence_past_the_window_is_a_fault() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		commit_and_draw(&honest, 0);
		let (segment, who) = assigned(0).remove(0);
		assert_ok!(Verification::report_unserved(signed(&who), JOB, 0, segment));
		skip(Parameters::development().serve_window);
		assert_noop!(bare(Verification::settle(signed(&ANYONE), JOB, 0)), refused(Reason::TooEarly));
		skip(1);
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 0));
		assert_eq!(bond(&WORKER), WORKER_BOND - 2 * PRICE);
		assert!(Milestones::<Test>::get(JOB, 0).is_none());
	});
}
