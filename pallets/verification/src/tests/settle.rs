use crate::{mock::*, Error, Milestones};
use assay_protocol::{parameters::Parameters, parameters::UNIT, Reason};
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
		verify(&honest, 0);
		assert!(Milestones::<Test>::get(JOB, 0).is_none());
		assert_eq!((view().next_milestone, view().verified_root), (1, honest.root_after(4)));
	});
}

#[test]
fn fails_while_someone_may_still_reveal() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		commit_and_draw(&honest, 0);
		assert_noop!(bare(Verification::settle(signed(&ANYONE), JOB, 0)), refused(Reason::TooEarly));
		until_reveal(&honest, &honest, 0);
		assert_noop!(bare(Verification::settle(signed(&ANYONE), JOB, 0)), refused(Reason::TooEarly));
	});
}

#[test]
fn who_does_not_reveal_is_slashed_and_the_others_decide() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 2);
		commit_and_draw(&honest, 0);
		until_reveal(&honest, &honest, 0);
		let mut rest = assigned(0);
		let (_, silent) = rest.remove(0);
		for (segment, who) in rest {
			assert_ok!(reveal(0, segment, &who, &answer(&honest, 0, segment, &who)));
		}
		skip(Parameters::development().reveal_window + 1);
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 0));
		assert_eq!(bond(&silent), VERIFIER_BOND - 25 * UNIT);
		assert_eq!(view().next_milestone, 1);
	});
}

#[test]
fn a_segment_nobody_confirmed_ends_the_lease_without_a_fault() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		commit_and_draw(&honest, 0);
		until_reveal(&honest, &honest, 0);
		skip(Parameters::development().reveal_window + 1);
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 0));
		assert_eq!(bond(&WORKER), WORKER_BOND);
		assert!(Milestones::<Test>::get(JOB, 0).is_none());
		assert!(matches!(
			pallet_market::Jobs::<Test>::get(JOB).expect("kept").state,
			pallet_market::JobState::Order(_)
		));
	});
}

#[test]
fn fails_for_an_unknown_milestone() {
	run(|| {
		assert_noop!(bare(Verification::settle(signed(&ANYONE), JOB, 0)), Error::<Test>::NotFound);
	});
}

#[test]
fn a_small_round_pays_for_its_size() {
	use crate::{weights::SubstrateWeight, Size, WeightInfo};
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		assert_ok!(commit(&honest, 0));
		skip(assay_protocol::parameters::Parameters::development().beacon_blocks + 1);
		let drawn = Verification::draw(signed(&ANYONE), JOB, 0).expect("drawn");
		let size = Size { segments: 2, checks: 2 };
		assert_eq!(drawn.actual_weight, Some(SubstrateWeight::<Test>::draw(size)));
		for (segment, who) in assigned(0) {
			assert_ok!(commit_blind(0, segment, &who, &answer(&honest, 0, segment, &who)));
		}
		assert_ok!(open(&honest, 0));
		reveal_all(0, |segment, who| answer(&honest, 0, segment, who));
		let settled = Verification::settle(signed(&ANYONE), JOB, 0).expect("settled");
		assert_eq!(settled.actual_weight, Some(SubstrateWeight::<Test>::settle(size)));
	});
}
