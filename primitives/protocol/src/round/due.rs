//! What anyone may do about a round: the permissionless step that time has made due.

use super::state::{Challenge, CheckState, Phase, Round, SegmentRound};
use crate::{parameters::Parameters, BlockNumber};

/// A permissionless step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
	/// Draw segments and verifiers.
	Draw,
	/// Replace verifiers that did not commit.
	Redraw,
	/// [`Round::settle`].
	Settle,
}

/// A step that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
	/// Which.
	pub step: Step,
	/// Block after which it became due.
	pub since: BlockNumber,
	/// Whether the worker loses by it, so that somebody else must do it.
	pub against_worker: bool,
}

impl<AccountId> Round<AccountId> {
	/// Last block in which the round may be drawn; after it anyone may end it. Time for all the tranches it would have had.
	pub fn draw_until(&self, parameters: &Parameters) -> BlockNumber {
		let tranches = parameters.blind_window.saturating_mul(parameters.max_tranches);
		self.beacon_end(parameters).saturating_add(tranches)
	}

	/// Last block in which a round whose draw would not be fair waits; `deadline` is the job's.
	pub(super) fn wait_until(&self, parameters: &Parameters, deadline: BlockNumber) -> BlockNumber {
		deadline.max(self.draw_until(parameters))
	}

	/// Last block of the beacon.
	pub(super) fn beacon_end(&self, parameters: &Parameters) -> BlockNumber {
		self.committed_at.saturating_add(parameters.beacon_blocks.max(1))
	}

	/// What is due at block `now`, of a milestone that is its job's next one; `deadline` is the job's.
	pub fn due(&self, parameters: &Parameters, deadline: BlockNumber, now: BlockNumber) -> Option<Due> {
		match &self.phase {
			Phase::Committed => {
				let (drawable, overdue) = (self.beacon_end(parameters), self.draw_until(parameters));
				match now {
					_ if now > overdue => Some(neutral(Step::Settle, overdue)),
					_ if now > drawable => Some(neutral(Step::Draw, drawable)),
					_ => None,
				}
			}
			Phase::Waiting => match self.wait_until(parameters, deadline) {
				until if now > until => Some(neutral(Step::Settle, until)),
				_ => Some(neutral(Step::Draw, self.beacon_end(parameters))),
			},
			Phase::Blind { segments } => due_blind(segments, parameters, now),
			Phase::Opening { until, .. } => (now > *until).then(|| against(*until)),
			Phase::Reveal { segments, until } => {
				let any = |is: fn(&CheckState) -> bool| {
					segments.iter().flat_map(|entry| &entry.checks).any(|check| is(&check.state))
				};
				let silent = any(|state| matches!(state, CheckState::Committed { .. }));
				let disputed = any(|state| matches!(state, CheckState::Disputed { .. }));
				// While a dispute runs, only those who did not reveal can be settled.
				let settled = if silent { now > *until } else { !disputed };
				settled.then(|| neutral(Step::Settle, *until))
			}
			Phase::Verified { .. } | Phase::Failed(_) => None,
		}
	}
}

fn due_blind<A>(segments: &[SegmentRound<A>], parameters: &Parameters, now: BlockNumber) -> Option<Due> {
	let missing = || segments.iter().filter(|entry| entry.is_missing());
	let unanswered = missing().find_map(|entry| match entry.challenge {
		Challenge::Open { until } if now > until => Some(until),
		_ => None,
	});
	if let Some(until) = unanswered {
		return Some(against(until));
	}
	if segments.iter().all(|entry| entry.is_settled(parameters) && entry.answered() == 0) {
		let until = segments.iter().map(|entry| entry.until).max().unwrap_or(now);
		return Some(against(until.min(now)));
	}
	let exhausted = missing().find(|entry| now > entry.until && entry.tranche >= parameters.max_tranches);
	if let Some(entry) = exhausted {
		return Some(neutral(Step::Settle, entry.until));
	}
	let waiting = segments.iter().find(|entry| entry.can_redraw(parameters, now));
	waiting.map(|entry| neutral(Step::Redraw, entry.until.min(now)))
}

const fn neutral(step: Step, since: BlockNumber) -> Due {
	Due { step, since, against_worker: false }
}

const fn against(since: BlockNumber) -> Due {
	Due { step: Step::Settle, since, against_worker: true }
}
