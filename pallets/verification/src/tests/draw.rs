use crate::{mock::*, Error, Milestones};
use assay_protocol::{interfaces::Beacon, parameters::Parameters, round::Phase, Reason};
use frame_support::{assert_noop, assert_ok};
use program::Run;
use std::collections::BTreeSet;

fn call(index: u32) -> sp_runtime::DispatchResult {
	bare(Verification::draw(signed(&ANYONE), JOB, index))
}

fn refused(reason: Reason) -> Error<Test> {
	Error::Refused(reason.into())
}

#[test]
fn success_basic() {
	run(|| {
		lease(&Run::honest(), 2);
		commit_and_draw(&Run::honest(), 0);
		let record = record(0);
		assert!(record.seed.is_some());
		let Phase::Blind { segments } = &record.round.phase else { panic!("not drawn") };
		assert_eq!(segments.len(), 2);
		assert_eq!(segments.last().map(|entry| entry.segment), Some(LAST));
		assert!(segments.iter().all(|entry| entry.checks.len() == 2));
		// Six verifiers for four checks: nobody has two.
		let distinct: BTreeSet<_> = assigned(0).into_iter().map(|(_, who)| who).collect();
		assert_eq!(distinct.len(), 4);
	});
}

#[test]
fn the_seed_depends_on_the_vrf_outputs_after_the_commitment() {
	let seed_with = |blocks_before: u32| {
		let mut seed = None;
		run(|| {
			skip(blocks_before);
			lease(&Run::honest(), 1);
			commit_and_draw(&Run::honest(), 0);
			seed = record(0).seed;
		});
		seed
	};
	assert_eq!(seed_with(0), seed_with(0));
	assert_ne!(seed_with(0), seed_with(1));
}

#[test]
fn boundary_of_the_beacon() {
	run(|| {
		lease(&Run::honest(), 1);
		assert_ok!(commit(&Run::honest(), 0));
		skip(Parameters::development().beacon_blocks);
		// The last beacon block is this one: its output is not recorded yet.
		assert_noop!(call(0), refused(Reason::TooEarly));
		skip(1);
		assert_ok!(call(0));
	});
}

#[test]
fn fails_for_an_unknown_milestone() {
	run(|| {
		lease(&Run::honest(), 1);
		assert_noop!(call(0), Error::<Test>::NotFound);
	});
}

#[test]
fn fails_twice() {
	run(|| {
		lease(&Run::honest(), 1);
		commit_and_draw(&Run::honest(), 0);
		assert_noop!(call(0), refused(Reason::WrongPhase));
	});
}

#[test]
fn fails_before_the_milestone_before_is_verified() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		assert_ok!(commit(&honest, 0));
		assert_ok!(commit(&honest, 1));
		draw(0);
		assert_noop!(call(1), Error::<Test>::NotNext);
	});
}

#[test]
fn fails_when_a_beacon_block_has_no_output() {
	run(|| {
		lease(&Run::honest(), 1);
		assert_ok!(commit(&Run::honest(), 0));
		skip(1);
		Authored::set(false);
		skip(1);
		Authored::set(true);
		skip(1);
		assert_noop!(call(0), refused(Reason::BeaconMissing));
	});
}

#[test]
fn the_beacon_keeps_its_length() {
	run(|| {
		skip(40);
		let now = System::block_number();
		assert_eq!(Verification::vrf_of(now), None, "this block is not complete");
		assert!((now - 16..now).all(|block| Verification::vrf_of(block).is_some()));
		assert_eq!(Verification::vrf_of(now - 17), None);
	});
}

#[test]
fn a_milestone_nobody_drew_in_time_ends_the_lease_without_a_slash() {
	run(|| {
		lease(&Run::honest(), 1);
		assert_ok!(commit(&Run::honest(), 0));
		skip(3);
		assert_noop!(bare(Verification::settle(signed(&ANYONE), JOB, 0)), refused(Reason::TooEarly));
		// The beacon is forgotten long before a draw is given up.
		skip(16);
		assert_noop!(call(0), refused(Reason::BeaconMissing));
		assert_noop!(bare(Verification::settle(signed(&ANYONE), JOB, 0)), refused(Reason::TooEarly));
		let Parameters { blind_window, max_tranches, .. } = Parameters::development();
		skip(blind_window * max_tranches);
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 0));
		assert_eq!(bond(&WORKER), WORKER_BOND);
		assert!(crate::Milestones::<Test>::get(JOB, 0).is_none());
	});
}

