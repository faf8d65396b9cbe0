use crate::{mock::*, Error};
use assay_protocol::{interfaces::Rounds, round::Phase, Reason};
use frame_support::{assert_noop, assert_ok};
use program::Run;

fn call(who: &Account, index: u32) -> sp_runtime::DispatchResult {
	Verification::commit_milestone(signed(who), JOB, index, [1; 32])
}

fn refused(reason: Reason) -> Error<Test> {
	Error::Refused(reason.into())
}

#[test]
fn success_basic() {
	run(|| {
		lease(&Run::honest(), 1);
		assert!(!Verification::undecided(JOB, 0));
		assert_ok!(call(&WORKER, 0));
		let record = record(0);
		assert_eq!((record.attempt, record.worker, record.seed), (0, WORKER, None));
		assert_eq!((record.round.root, record.round.phase), ([1; 32], Phase::Committed));
		assert!(Verification::undecided(JOB, 0));
		assert!(!Verification::undecided(JOB, 1));
		// A lease with undecided work cannot be given up.
		assert!(Market::fail_job(signed(&WORKER), JOB, Reason::GaveUp).is_err());
	});
}

#[test]
fn success_up_to_the_run_ahead() {
	run(|| {
		lease(&Run::honest(), 1);
		assert_ok!(call(&WORKER, 0));
		assert_ok!(call(&WORKER, 1));
		// The job has no third milestone.
		assert_noop!(call(&WORKER, 2), refused(Reason::MilestoneOutOfOrder));
	});
}

#[test]
fn fails_without_a_lease() {
	run(|| {
		assert_noop!(call(&WORKER, 0), Error::<Test>::NoSuchLease);
	});
}

#[test]
fn fails_for_others() {
	run(|| {
		lease(&Run::honest(), 1);
		assert_noop!(call(&RIVAL, 0), refused(Reason::NotLeaseholder));
		assert_noop!(call(&CLIENT, 0), refused(Reason::NotLeaseholder));
	});
}

#[test]
fn fails_out_of_order_and_twice() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		assert_noop!(call(&WORKER, 1), refused(Reason::MilestoneOutOfOrder));
		assert_noop!(call(&WORKER, u32::MAX), refused(Reason::MilestoneOutOfOrder));
		assert_ok!(call(&WORKER, 0));
		assert_noop!(call(&WORKER, 0), refused(Reason::MilestoneOutOfOrder));
	});
}

#[test]
fn fails_when_verified_already() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		verify(&honest, 0);
		assert_noop!(call(&WORKER, 0), refused(Reason::MilestoneOutOfOrder));
	});
}

#[test]
fn nothing_is_committed_after_the_deadline_or_a_request_to_cancel() {
	run(|| {
		lease(&Run::honest(), 1);
		assert_ok!(call(&WORKER, 0));
		assert_ok!(Market::cancel_job(signed(&CLIENT), JOB));
		assert_noop!(call(&WORKER, 1), refused(Reason::CancelledByClient));
	});
	run(|| {
		lease(&Run::honest(), 1);
		skip(1_001);
		assert_noop!(call(&WORKER, 0), refused(Reason::DeadlinePassed));
	});
}
