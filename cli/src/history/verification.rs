//! Events of verification rounds.

use super::{DrawnSegment, Happening};
use assay_agent::{
	chain::ChainEvent,
	keys::{address, Account},
	ChainError,
};
use assay_protocol::{BlockNumber, Hash, JobId, MilestoneIndex, Reason, SegmentIndex};

/// What an event of verification, whose first field is the job, says about it.
pub(super) fn happening(event: &ChainEvent) -> Result<Option<Happening>, ChainError> {
	type Place = (JobId, MilestoneIndex, SegmentIndex);
	Ok(Some(match event.name.as_str() {
		"MilestoneCommitted" => {
			let (_, milestone, root): (JobId, MilestoneIndex, Hash) = event.decode()?;
			Happening::Committed { milestone, root: hex::encode(root) }
		}
		"Drawn" => {
			type Drawn = (JobId, MilestoneIndex, Hash, Vec<(SegmentIndex, Vec<Account>)>);
			let (_, milestone, seed, segments): Drawn = event.decode()?;
			let drawn =
				|(segment, who): (SegmentIndex, Vec<Account>)| DrawnSegment { segment, verifiers: addresses(&who) };
			Happening::Drawn { milestone, seed: hex::encode(seed), segments: segments.into_iter().map(drawn).collect() }
		}
		"DrawWaits" => {
			let (_, milestone, seed): (JobId, MilestoneIndex, Hash) = event.decode()?;
			Happening::DrawWaits { milestone, seed: hex::encode(seed) }
		}
		"Redrawn" => {
			let ((_, milestone, segment), who): (Place, Vec<Account>) = event.decode()?;
			Happening::Redrawn { milestone, segment, verifiers: addresses(&who) }
		}
		"BlindCommitted" => {
			let ((_, milestone, segment), who): (Place, Account) = event.decode()?;
			Happening::Blind { milestone, segment, verifier: address(&who) }
		}
		"OpeningDue" => {
			let (_, milestone, until): (JobId, MilestoneIndex, BlockNumber) = event.decode()?;
			Happening::OpeningDue { milestone, until: until.into() }
		}
		"Opened" => {
			let (_, milestone, until): (JobId, MilestoneIndex, BlockNumber) = event.decode()?;
			Happening::Opened { milestone, until: until.into() }
		}
		"Revealed" => {
			let ((_, milestone, segment), who, agreed): (Place, Account, bool) = event.decode()?;
			Happening::Revealed { milestone, segment, verifier: address(&who), agreed }
		}
		"Unserved" => {
			let ((_, milestone, segment), who, until): (Place, Account, BlockNumber) = event.decode()?;
			Happening::Unserved { milestone, segment, verifier: address(&who), until: until.into() }
		}
		"AlsoUnserved" => {
			let ((_, milestone, segment), who): (Place, Account) = event.decode()?;
			Happening::AlsoUnserved { milestone, segment, verifier: address(&who) }
		}
		"ChallengeAnswered" => {
			let ((_, milestone, segment), _): (Place, Hash) = event.decode()?;
			Happening::ChallengeAnswered { milestone, segment }
		}
		"MilestoneVerified" => {
			let (_, milestone, root, checks): (JobId, MilestoneIndex, Hash, u32) = event.decode()?;
			Happening::Verified { milestone, state_root: hex::encode(root), checks }
		}
		"MilestoneFailed" => {
			let (_, milestone, reason): (JobId, MilestoneIndex, Reason) = event.decode()?;
			Happening::MilestoneFailed { milestone, reason: reason.into() }
		}
		_ => return Ok(None),
	}))
}

fn addresses(accounts: &[Account]) -> Vec<String> {
	accounts.iter().map(address).collect()
}
