use super::*;
use crate::{
	economics::forfeit,
	interfaces::{VerifierFault, WorkerFault},
	parameters::Parameters,
	BlockNumber, Hash, Reason,
};
use alloc::{collections::BTreeMap, vec::Vec};
use assay_commitment::{boundary, derive_salt, BlindAnswer, BoundaryOpening, MilestoneTree, SegmentRange};
use codec::{Decode, Encode};
use proptest::prelude::*;

type Id = u8;

/// Milestone of segments 4 to 9; the worker's boundaries.
const RANGE: SegmentRange = SegmentRange { first: 4, count: 6 };

fn context() -> RoundContext {
	let parameters = Parameters { beacon_blocks: 2, max_tranches: 2, ..Parameters::development() };
	RoundContext { job: 3, milestone: 1, range: RANGE, verified_root: state(3), parameters, deadline: 5_000 }
}

/// State root after a segment.
fn state(segment: u32) -> Hash {
	*blake3::hash(&segment.to_le_bytes()).as_bytes()
}

fn salt(segment: u32) -> Hash {
	derive_salt(&[8; 32], 3, segment + 1)
}

fn tree() -> MilestoneTree {
	let ends = (4..10).map(|segment| boundary(&salt(segment), 3, segment + 1, &state(segment))).collect();
	MilestoneTree::build(ends).unwrap()
}

fn end_of(segment: u32) -> BoundaryOpening {
	tree().open(RANGE, segment, salt(segment), state(segment)).unwrap()
}

fn failed(reason: Reason, unserved_ppm: u32, checkers: &[Id]) -> Effect<Id> {
	Effect::LeaseFailed { reason, unserved_ppm, idle_seats: 0, checkers: checkers.to_vec() }
}

fn refused(unserved_ppm: u32, idle_seats: u32, checkers: &[Id]) -> Effect<Id> {
	Effect::LeaseFailed { reason: Reason::Unserved, unserved_ppm, idle_seats, checkers: checkers.to_vec() }
}

fn unheard(idle_seats: u32, checkers: &[Id]) -> Effect<Id> {
	Effect::LeaseFailed { reason: Reason::NoVerifiers, unserved_ppm: 0, idle_seats, checkers: checkers.to_vec() }
}

fn opening(segment: u32) -> SegmentOpening {
	SegmentOpening { pre: (segment > 4).then(|| end_of(segment - 1)), post: end_of(segment) }
}

fn answer(who: Id, segment: u32, pre_root: Hash, post_root: Hash) -> BlindAnswer {
	BlindAnswer { verifier: [who; 32], nonce: [who ^ 0x55; 32], job: 3, milestone: 1, segment, pre_root, post_root }
}

fn honest(who: Id, segment: u32) -> BlindAnswer {
	answer(who, segment, state(segment - 1), state(segment))
}

/// A round with its effects booked: every locked check must be freed exactly once.
struct Booked {
	round: Round<Id>,
	locked: BTreeMap<Id, i32>,
	effects: Vec<Effect<Id>>,
}

impl Booked {
	fn book(&mut self, effects: Vec<Effect<Id>>) {
		for effect in &effects {
			match effect {
				Effect::LockCheck(who) => *self.locked.entry(*who).or_default() += 1,
				Effect::ReleaseCheck { verifier, .. } | Effect::SlashCheck { verifier, .. } => {
					*self.locked.entry(*verifier).or_default() -= 1
				}
				_ => (),
			}
		}
		assert!(self.locked.values().all(|count| *count >= 0));
		let live: BTreeMap<Id, i32> =
			self.round.phase.segments().iter().flat_map(|s| &s.checks).filter(|c| c.state.is_live()).fold(
				BTreeMap::new(),
				|mut live, check| {
					*live.entry(check.verifier).or_default() += 1;
					live
				},
			);
		for (who, count) in &self.locked {
			assert_eq!(live.get(who).copied().unwrap_or(0), *count, "verifier {who}");
		}
		self.effects.extend(effects);
	}

	/// Runs a transition; a refused one must change nothing.
	fn run<T>(&mut self, transition: impl FnOnce(&mut Round<Id>) -> Result<T, Reason>) -> Result<T, Reason> {
		let before = self.round.clone();
		let result = transition(&mut self.round);
		if result.is_err() {
			assert_eq!(self.round, before);
		}
		assert_eq!(Round::decode(&mut &self.round.encode()[..]), Ok(self.round.clone()));
		result
	}

	fn effects(
		&mut self,
		transition: impl FnOnce(&mut Round<Id>) -> Result<Vec<Effect<Id>>, Reason>,
	) -> Result<(), Reason> {
		let effects = self.run(transition)?;
		self.book(effects);
		Ok(())
	}

