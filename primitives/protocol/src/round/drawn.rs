//! From the commitment to the last blind commitment: draw, commit, challenges for the pre-state, redraw.

use super::state::{Challenge, Check, CheckState, Effect, Phase, Replacement, Round, RoundContext, SegmentRound};
use crate::{parameters::Parameters, BlockNumber, Hash, Reason, SegmentIndex};
use alloc::vec::Vec;
use assay_commitment::BoundaryOpening;

impl<AccountId: Clone + PartialEq> Round<AccountId> {
	/// The worker commits a milestone.
	pub const fn commit(root: Hash, now: BlockNumber) -> Self {
		Self { root, committed_at: now, phase: Phase::Committed }
	}

	/// The blocks whose author VRF outputs make the seed, once all of them are behind `now`.
	pub fn beacon(
		&self,
		context: &RoundContext,
		now: BlockNumber,
	) -> Result<core::ops::RangeInclusive<BlockNumber>, Reason> {
		if self.phase != Phase::Committed {
			return Err(Reason::WrongPhase);
		}
		let last = self.beacon_end(&context.parameters);
		if now <= last {
			return Err(Reason::TooEarly);
		}
		Ok(self.committed_at.saturating_add(1)..=last)
	}

	/// The seed is fixed, and too few verifiers are ready for a fair draw.
	pub fn wait(&mut self, context: &RoundContext, now: BlockNumber) -> Result<(), Reason> {
		self.beacon(context, now)?;
		self.phase = Phase::Waiting;
		Ok(())
	}

	/// The draw: `drawn` are the segments, ascending, the milestone's last among them, each with its verifiers.
	///
	/// A segment may have got fewer verifiers than the client asked for, but not none.
	pub fn draw(
		&mut self,
		context: &RoundContext,
		drawn: Vec<(SegmentIndex, Vec<AccountId>)>,
		now: BlockNumber,
	) -> Result<Vec<Effect<AccountId>>, Reason> {
		if self.phase != Phase::Waiting {
			self.beacon(context, now)?;
		}
		let ascending = drawn.windows(2).all(|pair| matches!(pair, [a, b] if a.0 < b.0));
		let inside = drawn.iter().all(|(segment, _)| context.range.end_of(*segment).is_some());
		let last = context.range.first.saturating_add(context.range.count.saturating_sub(1));
		if !ascending || !inside || drawn.last().map(|(segment, _)| *segment) != Some(last) {
			return Err(Reason::NotDrawn);
		}
		if drawn.iter().any(|(_, verifiers)| verifiers.is_empty()) {
			return Err(Reason::NoVerifiers);
		}
		if drawn.iter().any(|(_, verifiers)| has_duplicates(verifiers)) {
			return Err(Reason::NotEnoughDrawn);
		}
		let effects =
			drawn.iter().flat_map(|(_, verifiers)| verifiers.iter().cloned().map(Effect::LockCheck)).collect();
		let until = now.saturating_add(context.parameters.blind_window);
		let segments = drawn
			.into_iter()
			.map(|(segment, verifiers)| SegmentRound {
				segment,
				tranche: 1,
				until,
				pre_root: (segment == context.range.first).then_some(context.verified_root),
				post_root: None,
				challenge: Challenge::None,
				refused: 0,
				unfilled: 0,
				checks: verifiers.into_iter().map(assigned).collect(),
			})
			.collect();
		self.phase = Phase::Blind { segments };
		Ok(effects)
	}

	/// A drawn verifier commits its answer. The last one starts the worker's window to open.
	pub fn commit_blind(
		&mut self,
		context: &RoundContext,
		who: &AccountId,
		segment: SegmentIndex,
		blind: Hash,
		now: BlockNumber,
	) -> Result<(), Reason> {
		let Phase::Blind { segments } = &mut self.phase else { return Err(Reason::WrongPhase) };
		let entry = find(segments, segment)?;
		let until = entry.until;
		let check = entry.checks.iter_mut().find(|check| check.verifier == *who).ok_or(Reason::NotAssigned)?;
		match check.state {
			CheckState::Assigned if now <= until => check.state = CheckState::Committed { blind },
			CheckState::Assigned | CheckState::Absent => return Err(Reason::TooLate),
			_ => return Err(Reason::AlreadyCommitted),
		}
		self.close_blind_if_complete(context, now);
		Ok(())
	}

