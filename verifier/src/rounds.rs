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
	round::{Challenge, CheckState, Phase, SegmentRound},
	MilestoneIndex,
};

/// Blocks a verifier leaves to the worker before it moves a round on itself.
const PATIENCE: u32 = 8;

/// One committed milestone as a verifier sees it.
pub(crate) struct Round<'a> {
	pub(crate) snapshot: &'a Snapshot,
	pub(crate) id: u64,
	pub(crate) milestone: MilestoneIndex,
	pub(crate) record: &'a MilestoneRecord<Account>,
	pub(crate) job: &'a Job<Account>,
	pub(crate) spec: &'a JobSpec,
}

impl Round<'_> {
	/// Does what is due.
	pub(crate) async fn serve(&self, verifier: &mut Verifier) -> Result<(), VerifierError> {
		let me = verifier.peer.account();
		for round in self.record.round.phase.segments() {
			for check in round.checks.iter().filter(|check| check.verifier == me) {
				match (check.state, &self.record.round.phase) {
					(CheckState::Assigned, Phase::Blind { .. }) => self.commit(verifier, round).await?,
					(CheckState::Committed { .. }, Phase::Reveal { .. }) => self.reveal(verifier, round)?,
					_ => {}
				}
			}
		}
		self.move_on(verifier);
		Ok(())
	}

	fn check_id(&self, round: &SegmentRound<Account>) -> CheckId {
		CheckId { job: self.id, attempt: self.record.attempt, milestone: self.milestone, segment: round.segment }
	}

	async fn commit(&self, verifier: &mut Verifier, round: &SegmentRound<Account>) -> Result<(), VerifierError> {
		let id = self.check_id(round);
		#[cfg(feature = "adversary")]
		if let Some(misbehaviour) = &verifier.config.misbehaviour {
			if !misbehaviour.prepare(&verifier.answers, id, self.job)? {
				return Ok(());
			}
		}
		let Some(answer) = verifier.answers.get(id)? else { return self.start(verifier, round, id).await };
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

	async fn start(
		&self,
		verifier: &mut Verifier,
		round: &SegmentRound<Account>,
		id: CheckId,
	) -> Result<(), VerifierError> {
		if verifier.checks.is_running(id) {
			return Ok(());
		}
		if verifier.checks.was_unserved(id) && round.challenge == Challenge::None {
			let call = calls::report_unserved(id.job, id.milestone, id.segment);
			self.send(verifier, format!("report unserved segment {}", id.segment), call);
		}
		let Some(worker) = self.snapshot.operator(Role::Worker, &self.record.worker).await? else { return Ok(()) };
		let Ok(worker) = artifacts::provider(&worker.contact.endpoint) else { return Ok(()) };
		let Ok(plan) = self.spec.validate(&self.job.parameters) else { return Ok(()) };
		let mut sources = artifacts::providers([self.spec.endpoint.as_slice()]);
		sources.push(worker.clone());
		let check = Check {
			peer: verifier.peer.clone(),
			cpu: verifier.cpu.clone(),
			answers: verifier.answers.clone(),
			id,
			spec: self.spec.clone(),
			plan,
			milestone_root: self.record.round.root,
			verified_root: self.job.verified.root,
			worker,
			sources,
			stop: verifier.peer.stop.child_token(),
		};
		verifier.checks.start(&verifier.peer.tasks, check);
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
		let action = format!("{what} of milestone {}/{}.{}", self.id, self.milestone, self.record.attempt);
		verifier.peer.actions.send(self.snapshot.number(), action, call);
	}

	/// Moves the round on where the worker is at fault, or lets it lie.
	fn move_on(&self, verifier: &Verifier) {
		#[cfg(feature = "adversary")]
		if verifier.config.misbehaviour.is_some() {
			return;
		}
		let now = self.snapshot.number() as u32;
		let passed = |until: u32| now > until;
		let lain = |until: u32| now > until.saturating_add(PATIENCE);
		let settle = || calls::settle(self.id, self.milestone);
		match &self.record.round.phase {
			Phase::Committed => {
				let due = self.record.round.committed_at.saturating_add(self.job.parameters.beacon_blocks);
				if self.milestone == self.job.verified.milestones && lain(due) {
					self.send(verifier, "draw".into(), calls::draw(self.id, self.milestone));
				}
			}
			Phase::Blind { segments } => {
				let unanswered = |round: &SegmentRound<Account>| match round.challenge {
					Challenge::Open { until } => passed(until),
					_ => false,
				};
				if segments.iter().any(unanswered) {
					self.send(verifier, "settle the unanswered challenge".into(), settle());
				} else if segments.iter().any(|round| lain(round.until)) {
					self.send(verifier, "replace absent verifiers".into(), calls::redraw(self.id, self.milestone));
				}
			}
			Phase::Opening { until, .. } if passed(*until) => {
				self.send(verifier, "settle the missing opening".into(), settle());
			}
			Phase::Reveal { until, .. } if lain(*until) => self.send(verifier, "settle".into(), settle()),
			_ => {}
		}
	}
}