	fn commit(&mut self, who: Id, answer: &BlindAnswer, now: BlockNumber) -> Result<(), Reason> {
		let hash = answer.commitment();
		self.run(|round| round.commit_blind(&context(), &who, answer.segment, hash, now))
	}

	fn reveal(&mut self, answer: &BlindAnswer, now: BlockNumber) -> Result<(), Reason> {
		let who = answer.verifier[0];
		let found = (answer.pre_root, answer.post_root);
		self.effects(|r| r.reveal(&context(), &who, [who; 32], answer.segment, answer.nonce, found, now))
	}

	/// Opens, has everyone who committed reveal the honest answer, and settles.
	fn end(&mut self, now: BlockNumber) {
		self.open(now).unwrap();
		let segments = self.round.phase.segments().to_vec();
		for entry in &segments {
			for check in entry.checks.iter().filter(|check| matches!(check.state, CheckState::Committed { .. })) {
				self.reveal(&honest(check.verifier, entry.segment), now).unwrap();
			}
		}
		self.settle(now).unwrap();
		assert!(self.round.phase.is_final());
		assert!(self.locked.values().all(|count| *count == 0));
	}

	fn open(&mut self, now: BlockNumber) -> Result<(), Reason> {
		let openings: Vec<_> = self.round.phase.segments().iter().map(|entry| opening(entry.segment)).collect();
		self.run(|round| round.open(&context(), &openings, now))
	}

	fn settle(&mut self, now: BlockNumber) -> Result<(), Reason> {
		self.effects(|round| round.settle(&context(), now))
	}

	fn last(&self) -> &Effect<Id> {
		self.effects.last().unwrap()
	}
}

/// Drawn at block 13: segment 4 by 1 and 2, segment 7 by 3 and 4, segment 9 by 5 and 6.
fn drawn() -> Booked {
	let round = Round::commit(tree().root(), 10);
	let mut booked = Booked { round, locked: BTreeMap::new(), effects: Vec::new() };
	let draw = alloc::vec![(4, alloc::vec![1, 2]), (7, alloc::vec![3, 4]), (9, alloc::vec![5, 6])];
	booked.effects(|round| round.draw(&context(), draw, 13)).unwrap();
	booked
}

const CHECKS: [(Id, u32); 6] = [(1, 4), (2, 4), (3, 7), (4, 7), (5, 9), (6, 9)];

fn committed_with(answers: &[BlindAnswer]) -> Booked {
	let mut booked = drawn();
	for answer in answers {
		booked.commit(answer.verifier[0], answer, 20).unwrap();
	}
	booked
}

fn all_honest() -> Vec<BlindAnswer> {
	CHECKS.iter().map(|(who, segment)| honest(*who, *segment)).collect()
}

fn opened_with(answers: &[BlindAnswer]) -> Booked {
	let mut booked = committed_with(answers);
	booked.open(21).unwrap();
	booked
}

#[test]
fn success_basic() {
	let mut booked = opened_with(&all_honest());
	for answer in all_honest() {
		assert_eq!(booked.settle(22), Err(Reason::TooEarly));
		booked.reveal(&answer, 22).unwrap();
	}
	booked.settle(22).unwrap();
	assert_eq!(booked.last(), &Effect::Verified { state_root: state(9), checkers: alloc::vec![1, 2, 3, 4, 5, 6] });
	assert_eq!(booked.round.phase, Phase::Verified { state_root: state(9) });
	assert_eq!(booked.settle(23), Err(Reason::WrongPhase));
}

#[test]
fn a_round_nobody_can_draw_ends_the_lease() {
	let mut round: Round<Id> = Round::commit([0; 32], 10);
	let parameters = context().parameters;
	let due = |round: &Round<Id>, now| round.due(&parameters, 5_000, now).map(|due| (due.step, due.since));
	// Two blocks of beacon, two tranches of 20.
	assert_eq!(due(&round, 12), None);
	assert_eq!(due(&round, 13), Some((Step::Draw, 12)));
	assert_eq!(due(&round, 52), Some((Step::Draw, 12)));
	assert_eq!(round.settle(&context(), 52), Err(Reason::TooEarly));
	assert_eq!(due(&round, 53), Some((Step::Settle, 52)));
	assert_eq!(round.settle(&context(), 53), Ok(alloc::vec![failed(Reason::NoVerifiers, 0, &[])]));
	assert_eq!(due(&round, 54), None);
}