	/// Goes on to the opening once nobody is waited for or asked any more, if anybody answered at all. Also where a segment is
	/// outweighed: who answered has a say, or a cheat would serve halves of its verifiers and leave unjudged.
	pub(super) fn close_blind_if_complete(&mut self, context: &RoundContext, now: BlockNumber) {
		let Phase::Blind { segments } = &mut self.phase else { return };
		let settled = segments.iter().all(|segment| segment.is_settled(&context.parameters));
		if settled && segments.iter().any(|segment| segment.answered() > 0) {
			let until = now.saturating_add(context.parameters.open_window);
			self.phase = Phase::Opening { segments: core::mem::take(segments), until };
		}
	}

	/// A drawn verifier reports that it is not served. The first of a tranche challenges the worker, which must answer on
	/// chain by the returned block; others are noted.
	pub fn report_unserved(
		&mut self,
		context: &RoundContext,
		who: &AccountId,
		segment: SegmentIndex,
		now: BlockNumber,
	) -> Result<Option<BlockNumber>, Reason> {
		let Phase::Blind { segments } = &mut self.phase else { return Err(Reason::WrongPhase) };
		let entry = find(segments, segment)?;
		let late = now > entry.until;
		let check = entry.checks.iter_mut().find(|check| check.verifier == *who && check.state == CheckState::Assigned);
		let check = check.ok_or(Reason::NotAssigned)?;
		if late {
			return Err(Reason::TooLate);
		}
		if check.reported {
			return Err(Reason::AlreadyReported);
		}
		check.reported = true;
		if entry.challenge != Challenge::None {
			return Ok(None);
		}
		let until = now.saturating_add(context.parameters.serve_window);
		entry.challenge = Challenge::Open { until };
		// The verifiers' window starts anew with the answer; until then it must not run out.
		entry.until = entry.until.max(until);
		Ok(Some(until))
	}

	/// The worker answers a challenge: proves the pre-state's root on chain, for everyone to check what is served against.
	/// `opening` is `None` exactly for the milestone's first segment. The segment's blind window starts anew.
	pub fn answer_unserved(
		&mut self,
		context: &RoundContext,
		segment: SegmentIndex,
		opening: Option<&BoundaryOpening>,
		now: BlockNumber,
	) -> Result<(), Reason> {
		let root = self.root;
		let Phase::Blind { segments } = &mut self.phase else { return Err(Reason::WrongPhase) };
		let entry = find(segments, segment)?;
		let Challenge::Open { until } = entry.challenge else { return Err(Reason::WrongPhase) };
		if now > until {
			return Err(Reason::TooLate);
		}
		entry.pre_root = Some(pre_root(context, &root, segment, opening)?);
		entry.challenge = Challenge::Answered;
		entry.until = now.saturating_add(context.parameters.blind_window);
		Ok(())
	}

	/// The replacements that are due: segments whose window passed with checks missing, and with tranches left.
	pub fn replacements(&self, context: &RoundContext, now: BlockNumber) -> Vec<Replacement<AccountId>> {
		let Phase::Blind { segments } = &self.phase else { return Vec::new() };
		segments
			.iter()
			.filter(|entry| entry.can_redraw(&context.parameters, now))
			.map(|entry| Replacement {
				segment: entry.segment,
				tranche: entry.tranche.saturating_add(1),
				count: entry.needed() as u32,
				exclude: entry.checks.iter().map(|check| check.verifier.clone()).collect(),
			})
			.collect()
	}

