//! What a round asks of a verifier.

use crate::{
	check::{Check, CheckId},
	error::VerifierError,
	service::Verifier,
};
use assay_agent::{artifacts, calls, keys::Account, Snapshot};
use assay_commitment::BlindAnswer;
use assay_protocol::{
	job::JobSpec,
	records::{market::Job, operators::Role, verification::MilestoneRecord},
	round::{Challenge, CheckState, Phase, SegmentRound, Step},
	BlockNumber, JobId, MilestoneIndex,
};
use std::{
	collections::HashSet,
	hash::{DefaultHasher, Hash, Hasher},
	sync::Arc,
};

/// Blocks a verifier leaves to the worker before it moves a round on itself.
const PATIENCE: BlockNumber = 8;

/// A committed milestone's name and record.
pub(crate) type Committed = ((JobId, MilestoneIndex), MilestoneRecord<Account>);

/// Whether `me` has a check of the milestone.
pub(crate) fn is_mine(record: &MilestoneRecord<Account>, me: &Account) -> bool {
	record.round.phase.segments().iter().flat_map(|round| &round.checks).any(|check| check.verifier == *me)
}

/// The checks that `me` still has to make: drawn, not committed, not replaced, and in time.
pub(crate) fn wanted(milestones: &[Committed], me: &Account, now: BlockNumber) -> HashSet<CheckId> {
	let mut wanted = HashSet::new();
	for ((job, milestone), record) in milestones {
		let Phase::Blind { segments } = &record.round.phase else { continue };
		for round in segments.iter().filter(|round| now <= round.until) {
			if round.checks.iter().any(|check| check.verifier == *me && check.state == CheckState::Assigned) {
				let (job, attempt, milestone, segment) = (*job, record.attempt, *milestone, round.segment);
				wanted.insert(CheckId { job, attempt, milestone, segment });
			}
		}
	}
	wanted
}

/// Whether half of a segment's blind window has passed: a worker that serves lets a verifier fetch in a small part of it, and
/// the rest is for execution, for the challenge and its answer.
fn is_overdue(until: BlockNumber, blind_window: BlockNumber, now: BlockNumber) -> bool {
	// The second half; the larger one of an odd window.
	now > until.saturating_sub(blind_window.div_ceil(2))
}

/// Whether somebody has to move the round on because the worker lets it lie. What only the job can tell is assumed.
pub(crate) fn lies(record: &MilestoneRecord<Account>, now: BlockNumber) -> bool {
	let passed = |until: BlockNumber| now > until;
	let lain = |until: BlockNumber| now > until.saturating_add(PATIENCE);
	match &record.round.phase {
		Phase::Committed | Phase::Waiting => lain(record.round.committed_at),
		Phase::Blind { segments } => segments.iter().any(|round| match round.challenge {
			Challenge::Open { until } => passed(until),
			_ => lain(round.until),
		}),
		Phase::Opening { until, .. } => passed(*until),
		Phase::Reveal { until, .. } => lain(*until),
		Phase::Verified { .. } | Phase::Failed(_) => false,
	}
}

/// Blocks of a turn.
const TURN: BlockNumber = 8;
/// One verifier in so many has a turn.
const TURNS: u64 = 8;

/// Whether it is this verifier's turn to try what others would try too; other verifiers have theirs at other times.
fn is_my_turn(me: &Account, round: (JobId, MilestoneIndex), now: BlockNumber) -> bool {
	let mut hasher = DefaultHasher::new();
	(me, round, now / TURN).hash(&mut hasher);
	hasher.finish().is_multiple_of(TURNS)
}

/// One committed milestone as a verifier sees it.
pub(crate) struct Round<'a> {
	pub(crate) snapshot: &'a Snapshot,
	/// The time.
	pub(crate) now: BlockNumber,
	pub(crate) id: JobId,
	pub(crate) milestone: MilestoneIndex,
	pub(crate) record: &'a MilestoneRecord<Account>,
	pub(crate) job: &'a Job<Account>,
}

