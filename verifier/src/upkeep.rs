//! Which blobs this verifier needs, and the removal of all others: [`assay_agent::upkeep`].

use crate::{
	check::{Answer, Answers, CheckId},
	error::VerifierError,
	service::Verifier,
};
use assay_agent::{
	upkeep::{is_recent, standings, Standing},
	Peer, Snapshot,
};
use assay_p2p::{BlobHash, Swept};
use assay_protocol::{Hash, JobId, MilestoneIndex};
use std::{
	collections::{BTreeMap, BTreeSet, HashSet},
	time::Duration,
};

impl Verifier {
	/// Gives disk space back from time to time.
	pub(crate) fn tidy(&mut self, snapshot: &Snapshot) {
		let (peer, answers, results) = (self.peer.clone(), self.answers.clone(), self.config.results);
		self.upkeep.at(snapshot.number(), &self.peer, || look(peer, answers, snapshot.clone(), results));
	}
}

async fn look(peer: Peer, answers: Answers, snapshot: Snapshot, results: Duration) -> Result<Swept, VerifierError> {
	// Answers and inputs that are recorded later may be of milestones that this snapshot does not show: they stay.
	let checks: BTreeSet<CheckId> = answers.all()?.into_iter().map(|(id, _)| id).collect();
	let mut jobs: BTreeSet<JobId> = checks.iter().map(|id| id.job).collect();
	jobs.extend(answers.jobs()?);
	let standings = standings(&snapshot, jobs).await;
	let undecided = snapshot.milestones().await?.into_iter();
	let undecided = undecided.map(|((job, milestone), record)| (job, record.attempt, milestone)).collect();
	let me = peer.account();
	let disputes = snapshot.disputes().await?.into_iter().map(|(_, record)| record.accusation);
	let disputed = disputes.filter(|accusation| accusation.challenger == me).map(|accusation| CheckId {
		job: accusation.job,
		attempt: accusation.attempt,
		milestone: accusation.milestone,
		segment: accusation.segment,
	});
	let known = Known { checks, standings, undecided, disputed: disputed.collect() };
	let store = peer.plane.store().clone();
	tokio::task::spawn_blocking(move || store.sweep(|| known.needed(&answers, |blob| is_recent(&store, blob, results))))
		.await?
}

/// What was known when the look began.
struct Known {
	checks: BTreeSet<CheckId>,
	standings: BTreeMap<JobId, Standing>,
	/// Job, attempt and number of every committed milestone that is not decided.
	undecided: BTreeSet<(JobId, u32, MilestoneIndex)>,
	/// Checks whose disputes this verifier plays.
	disputed: BTreeSet<CheckId>,
}

impl Known {
	/// The blobs to keep. Records of which nothing is kept are removed.
	fn needed(&self, answers: &Answers, is_recent: impl Fn(&Hash) -> bool) -> Result<HashSet<BlobHash>, VerifierError> {
		let mut needed = HashSet::new();
		for (id, answer) in answers.all()? {
			let blobs = self.of_answer(id, &answer, &is_recent);
			if blobs.is_empty() && self.is_decided(id) {
				answers.forget(id)?;
			}
			needed.extend(blobs.into_iter().map(BlobHash::from));
		}
		for job in answers.jobs()? {
			match self.standings.get(&job) {
				None | Some(Standing::Open(_)) => needed.extend(answers.inputs(job)?.into_iter().map(BlobHash::from)),
				Some(Standing::Closed(_) | Standing::Gone) => answers.forget_inputs(job)?,
			}
		}
		Ok(needed)
	}

	/// Whether nobody will ask for the answer any more.
	fn is_decided(&self, id: CheckId) -> bool {
		let decided = match self.standings.get(&id.job) {
			None => false,
			Some(Standing::Open(_)) => !self.undecided.contains(&(id.job, id.attempt, id.milestone)),
			Some(Standing::Closed(_) | Standing::Gone) => true,
		};
		decided && self.checks.contains(&id) && !self.disputed.contains(&id)
	}

	fn of_answer(&self, id: CheckId, answer: &Answer, is_recent: impl Fn(&Hash) -> bool) -> Vec<Hash> {
		if !self.is_decided(id) {
			return answer.pre.into_iter().chain(answer.post).collect();
		}
		let result = |root: &Hash| answer.post.filter(|_| answer.post_root == *root);
		match self.standings.get(&id.job) {
			Some(Standing::Open(job)) => result(&job.verified.root).into_iter().collect(),
			Some(Standing::Closed(root)) => result(root).filter(&is_recent).into_iter().collect(),
			_ => Vec::new(),
		}
	}
}

#[cfg(test)]
mod tests;
