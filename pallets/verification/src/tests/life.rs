//! Whole lives, from the commitment to the money.

use crate::{mock::*, Milestones};
use assay_protocol::{
	dispute::{Ground, Side},
	parameters::UNIT,
	records::disputes::LeafKind,
	Reason,
};
use frame_support::assert_ok;
use pallet_market::JobState;
use program::{Lie, Run, FMA_OP, MATMUL_OP};

fn ended() -> (Side, Ground, Option<LeafKind>, u32, u32) {
	events()
		.into_iter()
		.find_map(|event| match event {
			RuntimeEvent::Disputes(pallet_disputes::Event::Ended { outcome, leaf, moves, bytes, .. }) => {
				Some((outcome.winner, outcome.ground, leaf, moves, bytes))
			}
			_ => None,
		})
		.expect("a dispute ended")
}

fn reopened() -> bool {
	matches!(pallet_market::Jobs::<Test>::get(JOB).expect("posted").state, JobState::Order(_))
}

#[test]
fn an_honest_job_is_verified_paid_and_closed() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 2);
		let worker = free(&WORKER);
		verify(&honest, 0);
		assert_eq!(view().next_milestone, 1);
		assert_eq!(view().verified_root, honest.root_after(4));
		assert_eq!(free(&WORKER), worker + PRICE / 2);
		verify(&honest, 1);
		assert_eq!(free(&WORKER), worker + PRICE);
		// Two segments by two verifiers in each of two milestones.
		let earned: u128 = VERIFIERS.iter().map(|who| free(who) - (FUNDS - VERIFIER_BOND)).sum();
		assert_eq!(earned, 8 * FEE);
		let job = pallet_market::Jobs::<Test>::get(JOB).expect("kept");
		assert!(matches!(job.state, JobState::Closed(closing) if closing.reason == Reason::Completed));
		assert_eq!(job.verified.root, *honest.roots.last().expect("states"));
		assert_eq!(bond(&CLIENT), 0);
		assert_eq!(Milestones::<Test>::iter().count(), 0);
	});
}

/// A worker that lies in the last segment of milestone 0 loses to the referee, whatever it lies about.
fn cheat_is_caught(lie: Lie, expected: LeafKind) {
	run(|| {
		let (honest, liar) = (Run::honest(), Run::lying(lie));
		lease(&honest, 1);
		let id = disputed(&liar, &honest);
		let challenger = dispute(id).accusation.challenger;
		let (client, rich) = (free(&CLIENT) + bond(&CLIENT), free(&challenger));
		let collateral = pallet_operators::Collateral::<Test>::get(&WORKER, JOB).expect("locked");
		assert_eq!(collateral, 2 * PRICE);
		check();
		play_out(id, &liar, &honest);
		let (winner, ground, leaf, moves, bytes) = ended();
		assert_eq!((winner, ground, leaf), (Side::Challenger, Ground::Ruled, Some(expected)));
		assert!(moves <= 13, "{moves} moves");
		assert!(bytes > 0);
		assert_eq!(bond(&WORKER), WORKER_BOND - collateral, "all collateral is gone");
		// A quarter of the collateral, the fee for being right.
		assert_eq!(free(&challenger), rich + collateral / 4 + FEE);
		// The client pays the two checks of the failed milestone at most, and gets at most as much back.
		assert!(free(&CLIENT) + bond(&CLIENT) + 2 * FEE >= client);
		assert!(reopened());
		assert_eq!(Milestones::<Test>::iter().count(), 0);
		assert_eq!(pallet_disputes::Disputes::<Test>::iter().count(), 0);
		check();
		// Another worker takes the order and does the job.
		let price = 40 * UNIT;
		assert_ok!(Market::bid(signed(&RIVAL), JOB, price));
		assert_eq!(view().attempt, 1);
		assert_eq!(view().next_milestone, 0);
	});
}

#[test]
fn a_wrong_output_is_refuted() {
	cheat_is_caught(Lie::Output { step: 7, op: FMA_OP, element: 4_321 }, LeafKind::Op(assay_program::OpKind::Fma));
}

