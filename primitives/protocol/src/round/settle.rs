//! What time decides: one permissionless transition for every passed window, and the end of the round.

use super::state::{Challenge, Check, CheckState, Effect, Phase, Round, RoundContext, SegmentRound};
use crate::{
	interfaces::{VerifierFault, WorkerFault},
	BlockNumber, Reason,
};
use alloc::vec::Vec;

impl<AccountId: Clone + PartialEq> Round<AccountId> {
	/// Does what is due at block `now`; anyone may call it. [`Reason::TooEarly`] if nothing is.
	///
	/// - Committed: a round that nobody drew in time ends the lease, at nobody's cost. So does one that still waits for enough
	///   verifiers when the job's deadline and the time to draw have passed.
	/// - Blind: an unanswered challenge is the worker's fault. When a segment's window has passed with no tranche left, its
	///   absent verifiers are given up. Once nobody is waited for, the worker opens if anybody answered; else the lease ends.
	/// - Opening: a passed window is the worker's fault.
	/// - Reveal: when all have revealed or the window has passed, those who did not are slashed; without open disputes the
	///   milestone is verified if of each segment at least one check agreed and more answered than were refused. Else the
	///   lease ends: as [`Reason::Unserved`] if a segment was outweighed by verifiers that were refused, else as
	///   [`Reason::NoVerifiers`].
	pub fn settle(&mut self, context: &RoundContext, now: BlockNumber) -> Result<Vec<Effect<AccountId>>, Reason> {
		match &self.phase {
			Phase::Blind { .. } => self.settle_blind(context, now),
			Phase::Opening { until, .. } if now > *until => {
				Ok(self.fault(WorkerFault::NotOpened, None, Reason::NotOpened, committed))
			}
			Phase::Opening { .. } => Err(Reason::TooEarly),
			Phase::Reveal { until, .. } => {
				let late = now > *until;
				self.settle_reveal(late)
			}
			Phase::Committed if now > self.draw_until(&context.parameters) => Ok(self.fail()),
			Phase::Waiting if now > self.wait_until(&context.parameters, context.deadline) => Ok(self.fail()),
			Phase::Committed | Phase::Waiting => Err(Reason::TooEarly),
			Phase::Verified { .. } | Phase::Failed(_) => Err(Reason::WrongPhase),
		}
	}

	fn settle_blind(&mut self, context: &RoundContext, now: BlockNumber) -> Result<Vec<Effect<AccountId>>, Reason> {
		let Phase::Blind { segments } = &mut self.phase else { return Err(Reason::WrongPhase) };
		let unanswered = |challenge: &Challenge| matches!(challenge, Challenge::Open { until } if now > *until);
		// Where everybody has committed, the pre-state was served after all.
		if segments.iter().any(|entry| entry.missing() > 0 && unanswered(&entry.challenge)) {
			return Ok(self.fault(WorkerFault::NotServed, None, Reason::NotServed, committed));
		}
		let mut effects = Vec::new();
		for entry in segments.iter_mut() {
			let exhausted = entry.tranche >= context.parameters.max_tranches;
			if exhausted && entry.missing() > 0 && now > entry.until {
				effects.extend(entry.dismiss_absent());
			}
		}
		if segments.iter().all(|entry| entry.is_settled(&context.parameters) && entry.answered() == 0) {
			effects.extend(self.fail());
			return Ok(effects);
		}
		if effects.is_empty() {
			return Err(Reason::TooEarly);
		}
		self.close_blind_if_complete(context, now);
		Ok(effects)
	}

	fn settle_reveal(&mut self, late: bool) -> Result<Vec<Effect<AccountId>>, Reason> {
		let Phase::Reveal { segments, .. } = &mut self.phase else { return Err(Reason::WrongPhase) };
		let mut effects = Vec::new();
		let disputed = |check: &Check<AccountId>| matches!(check.state, CheckState::Disputed { .. });
		// While a lie may come to light, the worker gains nothing by who is silent.
		let to_worker = !segments.iter().flat_map(|entry| &entry.checks).any(disputed);
		if late {
			for check in segments.iter_mut().flat_map(|entry| entry.checks.iter_mut()) {
				if let CheckState::Committed { .. } = check.state {
					check.state = CheckState::NotRevealed;
					let (verifier, fault) = (check.verifier.clone(), VerifierFault::NotRevealed);
					// Its part goes to the worker, whose milestone may be lost by it.
					effects.push(Effect::SlashCheck { verifier, fault, to_worker });
				}
			}
		}
		let waiting = |state: &CheckState| matches!(state, CheckState::Committed { .. } | CheckState::Disputed { .. });
		if segments.iter().flat_map(|entry| entry.active()).any(|check| waiting(&check.state)) {
			return if effects.is_empty() { Err(Reason::TooEarly) } else { Ok(effects) };
		}
		let end = segments.last().and_then(|entry| entry.post_root).ok_or(Reason::WrongPhase)?;
		// A lost accusation is a ruling that the claim is right where it was disputed, not that the segment was checked.
		let checked = segments
			.iter()
			.all(|entry| !entry.is_outweighed() && entry.checks.iter().any(|check| check.state == CheckState::Agreed));
		if !checked {
			effects.extend(self.fail());
			return Ok(effects);
		}
		let (released, checkers) = self.release_all(|_, state| *state == CheckState::Agreed);
		effects.extend(released);
		effects.push(Effect::Verified { state_root: end, checkers });
		self.phase = Phase::Verified { state_root: end };
		Ok(effects)
	}

	/// Ends the round and the lease without a proven fault; releases every check.
	fn fail(&mut self) -> Vec<Effect<AccountId>> {
		let outweighed = || self.phase.segments().iter().filter(|entry| entry.is_outweighed());
		let unserved_ppm = outweighed().map(SegmentRound::unserved_ppm).max().unwrap_or(0);
		let reason = match outweighed().any(|entry| entry.refused > 0) {
			true => Reason::Unserved,
			false => Reason::NoVerifiers,
		};
		// Their bonds were busy for nothing.
		let idle_seats = outweighed().map(SegmentRound::idle_seats).sum();
		let (mut effects, checkers) = self.release_all(|_, state| *state == CheckState::Agreed);
		effects.push(Effect::LeaseFailed { reason, unserved_ppm, idle_seats, checkers });
		self.phase = Phase::Failed(reason);
		effects
	}

	/// Ends the round because its lease ended elsewhere; releases every check. Nothing to do in a final phase.
	pub fn abandon(&mut self) -> Vec<Effect<AccountId>> {
		let (effects, _) = self.release_all(|_, _| false);
		if !self.phase.is_final() {
			self.phase = Phase::Failed(Reason::Superseded);
		}
		effects
	}
}

/// A blind commitment could not be revealed through no fault of the verifier: it counts.
fn committed(_: crate::SegmentIndex, state: &CheckState) -> bool {
	matches!(state, CheckState::Committed { .. })
}