/// A seed that is known waits for verifiers as long as the job may run, so that nobody can wait it out.
#[test]
fn a_draw_that_waits_keeps_its_seed() {
	let mut round: Round<Id> = Round::commit([0; 32], 10);
	let context = context();
	assert_eq!(round.wait(&context, 12), Err(Reason::TooEarly));
	round.wait(&context, 13).unwrap();
	assert_eq!(round.wait(&context, 14), Err(Reason::WrongPhase));
	let due = |round: &Round<Id>, now| round.due(&context.parameters, context.deadline, now).map(|due| due.step);
	assert_eq!(due(&round, 4_000), Some(Step::Draw));
	assert_eq!(round.settle(&context, 5_000), Err(Reason::TooEarly));
	let mut late = round.clone();
	assert_eq!(due(&late, 5_001), Some(Step::Settle));
	assert_eq!(late.settle(&context, 5_001), Ok(alloc::vec![failed(Reason::NoVerifiers, 0, &[])]));
	round.draw(&context, alloc::vec![(9, alloc::vec![1])], 4_000).unwrap();
	assert!(matches!(round.phase, Phase::Blind { .. }));
}

/// A verifier whose result is the worker's is free at once: a dispute about another segment does not hold it.
#[test]
fn agreement_frees_the_bond_and_keeps_the_fee() {
	let mut answers = all_honest();
	answers[2] = answer(3, 7, state(6), [9; 32]);
	let mut booked = opened_with(&answers);
	for answer in &answers {
		booked.reveal(answer, 22).unwrap();
	}
	assert_eq!(booked.locked.values().sum::<i32>(), 1);
	booked.effects(|r| r.verdict(7, &3, true)).unwrap();
	let fault = Effect::WorkerFault {
		fault: WorkerFault::LostDispute,
		challenger: Some(3),
		checkers: alloc::vec![1, 2, 3, 5, 6],
	};
	assert_eq!(booked.last(), &fault);
}

#[test]
fn silence_beside_a_dispute_brings_the_worker_nothing() {
	let mut answers = all_honest();
	answers[2] = answer(3, 7, state(6), [9; 32]);
	let mut booked = opened_with(&answers);
	booked.reveal(&answers[2], 22).unwrap();
	booked.settle(40).unwrap();
	let slashed: Vec<bool> = booked
		.effects
		.iter()
		.filter_map(|effect| match effect {
			Effect::SlashCheck { to_worker, .. } => Some(*to_worker),
			_ => None,
		})
		.collect();
	assert_eq!(slashed, [false; 5]);
}

#[test]
fn draw_needs_the_beacon_and_the_last_segment() {
	let mut round: Round<Id> = Round::commit([0; 32], 10);
	let draw = |segments: &[u32]| segments.iter().map(|s| (*s, alloc::vec![1])).collect::<Vec<_>>();
	assert_eq!(round.beacon(&context(), 12), Err(Reason::TooEarly));
	assert_eq!(round.beacon(&context(), 13), Ok(11..=12));
	assert_eq!(round.draw(&context(), draw(&[4, 9]), 12), Err(Reason::TooEarly));
	assert_eq!(round.draw(&context(), draw(&[4, 8]), 13), Err(Reason::NotDrawn));
	assert_eq!(round.draw(&context(), draw(&[9, 4]), 13), Err(Reason::NotDrawn));
	assert_eq!(round.draw(&context(), draw(&[3, 9]), 13), Err(Reason::NotDrawn));
	assert_eq!(round.draw(&context(), draw(&[]), 13), Err(Reason::NotDrawn));
	assert_eq!(round.draw(&context(), alloc::vec![(9, Vec::new())], 13), Err(Reason::NoVerifiers));
	assert_eq!(round.draw(&context(), alloc::vec![(9, alloc::vec![1, 1])], 13), Err(Reason::NotEnoughDrawn));
	assert!(round.draw(&context(), draw(&[4, 9]), 13).is_ok());
	assert_eq!(round.draw(&context(), draw(&[4, 9]), 13), Err(Reason::WrongPhase));
}

#[test]
fn commitments_are_final_and_assigned() {
	let mut booked = drawn();
	assert_eq!(booked.commit(3, &honest(3, 4), 20), Err(Reason::NotAssigned));
	assert_eq!(booked.commit(3, &honest(3, 5), 20), Err(Reason::NotDrawn));
	assert_eq!(booked.commit(3, &honest(3, 7), 34), Err(Reason::TooLate));
	booked.commit(3, &honest(3, 7), 33).unwrap();
	assert_eq!(booked.commit(3, &honest(3, 7), 33), Err(Reason::AlreadyCommitted));
	assert_eq!(booked.open(33), Err(Reason::WrongPhase));
}