#[test]
fn a_wrong_link_of_a_product_is_refuted() {
	let kind = assay_program::OpKind::MatMul { trans_a: false, trans_b: false };
	cheat_is_caught(Lie::Output { step: 6, op: MATMUL_OP, element: 17 }, LeafKind::Op(kind));
}

#[test]
fn a_state_from_nowhere_is_refuted() {
	cheat_is_caught(Lie::State { step: 7 }, LeafKind::StateAssembly);
}

#[test]
fn a_false_accusation_costs_the_verifier_and_the_worker_is_paid() {
	run(|| {
		let honest = Run::honest();
		let wrong = Run::lying(Lie::Output { step: 7, op: FMA_OP, element: 5 });
		lease(&honest, 2);
		commit_and_draw(&honest, 0);
		// Of the two verifiers of the last segment the first computes wrongly.
		let accuser = assigned(0).into_iter().find(|(segment, _)| *segment == LAST).expect("always drawn").1;
		let run_of = |segment: u32, who: &Account| if segment == LAST && *who == accuser { &wrong } else { &honest };
		commit_all(0, |segment, who| answer(run_of(segment, who), 0, segment, who));
		assert_ok!(open(&honest, 0));
		reveal_all(0, |segment, who| answer(run_of(segment, who), 0, segment, who));
		let worker = free(&WORKER);
		play_out(0, &honest, &wrong);
		let (winner, ground, _, _, _) = ended();
		assert_eq!((winner, ground), (Side::Defender, Ground::Ruled));
		let stake = 25 * UNIT;
		assert_eq!(bond(&accuser), VERIFIER_BOND - stake);
		assert_eq!(free(&WORKER), worker + stake / 4);
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 0));
		assert_eq!(free(&WORKER), worker + stake / 4 + PRICE / 2);
		assert_eq!(view().next_milestone, 1);
	});
}

#[test]
fn disputes_of_one_milestone_run_in_parallel_and_one_verdict_ends_all() {
	run(|| {
		let (honest, liar) = (Run::honest(), Run::lying(Lie::Output { step: 7, op: FMA_OP, element: 5 }));
		lease(&honest, 3);
		disputed(&liar, &honest);
		assert_eq!(pallet_disputes::OpenByJob::<Test>::get(JOB).into_inner(), vec![0, 1, 2]);
		check();
		let colleague = dispute(0).accusation.challenger;
		let rich = free(&colleague);
		play_out(1, &liar, &honest);
		assert_eq!(pallet_disputes::Disputes::<Test>::iter().count(), 0);
		assert_eq!(free(&colleague), rich + FEE, "who found the same is paid its check");
		assert!(reopened());
	});
}

#[test]
fn a_milestone_committed_ahead_waits_and_then_is_checked() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		assert_ok!(commit(&honest, 0));
		assert_ok!(commit(&honest, 1));
		draw(0);
		// Longer than the beacon is kept.
		skip(15);
		until_reveal(&honest, &honest, 0);
		skip(5);
		reveal_all(0, |segment, who| answer(&honest, 0, segment, who));
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 0));
		draw(1);
		until_reveal(&honest, &honest, 1);
		reveal_all(1, |segment, who| answer(&honest, 1, segment, who));
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 1));
		assert_eq!(Milestones::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_fault_ends_what_was_committed_ahead() {
	run(|| {
		let (honest, liar) = (Run::honest(), Run::lying(Lie::Output { step: 7, op: FMA_OP, element: 5 }));
		lease(&honest, 1);
		assert_ok!(commit(&liar, 0));
		assert_ok!(commit(&liar, 1));
		draw(0);
		until_reveal(&liar, &honest, 0);
		reveal_all(0, |segment, who| answer(&honest, 0, segment, who));
		play_out(0, &liar, &honest);
		assert_eq!(Milestones::<Test>::iter().count(), 0);
		assert!(reopened());
	});
}