#[test]
fn fails_when_no_verifier_is_ready_and_changes_nothing() {
	run(|| {
		lease(&Run::honest(), 1);
		for who in &VERIFIERS {
			assert_ok!(Operators::set_draining(signed(who), pallet_operators::Role::Verifier));
		}
		assert_ok!(commit(&Run::honest(), 0));
		skip(3);
		assert_noop!(call(0), refused(Reason::NoVerifiers));
		assert_ok!(Operators::set_ready(signed(&VERIFIERS[0]), pallet_operators::Role::Verifier));
		// One is enough: then it has both segments.
		assert_ok!(call(0));
		assert_eq!(assigned(0).len(), 2);
	});
}

#[test]
fn neither_the_worker_nor_the_client_is_drawn() {
	run(|| {
		for who in [&WORKER, &CLIENT] {
			let contact = pallet_operators::Contact {
				endpoint: b"/ip4/127.0.0.1/tcp/1".to_vec().try_into().expect("short"),
				peer_id: vec![1].try_into().expect("short"),
			};
			// So heavy that they would be drawn.
			assert_ok!(Operators::register_verifier(signed(who), 5_000 * assay_protocol::parameters::UNIT, contact));
		}
		lease(&Run::honest(), 3);
		commit_and_draw(&Run::honest(), 0);
		assert!(assigned(0).iter().all(|(_, who)| *who != WORKER && *who != CLIENT));
	});
}

#[test]
fn whoever_registers_after_the_commitment_is_not_drawn() {
	run(|| {
		lease(&Run::honest(), 3);
		assert_ok!(commit(&Run::honest(), 0));
		skip(1);
		let late = account(16);
		let contact = pallet_operators::Contact {
			endpoint: b"/ip4/127.0.0.1/tcp/1".to_vec().try_into().expect("short"),
			peer_id: vec![1].try_into().expect("short"),
		};
		// So heavy that it would be drawn.
		assert_ok!(Operators::register_verifier(signed(&late), 9_000 * assay_protocol::parameters::UNIT, contact));
		draw(0);
		// Nor does so much new bond keep the others from being drawn.
		assert!(!assigned(0).is_empty());
		assert!(assigned(0).iter().all(|(_, who)| *who != late));
	});
}

/// Who keeps most verifiers busy cannot have his own drawn alone: the draw waits, with its seed.
#[test]
fn waits_while_too_many_verifiers_are_busy() {
	run(|| {
		lease(&Run::honest(), 1);
		assert_ok!(commit(&Run::honest(), 0));
		skip(Parameters::development().beacon_blocks + 1);
		let busy = &VERIFIERS[..VERIFIERS.len() / 2 + 1];
		fill(busy);
		assert_ok!(call(0));
		let seed = record(0).seed.expect("known");
		assert_eq!(record(0).round.phase, Phase::Waiting);
		Verification::do_try_state().expect("verification");
		assert_noop!(call(0), refused(Reason::TooFewReady));
		// However long it waits, and when the beacon is long forgotten, the seed is the same.
		let Parameters { blind_window, max_tranches, .. } = Parameters::development();
		skip(blind_window * max_tranches + 20);
		assert_noop!(bare(Verification::settle(signed(&ANYONE), JOB, 0)), refused(Reason::TooEarly));
		vacate(&busy[..1]);
		assert_ok!(call(0));
		assert_eq!(record(0).seed, Some(seed));
		vacate(&busy[1..]);
	});
}

/// Verifiers that were sent away after the commitment count as before, as long as a draw may take.
#[test]
fn sending_verifiers_away_makes_no_draw_fair() {
	run(|| {
		lease(&Run::honest(), 1);
		assert_ok!(commit(&Run::honest(), 0));
		for who in &VERIFIERS[1..] {
			assert_ok!(Operators::set_draining(signed(who), pallet_operators::Role::Verifier));
		}
		skip(Parameters::development().beacon_blocks + 1);
		assert_ok!(call(0));
		assert_noop!(call(0), refused(Reason::TooFewReady));
		// In the end those who have left do not count any more.
		let Parameters { blind_window, max_tranches, .. } = Parameters::development();
		skip(blind_window * max_tranches);
		assert_ok!(call(0));
		assert!(matches!(record(0).round.phase, Phase::Blind { .. }));
	});
}

#[test]
fn a_draw_that_waits_ends_with_the_job() {
	run(|| {
		lease(&Run::honest(), 1);
		assert_ok!(commit(&Run::honest(), 0));
		skip(Parameters::development().beacon_blocks + 1);
		fill(&VERIFIERS);
		assert_ok!(call(0));
		skip(1_000);
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 0));
		assert!(Milestones::<Test>::get(JOB, 0).is_none());
		assert_eq!(bond(&WORKER), WORKER_BOND);
		vacate(&VERIFIERS);
	});
}