#[test]
fn absent_verifiers_are_replaced_not_slashed() {
	let mut booked = committed_with(&all_honest()[..5]);
	assert_eq!(booked.round.replacements(&context(), 33), Vec::new());
	assert_eq!(booked.settle(34), Err(Reason::TooEarly));
	let due = booked.round.replacements(&context(), 34);
	assert_eq!(due, [Replacement { segment: 9, tranche: 2, count: 1, exclude: alloc::vec![5, 6] }]);
	assert_eq!(booked.effects(|r| r.redraw(&context(), 9, alloc::vec![5], 34)), Err(Reason::NotEnoughDrawn));
	assert_eq!(booked.effects(|r| r.redraw(&context(), 9, alloc::vec![7, 8], 34)), Err(Reason::NotEnoughDrawn));
	assert_eq!(booked.effects(|r| r.redraw(&context(), 7, alloc::vec![7], 34)), Err(Reason::TooEarly));
	booked.effects(|r| r.redraw(&context(), 9, alloc::vec![7], 34)).unwrap();
	assert!(booked.effects.contains(&Effect::NoteAbsence(6)));
	assert_eq!(booked.commit(6, &honest(6, 9), 35), Err(Reason::TooLate));
	booked.commit(7, &honest(7, 9), 54).unwrap();
	booked.open(55).unwrap();
	for answer in all_honest()[..5].iter().chain([&honest(7, 9)]) {
		booked.reveal(answer, 56).unwrap();
	}
	booked.settle(56).unwrap();
	assert_eq!(booked.last(), &Effect::Verified { state_root: state(9), checkers: alloc::vec![1, 2, 3, 4, 5, 7] });
	assert!(!booked.effects.iter().any(|effect| matches!(effect, Effect::SlashCheck { .. })));
}

#[test]
fn the_last_tranche_goes_on_with_those_who_committed() {
	let mut booked = committed_with(&all_honest()[..5]);
	booked.effects(|r| r.redraw(&context(), 9, alloc::vec![7], 34)).unwrap();
	assert_eq!(booked.settle(54), Err(Reason::TooEarly));
	assert_eq!(booked.round.replacements(&context(), 55), Vec::new());
	booked.settle(55).unwrap();
	assert!(matches!(booked.round.phase, Phase::Opening { until: 67, .. }));
}

#[test]
fn a_segment_without_any_commitment_fails_without_a_slash() {
	let mut booked = committed_with(&all_honest()[..4]);
	booked.effects(|r| r.redraw(&context(), 9, alloc::vec![7, 8], 34)).unwrap();
	booked.settle(55).unwrap();
	// The others' answers count all the same.
	booked.end(56);
	// Two and those that replaced them.
	assert_eq!(booked.last(), &unheard(4, &[1, 2, 3, 4]));
	assert_eq!(booked.round.phase, Phase::Failed(Reason::NoVerifiers));
}

#[test]
fn a_round_that_nobody_answered_ends_unopened() {
	let mut booked = committed_with(&[]);
	let replaced: Vec<u32> = booked.round.replacements(&context(), 34).iter().map(|due| due.segment).collect();
	assert_eq!(replaced, [4, 7, 9]);
	for segment in replaced {
		booked.effects(|r| r.redraw(&context(), segment, Vec::new(), 34)).unwrap();
	}
	booked.settle(34).unwrap();
	assert_eq!(booked.last(), &unheard(6, &[]));
	assert!(booked.locked.values().all(|count| *count == 0));
}

/// Whoever was served has a say, also where the worker leaves another segment undecided by serving half of its verifiers.
#[test]
fn a_lie_is_not_forgotten_for_a_tie_elsewhere() {
	let mut answers = all_honest();
	answers[0] = answer(1, 4, state(3), [9; 32]);
	let mut booked = committed_with(&answers[..5]);
	booked.run(|r| r.report_unserved(&context(), &6, 9, 30)).unwrap();
	booked.run(|r| r.answer_unserved(&context(), 9, Some(&end_of(8)), 30)).unwrap();
	booked.effects(|r| r.redraw(&context(), 9, Vec::new(), 60)).unwrap();
	booked.open(60).unwrap();
	for answer in &answers[..5] {
		booked.reveal(answer, 61).unwrap();
	}
	assert!(booked.effects.iter().any(|effect| matches!(effect, Effect::Accuse { segment: 4, challenger: 1, .. })));
	booked.effects(|r| r.verdict(4, &1, true)).unwrap();
	assert!(matches!(booked.last(), Effect::WorkerFault { fault: WorkerFault::LostDispute, .. }));
}

/// A round whose last segment nobody commits to; `reports` says how many of the two verifiers of each tranche report that they
/// are not served. The worker answers each challenge.
fn unchecked(reports: [usize; 2]) -> Effect<Id> {
	let mut booked = committed_with(&all_honest()[..4]);
	let report = |who: &[Id], now: u32, booked: &mut Booked| {
		for who in who {
			let opened = booked.run(|r| r.report_unserved(&context(), who, 9, now)).unwrap();
			if opened.is_some() {
				booked.run(|r| r.answer_unserved(&context(), 9, Some(&end_of(8)), now)).unwrap();
			}
		}
	};
	report(&[5, 6][..reports[0]], 30, &mut booked);
	booked.effects(|r| r.redraw(&context(), 9, alloc::vec![7, 8], 60)).unwrap();
	report(&[7, 8][..reports[1]], 70, &mut booked);
	booked.settle(100).unwrap();
	booked.end(100);
	// Who was refused was not absent.
	let absent = booked.effects.iter().filter(|effect| matches!(effect, Effect::NoteAbsence(_))).count();
	assert_eq!(absent, 4 - reports[0] - reports[1]);
	booked.last().clone()
}

