use crate::{mock::*, Disputes as Stored, Error};
use assay_protocol::{
	dispute::{player::Action, Ground, Move, Phase, Points, Side},
	parameters::Parameters,
	Reason,
};
use codec::Encode;
use frame_support::{assert_noop, assert_ok};
use program::{Lie, Run, FMA_OP, MATMUL_OP};

fn refused(reason: Reason) -> Error<Test> {
	Error::Refused(reason.into())
}

fn call(who: &Account, played: Move) -> frame_support::dispatch::DispatchResultWithPostInfo {
	Disputes::play(signed(who), 0, Box::new(played))
}

fn open(lie: Lie) -> (Run, Run) {
	let (honest, liar) = (Run::honest(), Run::lying(lie));
	lease(&honest, 1);
	disputed(&liar, &honest);
	(honest, liar)
}

const LIE: Lie = Lie::Output { step: 7, op: FMA_OP, element: 5 };

#[test]
fn success_basic() {
	run(|| {
		let (honest, liar) = open(LIE);
		let Action::Move(played) = next_action(0, &liar, &honest).1 else { panic!("a move") };
		skip(4);
		assert_ok!(call(&WORKER, played.clone()));
		let record = dispute(0);
		assert_eq!(record.moves, 1);
		let encoded = RuntimeCall::Disputes(crate::Call::play { id: 0, played: Box::new(played) }).encoded_size();
		assert_eq!(record.bytes as usize, encoded);
		assert_eq!(record.state.phase.to_move(), Side::Challenger);
		// The worker's clock paid for the wait.
		let budget = Parameters::development().dispute_clock;
		assert_eq!((record.state.clocks.defender, record.state.clocks.challenger), (budget - 4, budget));
	});
}

#[test]
fn every_phase_is_passed() {
	run(|| {
		let (honest, liar) = open(Lie::Output { step: 7, op: MATMUL_OP, element: 17 });
		let mut seen = std::collections::BTreeSet::new();
		while dispute(0).state.leaf().is_none() {
			seen.insert(match dispute(0).state.phase {
				Phase::StepsReveal(_) | Phase::StepsChoose { .. } => 0,
				Phase::TraceReveal(_) | Phase::TraceChoose(_) | Phase::TraceDescend { .. } => 1,
				Phase::TensorReveal { .. } | Phase::TensorChoose { .. } => 2,
				Phase::LinksReveal { .. } | Phase::LinksChoose { .. } => 3,
				Phase::Leaf(_) => 4,
				Phase::StateReveal { .. } | Phase::StateChoose { .. } => 5,
			});
			let (who, Action::Move(played)) = next_action(0, &liar, &honest) else { panic!("a move") };
			assert_ok!(call(&who, played));
		}
		assert_eq!(seen.into_iter().collect::<Vec<_>>(), vec![0, 1, 2, 3]);
		let spent: u32 = dispute(0).bytes;
		assert!(spent < 8_192, "{spent} bytes");
	});
}

#[test]
fn fails_for_strangers_and_unknown_disputes() {
	run(|| {
		let _ = open(LIE);
		assert_noop!(call(&ANYONE, Move::Concede), Error::<Test>::NotAParty);
		assert_noop!(Disputes::play(signed(&WORKER), 7, Box::new(Move::Concede)), Error::<Test>::NotFound);
	});
}

#[test]
fn fails_out_of_turn_and_with_another_move() {
	run(|| {
		let _ = open(LIE);
		let challenger = dispute(0).accusation.challenger;
		assert_noop!(call(&challenger, Move::Choose(0)), refused(Reason::NotYourMove));
		assert_noop!(call(&WORKER, Move::Choose(0)), refused(Reason::WrongMove));
		assert_noop!(call(&WORKER, Move::Reveal(Points::default())), refused(Reason::WrongCount));
	});
}

#[test]
fn fails_after_the_clock_ran_out() {
	run(|| {
		let (honest, liar) = open(LIE);
		let Action::Move(played) = next_action(0, &liar, &honest).1 else { panic!("a move") };
		skip(Parameters::development().dispute_clock + 1);
		assert_noop!(call(&WORKER, played), refused(Reason::ClockRanOut));
	});
}

#[test]
fn the_worker_may_concede() {
	run(|| {
		let _ = open(LIE);
		assert_ok!(call(&WORKER, Move::Concede));
		assert!(Stored::<Test>::get(0).is_none());
		assert!(events().iter().any(|event| matches!(
			event,
			RuntimeEvent::Disputes(crate::Event::Ended { outcome, reason: Reason::WorkerConceded, .. })
				if outcome.winner == Side::Challenger && outcome.ground == Ground::Conceded
		)));
		assert_eq!(bond(&WORKER), WORKER_BOND - 2 * PRICE);
	});
}

#[test]
fn the_verifier_may_concede() {
	run(|| {
		let honest = Run::honest();
		lease(&honest, 1);
		let wrong = Run::lying(LIE);
		disputed(&honest, &wrong);
		let challenger = dispute(0).accusation.challenger;
		assert_ok!(call(&challenger, Move::Concede));
		assert!(bond(&challenger) < VERIFIER_BOND);
		assert_eq!(bond(&WORKER), WORKER_BOND);
		// Nobody has confirmed the segment: the milestone is not paid, and nobody else is at fault.
		assert_ok!(Verification::settle(signed(&ANYONE), JOB, 0));
		assert_eq!(bond(&WORKER), WORKER_BOND);
	});
}
