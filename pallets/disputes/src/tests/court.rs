//! What verification asks of the court.

use crate::{mock::*, Disputes as Stored, Error, OpenByJob};
use assay_protocol::{
	interfaces::{Accusation, Court},
	Reason,
};
use frame_support::{assert_noop, assert_ok};
use program::Run;

fn accusation() -> Accusation<Account> {
	Accusation {
		job: JOB,
		attempt: 0,
		milestone: 0,
		segment: LAST,
		defender: WORKER,
		challenger: VERIFIERS[0].clone(),
		pre_root: [1; 32],
		claimed_root: [2; 32],
		found_root: [3; 32],
	}
}

#[test]
fn a_dispute_covers_exactly_the_steps_of_its_segment() {
	run(|| {
		lease(&Run::honest(), 1);
		let id = Disputes::open(accusation()).expect("a lease runs");
		let context = dispute(id).context;
		assert_eq!((context.first_step, context.end_step), (6, 8));
		Disputes::dismiss(JOB, 0);
		assert!(Stored::<Test>::get(id).is_none());
	});
}

#[test]
fn fails_without_difference_lease_or_segment() {
	run(|| {
		assert_noop!(Disputes::open(accusation()), Error::<Test>::NoSuchLease);
		lease(&Run::honest(), 1);
		let same = Accusation { found_root: [2; 32], ..accusation() };
		assert_noop!(Disputes::open(same), Error::<Test>::Refused(Reason::SameResult.into()));
		assert_noop!(Disputes::open(Accusation { attempt: 1, ..accusation() }), Error::<Test>::NoSuchLease);
		assert_noop!(Disputes::open(Accusation { defender: RIVAL, ..accusation() }), Error::<Test>::NoSuchLease);
		assert_noop!(Disputes::open(Accusation { segment: 8, ..accusation() }), Error::<Test>::NoSuchSegment);
		assert_noop!(Disputes::open(Accusation { segment: u32::MAX, ..accusation() }), Error::<Test>::NoSuchSegment);
	});
}

#[test]
fn open_disputes_are_bounded() {
	run(|| {
		lease(&Run::honest(), 1);
		for _ in 0..MaxOpenPerJob::get() {
			assert_ok!(Disputes::open(accusation()));
		}
		assert_noop!(Disputes::open(accusation()), Error::<Test>::TooManyOpen);
		Disputes::dismiss(JOB, 0);
		assert_eq!(Stored::<Test>::iter().count(), 0);
	});
}

#[test]
fn dismissal_spares_other_attempts() {
	run(|| {
		lease(&Run::honest(), 1);
		let id = Disputes::open(accusation()).expect("a lease runs");
		Disputes::dismiss(JOB, 1);
		assert!(Stored::<Test>::get(id).is_some());
		assert_eq!(OpenByJob::<Test>::get(JOB).into_inner(), vec![id]);
		Disputes::dismiss(JOB, 0);
		assert!(!OpenByJob::<Test>::contains_key(JOB));
	});
}