#[test]
fn an_answer_on_chain_is_no_way_out() {
	let others = &[1, 2, 3, 4];
	// Once challenged, the second tranche has three seats, of which one stays empty here.
	assert_eq!(unchecked([2, 2]), refused(800_000, 0, others));
	assert_eq!(unchecked([1, 2]), refused(600_000, 1, others));
	assert_eq!(unchecked([0, 1]), refused(250_000, 3, others));
	assert_eq!(unchecked([1, 0]), refused(200_000, 3, others));
	assert_eq!(unchecked([0, 0]), unheard(4, others));
}

#[test]
fn a_tranche_of_nobody_is_the_last() {
	for reported in [true, false] {
		let mut booked = committed_with(&all_honest()[..4]);
		if reported {
			booked.run(|r| r.report_unserved(&context(), &5, 9, 30)).unwrap();
			booked.run(|r| r.answer_unserved(&context(), 9, Some(&end_of(8)), 30)).unwrap();
		}
		booked.effects(|r| r.redraw(&context(), 9, Vec::new(), 60)).unwrap();
		assert_eq!(booked.round.replacements(&context(), 60), Vec::new());
		booked.end(60);
		// One of two was refused, and the three seats of the next tranche stayed empty.
		let others = &[1, 2, 3, 4];
		let end = match reported {
			true => refused(200_000, 1, others),
			false => unheard(2, others),
		};
		assert_eq!(booked.last(), &end);
	}
}

/// A segment with one verifier, which is refused and reports it; then a draw of `second`, of whom `friends` commit and the
/// others report likewise.
fn after_a_refusal(second: &[Id], friends: &[Id]) -> Booked {
	after_a_refusal_with(2, second, friends)
}

fn after_a_refusal_with(max_tranches: u32, second: &[Id], friends: &[Id]) -> Booked {
	let context = RoundContext { parameters: Parameters { max_tranches, ..context().parameters }, ..context() };
	let round = Round::commit(tree().root(), 10);
	let mut booked = Booked { round, locked: BTreeMap::new(), effects: Vec::new() };
	booked.effects(|round| round.draw(&context, alloc::vec![(9, alloc::vec![1])], 13)).unwrap();
	let challenge = |who: Id, now: u32, booked: &mut Booked| {
		let opened = booked.run(|r| r.report_unserved(&context, &who, 9, now)).unwrap();
		if opened.is_some() {
			booked.run(|r| r.answer_unserved(&context, 9, Some(&end_of(8)), now)).unwrap();
		}
	};
	challenge(1, 20, &mut booked);
	let due = booked.round.replacements(&context, 60);
	assert_eq!(due, [Replacement { segment: 9, tranche: 2, count: 2, exclude: alloc::vec![1] }]);
	booked.effects(|r| r.redraw(&context, 9, second.to_vec(), 60)).unwrap();
	for refused in second.iter().filter(|who| !friends.contains(who)) {
		challenge(*refused, 61, &mut booked);
	}
	for friend in friends {
		let hash = honest(*friend, 9).commitment();
		booked.run(|round| round.commit_blind(&context, friend, 9, hash, 62)).unwrap();
	}
	booked
}

#[test]
fn a_refused_verifier_outweighs_a_friend() {
	let mut booked = after_a_refusal(&[2, 3], &[3]);
	booked.settle(100).unwrap();
	booked.end(100);
	// Two refused, one answered, of three.
	assert_eq!(booked.last(), &failed(Reason::Unserved, 333_333, &[3]));
}

#[test]
fn one_friend_alone_does_not_outweigh_a_refused_one() {
	let mut booked = after_a_refusal(&[3], &[3]);
	// A tie is no way out: it costs as if one more had been refused, of the two who were drawn and the seat left empty.
	booked.end(63);
	assert_eq!(booked.last(), &failed(Reason::Unserved, 333_333, &[3]));
	assert_eq!(forfeit(Reason::Unserved, false, 0, 100, 7), 7);

	let mut booked = after_a_refusal_with(3, &[3], &[3]);
	// With a tranche left, one more is asked at once.
	let context = RoundContext { parameters: Parameters { max_tranches: 3, ..context().parameters }, ..context() };
	assert_eq!(booked.run(|r| r.settle(&context, 63)), Err(Reason::TooEarly));
	let due = booked.round.replacements(&context, 63);
	assert_eq!(due, [Replacement { segment: 9, tranche: 3, count: 1, exclude: alloc::vec![1, 3] }]);
	booked.effects(|r| r.redraw(&context, 9, alloc::vec![4], 63)).unwrap();
	booked.commit(4, &honest(4, 9), 64).unwrap();
	assert!(matches!(booked.round.phase, Phase::Opening { .. }));
}