impl Round<'_> {
	/// Does what is due in the checks of this verifier.
	///
	/// # Errors
	/// [`VerifierError`]; other rounds are not touched.
	pub(crate) async fn serve(&self, verifier: &Verifier, spec: &Arc<JobSpec>) -> Result<(), VerifierError> {
		let (me, now) = (verifier.peer.account(), self.now);
		for round in self.record.round.phase.segments() {
			for check in round.checks.iter().filter(|check| check.verifier == me) {
				match (check.state, &self.record.round.phase) {
					(CheckState::Assigned, Phase::Blind { .. }) if now <= round.until => {
						self.commit(verifier, round, spec).await?;
					}
					(CheckState::Committed { .. }, Phase::Reveal { .. }) => self.reveal(verifier, round)?,
					_ => {}
				}
			}
		}
		Ok(())
	}

	fn check_id(&self, round: &SegmentRound<Account>) -> CheckId {
		CheckId { job: self.id, attempt: self.record.attempt, milestone: self.milestone, segment: round.segment }
	}

	async fn commit(
		&self,
		verifier: &Verifier,
		round: &SegmentRound<Account>,
		spec: &Arc<JobSpec>,
	) -> Result<(), VerifierError> {
		let id = self.check_id(round);
		#[cfg(feature = "adversary")]
		if let Some(misbehaviour) = &verifier.config.misbehaviour {
			if !misbehaviour.prepare(&verifier.answers, id, self.job)? {
				return Ok(());
			}
		}
		let Some(answer) = verifier.answers.get(id)? else {
			self.report(verifier, round, id);
			return self.start(verifier, spec, id).await;
		};
		#[cfg(feature = "adversary")]
		let answer = match &verifier.config.misbehaviour {
			Some(misbehaviour) => misbehaviour.answer(answer),
			None => answer,
		};
		let blind = BlindAnswer {
			verifier: verifier.peer.account(),
			nonce: answer.nonce,
			job: id.job,
			milestone: id.milestone,
			segment: id.segment,
			pre_root: answer.pre_root,
			post_root: answer.post_root,
		};
		let call = calls::commit_blind(id.job, id.milestone, id.segment, blind.commitment());
		self.send(verifier, format!("commit check of segment {}", id.segment), call);
		Ok(())
	}

	/// Challenges a worker that does not serve: after a try that it refused, and when half of the window has passed and the
	/// check still waits for bytes, however many trickle in.
	fn report(&self, verifier: &Verifier, round: &SegmentRound<Account>, id: CheckId) {
		let me = verifier.peer.account();
		if round.checks.iter().any(|check| check.verifier == me && check.reported) {
			return;
		}
		let refused = verifier.checks.was_unserved(id) && !verifier.checks.is_running(id);
		let overdue = is_overdue(round.until, self.job.parameters.blind_window, self.now);
		if refused || (overdue && verifier.checks.is_fetching(id)) {
			let call = calls::report_unserved(id.job, id.milestone, id.segment);
			self.send(verifier, format!("report unserved segment {}", id.segment), call);
		}
	}

	async fn start(&self, verifier: &Verifier, spec: &Arc<JobSpec>, id: CheckId) -> Result<(), VerifierError> {
		if verifier.checks.is_running(id) {
			return Ok(());
		}
		let Some(worker) = self.snapshot.operator(Role::Worker, &self.record.worker).await? else { return Ok(()) };
		let Ok(worker) = artifacts::provider(&worker.contact.endpoint) else { return Ok(()) };
		let Ok(plan) = spec.validate(&self.job.parameters) else { return Ok(()) };
		let mut sources = artifacts::providers([spec.endpoint.as_slice()]);
		sources.push(worker.clone());
		let peer = &verifier.peer;
		verifier.checks.start(&peer.tasks, id, &peer.stop, |stop, stage| Check {
			peer: peer.clone(),
			compute: verifier.compute.clone(),
			answers: verifier.answers.clone(),
			id,
			spec: spec.clone(),
			plan,
			milestone_root: self.record.round.root,
			verified_root: self.job.verified.root,
			worker,
			sources,
			allowance: verifier.allowance,
			memory: verifier.memory.clone(),
			stage,
			stop,
		});
		Ok(())
	}

	fn reveal(&self, verifier: &Verifier, round: &SegmentRound<Account>) -> Result<(), VerifierError> {
		let id = self.check_id(round);
		let Some(answer) = verifier.answers.get(id)? else {
			tracing::error!(segment = id.segment, "the answer of this check is gone; it cannot be revealed");
			return Ok(());
		};
		#[cfg(feature = "adversary")]
		let answer = match &verifier.config.misbehaviour {
			Some(misbehaviour) => misbehaviour.answer(answer),
			None => answer,
		};
		let call = calls::reveal(id.job, id.milestone, id.segment, answer.nonce, answer.pre_root, answer.post_root);
		self.send(verifier, format!("reveal check of segment {}", id.segment), call);
		Ok(())
	}

	fn send(&self, verifier: &Verifier, what: String, call: assay_agent::chain::Call) {
		verifier.peer.actions.send(self.snapshot.number(), self.action(&what), call);
	}

	/// Sends what anyone may; if it is refused, the next try waits longer and longer: every refusal costs a fee.
	fn help(&self, verifier: &Verifier, what: &str, call: assay_agent::chain::Call) {
		verifier.peer.actions.offer(self.snapshot.number(), self.action(what), call);
	}

	fn action(&self, what: &str) -> String {
		format!("{what} of milestone {}/{}.{}", self.id, self.milestone, self.record.attempt)
	}

	/// Moves the round on where the worker is at fault, or lets it lie.
	pub(crate) fn move_on(&self, verifier: &Verifier) {
		#[cfg(feature = "adversary")]
		if verifier.config.misbehaviour.is_some() {
			return;
		}
		if self.milestone != self.job.verified.milestones {
			return;
		}
		let Some(due) = self.record.round.due(&self.job.parameters, self.job.deadline, self.now) else { return };
		// The worker is given time to do it, unless it loses by it.
		if !due.against_worker && self.now <= due.since.saturating_add(PATIENCE) {
			return;
		}
		let (job, milestone) = (self.id, self.milestone);
		// Either may be refused for long because too few verifiers are ready, and every refusal costs a fee.
		let refused_often = self.record.round.phase == Phase::Waiting || due.step == Step::Redraw;
		if refused_often && !is_my_turn(&verifier.peer.account(), (job, milestone), self.now) {
			return;
		}
		let (what, call) = match due.step {
			Step::Draw => ("draw", calls::draw(job, milestone)),
			Step::Redraw => ("replace absent verifiers", calls::redraw(job, milestone)),
			Step::Settle => ("settle", calls::settle(job, milestone)),
		};
		self.help(verifier, what, call);
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use assay_protocol::round::{Check, Round};

	const ME: Account = [1; 32];

	#[test]
	fn turns_come_to_everyone_and_not_to_all_at_once() {
		for now in 0..20 {
			let turns = (0..100u8).filter(|who| is_my_turn(&[*who; 32], (7, 1), now * TURN)).count();
			assert!((1..40).contains(&turns), "{turns} of 100 at once");
		}
		for who in 0..100u8 {
			assert!((0..100).any(|turn| is_my_turn(&[who; 32], (7, 1), turn * TURN)), "{who} never");
		}
	}

	fn segment(number: u32, until: u32, state: CheckState) -> SegmentRound<Account> {
		let Phase::Blind { mut segments } = blind(vec![(number, ME)], until) else { unreachable!() };
		let mut round = segments.remove(0);
		let check = |verifier, state| Check { verifier, reported: false, state };
		round.checks = vec![check([9; 32], CheckState::Assigned), check(ME, state)];
		round
	}

	/// A phase as a draw makes it, so that new fields of a round need no change here.
	fn blind(drawn: Vec<(u32, Account)>, until: u32) -> Phase<Account> {
		let parameters = assay_protocol::parameters::Parameters {
			beacon_blocks: 1,
			blind_window: until.saturating_sub(2),
			..assay_protocol::parameters::Parameters::development()
		};
		let last = drawn.iter().map(|(segment, _)| *segment).max().unwrap();
		let context = assay_protocol::round::RoundContext {
			job: 1,
			milestone: 0,
			range: assay_commitment::SegmentRange { first: 0, count: last + 1 },
			verified_root: [0; 32],
			parameters,
			deadline: BlockNumber::MAX,
		};
		let mut round = Round::commit([0; 32], 0);
		round.draw(&context, drawn.into_iter().map(|(segment, who)| (segment, vec![who])).collect(), 2).unwrap();
		round.phase
	}

	fn committed(job: JobId, attempt: u32, segments: Vec<SegmentRound<Account>>) -> Committed {
		let round = Round { phase: Phase::Blind { segments }, ..Round::commit([0; 32], 0) };
		((job, 3), MilestoneRecord { attempt, worker: [7; 32], seed: None, bond_at_work: 0, round })
	}

	#[test]
	fn only_open_checks_in_time_are_wanted() {
		let checks = [
			(0, 20, CheckState::Assigned),
			(1, 20, CheckState::Absent),
			(2, 20, CheckState::Committed { blind: [0; 32] }),
			(3, 9, CheckState::Assigned),
			(4, 10, CheckState::Assigned),
		];
		let segments = checks.map(|(number, until, state)| segment(number, until, state)).to_vec();
		let milestones = [committed(5, 2, segments)];
		assert!(is_mine(&milestones[0].1, &ME) && !is_mine(&milestones[0].1, &[2; 32]));
		let id = |segment| CheckId { job: 5, attempt: 2, milestone: 3, segment };
		assert_eq!(wanted(&milestones, &ME, 10), HashSet::from([id(0), id(4)]));
		assert_eq!(wanted(&milestones, &ME, 11), HashSet::from([id(0)]));
		assert_eq!(wanted(&milestones, &[9; 32], 10).len(), 4);
		// Another attempt is another check, and a milestone that is gone wants nothing.
		let again = [committed(5, 3, vec![segment(0, 20, CheckState::Assigned)])];
		assert_eq!(wanted(&again, &ME, 10), HashSet::from([CheckId { attempt: 3, ..id(0) }]));
		assert!(wanted(&[], &ME, 10).is_empty());
	}

	#[test]
	fn a_check_that_still_fetches_is_overdue_after_half_of_its_window() {
		// Drawn in block 100 with a window of 20: the last block is 120.
		assert!(!is_overdue(120, 20, 101) && !is_overdue(120, 20, 110));
		assert!(is_overdue(120, 20, 111) && is_overdue(120, 20, 120));
		// An answered challenge starts the window anew.
		assert!(!is_overdue(140, 20, 120));
		assert!(!is_overdue(121, 21, 110) && is_overdue(121, 21, 111));
		assert!(!is_overdue(5, 20, 0) && is_overdue(5, 20, 1));
		assert!(is_overdue(1, 0, 2));
	}

	#[test]
	fn a_round_lies_when_a_window_and_the_patience_have_passed() {
		let (_, mut record) = committed(1, 0, vec![segment(0, 20, CheckState::Assigned)]);
		assert!(!lies(&record, 20 + PATIENCE) && lies(&record, 21 + PATIENCE));
		if let Phase::Blind { segments } = &mut record.round.phase {
			segments[0].challenge = Challenge::Open { until: 20 };
		}
		assert!(!lies(&record, 20) && lies(&record, 21));
		record.round.phase = Phase::Committed;
		record.round.committed_at = 50;
		assert!(!lies(&record, 50 + PATIENCE) && lies(&record, 51 + PATIENCE));
		record.round.phase = Phase::Verified { state_root: [0; 32] };
		assert!(!lies(&record, u32::MAX));
	}
}