	/// Replaces the absent verifiers of one segment by `verifiers`, drawn for a [`Replacement`]; they are given up if there are
	/// none.
	pub fn redraw(
		&mut self,
		context: &RoundContext,
		segment: SegmentIndex,
		verifiers: Vec<AccountId>,
		now: BlockNumber,
	) -> Result<Vec<Effect<AccountId>>, Reason> {
		let Phase::Blind { segments } = &mut self.phase else { return Err(Reason::WrongPhase) };
		let entry = find(segments, segment)?;
		if !entry.can_redraw(&context.parameters, now) {
			return Err(Reason::TooEarly);
		}
		let drawn_before = |who: &AccountId| entry.checks.iter().any(|check| check.verifier == *who);
		if verifiers.len() > entry.needed() || has_duplicates(&verifiers) || verifiers.iter().any(drawn_before) {
			return Err(Reason::NotEnoughDrawn);
		}
		let unfilled = entry.needed().saturating_sub(verifiers.len()) as u32;
		let mut effects = entry.dismiss_absent();
		effects.extend(verifiers.iter().cloned().map(Effect::LockCheck));
		if verifiers.is_empty() {
			// Nobody is left to ask: this was the last tranche.
			entry.unfilled = entry.unfilled.saturating_add(unfilled);
			entry.tranche = context.parameters.max_tranches;
		} else {
			entry.unfilled = entry.unfilled.saturating_add(unfilled);
			entry.checks.extend(verifiers.into_iter().map(assigned));
			entry.tranche = entry.tranche.saturating_add(1);
			entry.until = now.saturating_add(context.parameters.blind_window);
			entry.challenge = Challenge::None;
		}
		self.close_blind_if_complete(context, now);
		Ok(effects)
	}
}

impl<AccountId> SegmentRound<AccountId> {
	/// Whether another tranche may be drawn: its window has passed with checks missing, or those refused outweigh the others.
	pub(super) fn can_redraw(&self, parameters: &Parameters, now: BlockNumber) -> bool {
		let challenged = matches!(self.challenge, Challenge::Open { .. });
		let late = self.missing() > 0 && now > self.until && !challenged;
		(late || self.is_outweighed()) && self.tranche < parameters.max_tranches
	}

	/// Verifiers to draw for those who are missing. One more where the worker was challenged, whose word stands against
	/// theirs: so it cannot wait for a friend by refusing others.
	fn needed(&self) -> usize {
		match self.missing() {
			0 => self.refused.saturating_add(1).saturating_sub(self.answered()) as usize,
			missing => missing.saturating_add(usize::from(self.challenge != Challenge::None)),
		}
	}
}

impl<AccountId: Clone + PartialEq> SegmentRound<AccountId> {
	/// Marks the missing checks absent. Those that reported count as refused; the others were away.
	pub(super) fn dismiss_absent(&mut self) -> Vec<Effect<AccountId>> {
		let mut effects = Vec::new();
		for check in self.checks.iter_mut().filter(|check| check.state == CheckState::Assigned) {
			check.state = CheckState::Absent;
			effects.push(Effect::ReleaseCheck { verifier: check.verifier.clone(), honest: false });
			if check.reported {
				self.refused = self.refused.saturating_add(1);
			} else {
				effects.push(Effect::NoteAbsence(check.verifier.clone()));
			}
		}
		effects
	}
}

/// The proven state root before a segment.
pub(super) fn pre_root(
	context: &RoundContext,
	root: &Hash,
	segment: SegmentIndex,
	opening: Option<&BoundaryOpening>,
) -> Result<Hash, Reason> {
	match opening {
		None if segment == context.range.first => Ok(context.verified_root),
		Some(opening)
			if segment > context.range.first
				&& opening.segment == segment - 1
				&& opening.verify(root, context.job, context.range) =>
		{
			Ok(opening.state_root)
		}
		_ => Err(Reason::OpeningInvalid),
	}
}

pub(super) fn find<AccountId>(
	segments: &mut [SegmentRound<AccountId>],
	segment: SegmentIndex,
) -> Result<&mut SegmentRound<AccountId>, Reason> {
	segments.iter_mut().find(|entry| entry.segment == segment).ok_or(Reason::NotDrawn)
}

fn assigned<AccountId>(verifier: AccountId) -> Check<AccountId> {
	Check { verifier, reported: false, state: CheckState::Assigned }
}

fn has_duplicates<AccountId: PartialEq>(accounts: &[AccountId]) -> bool {
	accounts.iter().enumerate().any(|(i, a)| accounts.iter().skip(i + 1).any(|b| a == b))
}