#[test]
fn one_false_complaint_does_not_fail_a_milestone() {
	let booked = after_a_refusal(&[2, 3], &[2, 3]);
	assert!(matches!(booked.round.phase, Phase::Opening { .. }));
}

/// Whatever verifiers do, a segment never has more live checks than its first draw and one more for each later tranche: the
/// bound that weights count on.
#[test]
fn live_checks_stay_bounded() {
	let mut booked = after_a_refusal(&[2, 3], &[]);
	let context = RoundContext { parameters: Parameters { max_tranches: 3, ..context().parameters }, ..context() };
	let due = booked.round.replacements(&context, 100);
	assert_eq!(due[0].count, 3);
	booked.effects(|r| r.redraw(&context, 9, alloc::vec![4, 5, 6], 100)).unwrap();
	let live = booked.round.phase.segments()[0].checks.iter().filter(|check| check.state.is_live()).count();
	assert_eq!(live, 3);
	assert_eq!(booked.round.replacements(&context, 200), Vec::new());
}

#[test]
fn silence_on_a_challenge_is_a_fault() {
	let mut booked = committed_with(&all_honest()[..4]);
	assert_eq!(booked.run(|r| r.report_unserved(&context(), &1, 9, 30)), Err(Reason::NotAssigned));
	assert_eq!(booked.run(|r| r.report_unserved(&context(), &1, 4, 30)), Err(Reason::NotAssigned));
	assert_eq!(booked.run(|r| r.report_unserved(&context(), &5, 9, 30)), Ok(Some(42)));
	assert_eq!(booked.run(|r| r.report_unserved(&context(), &5, 9, 30)), Err(Reason::AlreadyReported));
	assert_eq!(booked.run(|r| r.report_unserved(&context(), &6, 9, 30)), Ok(None));
	// Nobody can be replaced while the worker has to answer.
	assert_eq!(booked.effects(|r| r.redraw(&context(), 9, alloc::vec![7], 42)), Err(Reason::TooEarly));
	assert_eq!(booked.settle(42), Err(Reason::TooEarly));
	booked.settle(43).unwrap();
	let fault =
		Effect::WorkerFault { fault: WorkerFault::NotServed, challenger: None, checkers: alloc::vec![1, 2, 3, 4] };
	assert_eq!(booked.last(), &fault);
}

#[test]
fn a_challenge_is_moot_once_everybody_has_committed() {
	let mut booked = drawn();
	booked.run(|r| r.report_unserved(&context(), &5, 9, 20)).unwrap();
	booked.commit(5, &honest(5, 9), 21).unwrap();
	booked.commit(6, &honest(6, 9), 21).unwrap();
	assert_eq!(booked.settle(33), Err(Reason::TooEarly));
	assert!(matches!(booked.round.phase, Phase::Blind { .. }));
}

#[test]
fn an_answer_gives_the_verifiers_a_new_window() {
	let mut booked = drawn();
	booked.run(|r| r.report_unserved(&context(), &3, 7, 30)).unwrap();
	let answer = |opening: Option<BoundaryOpening>| {
		move |r: &mut Round<Id>| r.answer_unserved(&context(), 7, opening.as_ref(), 42)
	};
	assert_eq!(booked.run(answer(None)), Err(Reason::OpeningInvalid));
	assert_eq!(booked.run(answer(Some(end_of(7)))), Err(Reason::OpeningInvalid));
	let mut forged = end_of(6);
	forged.state_root[0] ^= 1;
	assert_eq!(booked.run(answer(Some(forged))), Err(Reason::OpeningInvalid));
	booked.run(answer(Some(end_of(6)))).unwrap();
	let entry = &booked.round.phase.segments()[1];
	assert_eq!((entry.pre_root, entry.until, entry.challenge), (Some(state(6)), 62, Challenge::Answered));
	assert_eq!(booked.run(|r| r.report_unserved(&context(), &3, 7, 50)), Err(Reason::AlreadyReported));
	assert_eq!(booked.run(|r| r.report_unserved(&context(), &4, 7, 50)), Ok(None));
	booked.run(|r| r.report_unserved(&context(), &1, 4, 30)).unwrap();
	booked.run(|r| r.answer_unserved(&context(), 4, None, 31)).unwrap();
}

