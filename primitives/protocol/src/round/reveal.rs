//! From the worker's opening to the verdicts.

use super::{
	drawn::{find, pre_root},
	state::{CheckState, Effect, Phase, Round, RoundContext, SegmentOpening},
};
use crate::{
	interfaces::{VerifierFault, WorkerFault},
	BlockNumber, Hash, Reason, SegmentIndex,
};
use alloc::vec::Vec;
use assay_commitment::BlindAnswer;

impl<AccountId: Clone + PartialEq> Round<AccountId> {
	/// The worker opens every drawn segment, in the order of the draw.
	pub fn open(
		&mut self,
		context: &RoundContext,
		openings: &[SegmentOpening],
		now: BlockNumber,
	) -> Result<(), Reason> {
		let Phase::Opening { segments, until } = &self.phase else { return Err(Reason::WrongPhase) };
		if now > *until {
			return Err(Reason::TooLate);
		}
		if openings.len() != segments.len() {
			return Err(Reason::OpeningsMismatch);
		}
		let mut opened = segments.clone();
		for (entry, opening) in opened.iter_mut().zip(openings) {
			if opening.post.segment != entry.segment {
				return Err(Reason::OpeningsMismatch);
			}
			if !opening.post.verify(&self.root, context.job, context.range) {
				return Err(Reason::OpeningInvalid);
			}
			entry.pre_root = Some(pre_root(context, &self.root, entry.segment, opening.pre.as_ref())?);
			entry.post_root = Some(opening.post.state_root);
		}
		let until = now.saturating_add(context.parameters.reveal_window);
		self.phase = Phase::Reveal { segments: opened, until };
		Ok(())
	}

	/// A verifier reveals. `account` is its raw account id, as hashed into the blind commitment.
	#[allow(clippy::too_many_arguments)]
	pub fn reveal(
		&mut self,
		context: &RoundContext,
		who: &AccountId,
		account: [u8; 32],
		segment: SegmentIndex,
		nonce: Hash,
		found: (Hash, Hash),
		now: BlockNumber,
	) -> Result<Vec<Effect<AccountId>>, Reason> {
		let Phase::Reveal { segments, until } = &mut self.phase else { return Err(Reason::WrongPhase) };
		if now > *until {
			return Err(Reason::TooLate);
		}
		let entry = find(segments, segment)?;
		let (Some(pre_root), Some(claimed_root)) = (entry.pre_root, entry.post_root) else {
			return Err(Reason::WrongPhase);
		};
		let check = entry.checks.iter_mut().find(|check| check.verifier == *who).ok_or(Reason::NotAssigned)?;
		let CheckState::Committed { blind } = check.state else { return Err(Reason::NotCommitted) };
		let answer = BlindAnswer {
			verifier: account,
			nonce,
			job: context.job,
			milestone: context.milestone,
			segment,
			pre_root: found.0,
			post_root: found.1,
		};
		if answer.commitment() != blind {
			return Err(Reason::RevealMismatch);
		}
		let found_root = found.1;
		if found.0 != pre_root {
			check.state = CheckState::WrongPreState;
			let fault = VerifierFault::WrongPreState;
			return Ok(alloc::vec![Effect::SlashCheck { verifier: who.clone(), fault, to_worker: false }]);
		}
		if found_root == claimed_root {
			// Nothing can be held against it any more; the fee waits for the others.
			check.state = CheckState::Agreed;
			return Ok(alloc::vec![Effect::ReleaseCheck { verifier: who.clone(), honest: true }]);
		}
		check.state = CheckState::Disputed { found_root };
		Ok(alloc::vec![Effect::Accuse { segment, challenger: who.clone(), pre_root, claimed_root, found_root }])
	}

	/// A dispute about a segment ended. A verdict against the worker ends the round; else the challenger is slashed.
	///
	/// When the worker lost, the fee goes to the winner, to everyone who found the same in that segment, and to those who
	/// agreed in other segments. Who agreed with the lost claim is not paid.
	pub fn verdict(
		&mut self,
		segment: SegmentIndex,
		challenger: &AccountId,
		worker_lost: bool,
	) -> Result<Vec<Effect<AccountId>>, Reason> {
		let Phase::Reveal { segments, .. } = &mut self.phase else { return Err(Reason::WrongPhase) };
		let entry = find(segments, segment)?;
		let check = entry.checks.iter_mut().find(|check| check.verifier == *challenger).ok_or(Reason::NotAssigned)?;
		let CheckState::Disputed { found_root } = check.state else { return Err(Reason::WrongPhase) };
		if !worker_lost {
			check.state = CheckState::Lost;
			let (verifier, fault) = (challenger.clone(), VerifierFault::LostDispute);
			return Ok(alloc::vec![Effect::SlashCheck { verifier, fault, to_worker: true }]);
		}
		let honest = |at: SegmentIndex, state: &CheckState| match state {
			CheckState::Agreed => at != segment,
			CheckState::Disputed { found_root: found } => at == segment && *found == found_root,
			_ => false,
		};
		Ok(self.fault(WorkerFault::LostDispute, Some(challenger.clone()), Reason::LostDispute, honest))
	}

	/// Ends the round by the worker's fault. `honest` says whose check is paid; all live checks are released.
	pub(super) fn fault(
		&mut self,
		fault: WorkerFault,
		challenger: Option<AccountId>,
		reason: Reason,
		honest: impl Fn(SegmentIndex, &CheckState) -> bool,
	) -> Vec<Effect<AccountId>> {
		let (mut effects, checkers) = self.release_all(honest);
		effects.push(Effect::WorkerFault { fault, challenger, checkers });
		self.phase = Phase::Failed(reason);
		effects
	}

	/// Releases every live check; returns who was honest, once per check, released before or now.
	pub(super) fn release_all(
		&self,
		honest: impl Fn(SegmentIndex, &CheckState) -> bool,
	) -> (Vec<Effect<AccountId>>, Vec<AccountId>) {
		let mut effects = Vec::new();
		let mut checkers = Vec::new();
		for entry in self.phase.segments() {
			for check in &entry.checks {
				let honest = honest(entry.segment, &check.state);
				if check.state.is_live() {
					effects.push(Effect::ReleaseCheck { verifier: check.verifier.clone(), honest });
				}
				if honest {
					checkers.push(check.verifier.clone());
				}
			}
		}
		(effects, checkers)
	}
}