#[test]
fn openings_must_be_those_of_the_draw() {
	let mut booked = committed_with(&all_honest());
	let open = |openings: &[SegmentOpening], booked: &mut Booked| booked.run(|r| r.open(&context(), openings, 21));
	assert_eq!(open(&[opening(4), opening(7)], &mut booked), Err(Reason::OpeningsMismatch));
	assert_eq!(open(&[opening(4), opening(8), opening(9)], &mut booked), Err(Reason::OpeningsMismatch));
	let no_pre = SegmentOpening { pre: None, post: end_of(7) };
	assert_eq!(open(&[opening(4), no_pre, opening(9)], &mut booked), Err(Reason::OpeningInvalid));
	let mut forged = opening(7);
	forged.post.state_root = [1; 32];
	assert_eq!(open(&[opening(4), forged, opening(9)], &mut booked), Err(Reason::OpeningInvalid));
	assert_eq!(booked.settle(32), Err(Reason::TooEarly));
	assert_eq!(booked.open(33), Err(Reason::TooLate));
	booked.settle(33).unwrap();
	let fault = Effect::WorkerFault {
		fault: WorkerFault::NotOpened,
		challenger: None,
		checkers: alloc::vec![1, 2, 3, 4, 5, 6],
	};
	assert_eq!(booked.last(), &fault);
}

#[test]
fn a_reveal_must_match_and_start_from_the_proven_state() {
	let mut answers = all_honest();
	answers[2] = answer(3, 7, [9; 32], state(7));
	let mut booked = opened_with(&answers);
	assert_eq!(booked.reveal(&answer(1, 4, state(3), [1; 32]), 22), Err(Reason::RevealMismatch));
	assert_eq!(booked.reveal(&honest(3, 4), 22), Err(Reason::NotAssigned));
	booked.reveal(&answers[2], 22).unwrap();
	let fault = VerifierFault::WrongPreState;
	assert_eq!(booked.last(), &Effect::SlashCheck { verifier: 3, fault, to_worker: false });
	assert_eq!(booked.reveal(&answers[2], 22), Err(Reason::NotCommitted));
	// A colleague's commitment cannot be copied: it names the verifier.
	let mut copied = drawn();
	copied.commit(2, &honest(1, 4), 20).unwrap();
}

#[test]
fn who_does_not_reveal_is_slashed_and_the_rest_counts() {
	let mut booked = opened_with(&all_honest());
	for answer in &all_honest()[1..] {
		booked.reveal(answer, 33).unwrap();
	}
	assert_eq!(booked.reveal(&all_honest()[0], 34), Err(Reason::TooLate));
	booked.settle(34).unwrap();
	let slash = Effect::SlashCheck { verifier: 1, fault: VerifierFault::NotRevealed, to_worker: true };
	assert!(booked.effects.contains(&slash));
	assert_eq!(booked.last(), &Effect::Verified { state_root: state(9), checkers: alloc::vec![2, 3, 4, 5, 6] });
}

fn disputed() -> Booked {
	let mut answers = all_honest();
	answers[2] = answer(3, 7, state(6), [7; 32]);
	answers[4] = answer(5, 9, state(8), [5; 32]);
	let mut booked = opened_with(&answers);
	for answer in &answers {
		booked.reveal(answer, 22).unwrap();
	}
	let accuse =
		Effect::Accuse { segment: 7, challenger: 3, pre_root: state(6), claimed_root: state(7), found_root: [7; 32] };
	assert!(booked.effects.contains(&accuse));
	assert_eq!(booked.settle(100), Err(Reason::TooEarly));
	booked
}

#[test]
fn a_verdict_against_the_worker_ends_the_round() {
	let mut booked = disputed();
	assert_eq!(booked.effects(|r| r.verdict(7, &4, true)), Err(Reason::WrongPhase));
	booked.effects(|r| r.verdict(7, &3, true)).unwrap();
	// Who agreed with the lost claim (4) and who found something else elsewhere (5) are not paid.
	let checkers = alloc::vec![1, 2, 3, 6];
	assert_eq!(booked.last(), &Effect::WorkerFault { fault: WorkerFault::LostDispute, challenger: Some(3), checkers });
	assert!(booked.locked.values().all(|count| *count == 0));
	assert_eq!(booked.effects(|r| r.verdict(9, &5, true)), Err(Reason::WrongPhase));
}

#[test]
fn lost_accusations_cost_their_author_and_the_milestone_stands() {
	let mut booked = disputed();
	booked.effects(|r| r.verdict(7, &3, false)).unwrap();
	assert_eq!(booked.settle(100), Err(Reason::TooEarly));
	booked.effects(|r| r.verdict(9, &5, false)).unwrap();
	assert_eq!(booked.last(), &Effect::SlashCheck { verifier: 5, fault: VerifierFault::LostDispute, to_worker: true });
	booked.settle(100).unwrap();
	assert_eq!(booked.last(), &Effect::Verified { state_root: state(9), checkers: alloc::vec![1, 2, 4, 6] });
}

#[test]
fn a_segment_that_nobody_confirmed_is_not_verified() {
	let mut answers = all_honest();
	answers[2] = answer(3, 7, state(6), [7; 32]);
	answers[3] = answer(4, 7, state(6), [7; 32]);
	let mut booked = opened_with(&answers);
	for answer in &answers {
		booked.reveal(answer, 22).unwrap();
	}
	booked.effects(|r| r.verdict(7, &3, false)).unwrap();
	booked.effects(|r| r.verdict(7, &4, false)).unwrap();
	booked.settle(23).unwrap();
	assert_eq!(booked.last(), &failed(Reason::NoVerifiers, 0, &[1, 2, 5, 6]));
}

#[test]
fn abandoning_releases_everything_once() {
	let mut booked = disputed();
	let effects = booked.round.abandon();
	booked.book(effects);
	assert!(booked.locked.values().all(|count| *count == 0));
	assert_eq!(booked.round.abandon(), Vec::new());
	assert_eq!(booked.round.phase, Phase::Failed(Reason::Superseded));
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

	/// Whatever happens in whatever order: what is due can be done and nothing else, refusals change nothing, every check is freed exactly once, and `settle`, redraws
	/// and verdicts end the round.
	#[test]
	fn random_histories_conserve_checks_and_end(
		events in prop::collection::vec((0u8..9, 0usize..8, 0u32..3, any::<bool>(), 0u32..15), 0..80),
	) {
		let mut booked = drawn();
		let mut now = 13;
		let mut fresh = 10;
		for (event, index, pick, good, wait) in events {
			now += wait / 4;
			let segment = [4, 7, 9][pick as usize];
			let checks: Vec<(Id, u32)> =
				booked.round.phase.segments().iter().flat_map(|s| s.checks.iter().map(|c| (c.verifier, s.segment))).collect();
			let Some((who, at)) = checks.get(index % checks.len().max(1)).copied() else { break };
			// Odd verifiers may find something else, multiples of 5 start elsewhere.
			let found = if who % 5 == 0 && who > 6 { answer(who, at, [0; 32], state(at)) }
				else if who % 2 == 1 { answer(who, at, state(at - 1), [who; 32]) }
				else { honest(who, at) };
			let due = booked.round.due(&context().parameters, 5_000, now);
			let mut settled = booked.round.clone();
			let settles = settled.settle(&context(), now).is_ok();
			prop_assert_eq!(settles, due.is_some_and(|due| due.step == Step::Settle), "{:?}", booked.round.phase);
			let replaces = !booked.round.replacements(&context(), now).is_empty();
			prop_assert!(settles || replaces == due.is_some(), "{:?}", booked.round.phase);
			let _ = match event {
				0 | 1 => booked.commit(who, &found, now),
				2 => booked.run(|r| r.report_unserved(&context(), &who, at, now)).map(|_| ()),
				3 => {
					let opening = (segment > 4).then(|| end_of(segment - 1));
					booked.run(|r| r.answer_unserved(&context(), segment, opening.as_ref(), now))
				}
				4 => {
					fresh += 1;
					booked.effects(|r| r.redraw(&context(), segment, alloc::vec![fresh], now))
				}
				5 => booked.open(now),
				6 => booked.reveal(&found, now),
				7 => booked.effects(|r| r.verdict(at, &who, good)),
				_ => booked.settle(now),
			};
		}
		for _ in 0..200 {
			if booked.round.phase.is_final() {
				break;
			}
			now += 10;
			for due in booked.round.replacements(&context(), now) {
				fresh += 1;
				booked.effects(|r| r.redraw(&context(), due.segment, alloc::vec![fresh], now)).unwrap();
			}
			let disputes: Vec<_> = booked.round.phase.segments().iter()
				.flat_map(|s| s.checks.iter().map(|c| (s.segment, c.clone())))
				.filter(|(_, check)| matches!(check.state, CheckState::Disputed { .. })).collect();
			for (segment, check) in disputes {
				let _ = booked.effects(|r| r.verdict(segment, &check.verifier, check.verifier % 3 == 0));
			}
			let _ = booked.settle(now);
		}
		prop_assert!(booked.round.phase.is_final(), "{:?}", booked.round.phase);
		prop_assert!(booked.locked.values().all(|count| *count == 0));
		let ends = booked.effects.iter().filter(|effect| matches!(
			effect,
			Effect::Verified { .. } | Effect::WorkerFault { .. } | Effect::LeaseFailed { .. }
		)).count();
		prop_assert_eq!(ends, 1);
	}
}
