//! Which blobs this verifier needs, and the removal of all others: [`assay_agent::upkeep`].

use crate::{
	check::{Answers, CheckId},
	error::VerifierError,
	rounds::is_mine,
	service::Verifier,
};
use assay_agent::{
	store::StoreError,
	upkeep::{len_in, standings, Courtesies, Courtesy, Standing},
	Peer, Snapshot,
};
use assay_p2p::{BlobHash, Swept};
use assay_protocol::{Hash, JobId};
use std::{
	collections::{BTreeMap, BTreeSet, HashSet},
	time::Duration,
};

impl Verifier {
	/// Gives disk space back from time to time.
	pub(crate) fn tidy(&mut self, snapshot: &Snapshot) {
		let (peer, answers, courtesies) = (self.peer.clone(), self.answers.clone(), self.config.courtesies);
		self.upkeep.at(snapshot.number(), &self.peer, || look(peer, answers, snapshot.clone(), courtesies));
	}
}

async fn look(
	peer: Peer,
	answers: Answers,
	snapshot: Snapshot,
	courtesies: Courtesies,
) -> Result<Swept, VerifierError> {
	let read = answers.clone();
	let jobs = tokio::task::spawn_blocking(move || {
		let mut jobs: BTreeSet<JobId> = read.jobs()?.into_iter().collect();
		jobs.extend(read.all()?.into_iter().map(|(id, _)| id.job));
		jobs.extend(read.pre_states()?.into_iter().map(|(id, _)| id.job));
		Ok::<_, StoreError>(jobs)
	});
	let standings = standings(&snapshot, jobs.await??).await;
	let me = peer.account();
	let mine = snapshot.milestones().await?.into_iter().filter(|(_, record)| is_mine(record, &me));
	let mine = mine.map(|((job, _), _)| job).collect();
	let disputes = snapshot.disputes().await?.into_iter().map(|(_, record)| record.accusation);
	let disputed = disputes.filter(|accusation| accusation.challenger == me).map(|accusation| CheckId {
		job: accusation.job,
		attempt: accusation.attempt,
		milestone: accusation.milestone,
		segment: accusation.segment,
	});
	let known = Known { standings, mine, disputed: disputed.collect() };
	let store = peer.plane.store().clone();
	tokio::task::spawn_blocking(move || store.sweep(|| known.needed(&answers, &courtesies, len_in(&store)))).await?
}

/// What was known when the look began.
struct Known {
	standings: BTreeMap<JobId, Standing>,
	/// Jobs with a round that this verifier was drawn for.
	mine: BTreeSet<JobId>,
	/// Checks whose disputes this verifier plays.
	disputed: BTreeSet<CheckId>,
}

impl Known {
	/// The blobs to keep. Records of which nothing is kept are removed.
	fn needed(
		&self,
		answers: &Answers,
		courtesies: &Courtesies,
		len: impl Fn(&Hash) -> u64,
	) -> Result<HashSet<BlobHash>, VerifierError> {
		let (mut needed, mut offered) = (HashSet::new(), Vec::new());
		let (mut decided, mut over) = (Vec::new(), Vec::new());
		// Jobs whose program and data a check or a dispute may take.
		let mut busy = self.mine.clone();
		for (id, blob) in answers.pre_states()? {
			match self.is_decided(id) {
				true => over.push(Answers::pre_key(id)),
				false => {
					busy.insert(id.job);
					needed.insert(BlobHash::from(blob));
				}
			}
		}
		for (id, answer) in answers.all()? {
			if !self.is_decided(id) {
				busy.insert(id.job);
				needed.extend(answer.pre.into_iter().chain(answer.post).map(BlobHash::from));
				continue;
			}
			let (root, age) = match self.standings.get(&id.job) {
				Some(Standing::Open(job)) => (job.verified.root, Duration::ZERO),
				Some(Standing::Closed(root)) => (*root, answers.closed_for(id.job)?),
				_ => ([0; 32], Duration::MAX),
			};
			let blobs: Vec<Hash> = answer.post.filter(|_| answer.post_root == root).into_iter().collect();
			decided.push((id, blobs.clone()));
			offered.push(Courtesy { job: id.job, age, blobs });
		}
		for job in answers.jobs()? {
			match self.standings.get(&job) {
				Some(Standing::Closed(_) | Standing::Gone) if !busy.contains(&job) => {
					over.push(Answers::inputs_key(job));
				}
				Some(Standing::Open(_)) if !busy.contains(&job) => {
					offered.push(Courtesy { job, age: Duration::ZERO, blobs: answers.inputs(job)? });
				}
				_ => needed.extend(answers.inputs(job)?.into_iter().map(BlobHash::from)),
			}
		}
		let kept = courtesies.keep(offered, len).into_iter().flat_map(|courtesy| courtesy.blobs);
		needed.extend(kept.map(BlobHash::from));
		let useless = |blobs: &[Hash]| !blobs.iter().any(|blob| needed.contains(&BlobHash::from(*blob)));
		over.extend(decided.into_iter().filter(|(_, blobs)| useless(blobs)).map(|(id, _)| Answers::key(id)));
		answers.remove(&over)?;
		Ok(needed)
	}

	/// Whether nobody will ask for what this verifier found any more.
	fn is_decided(&self, id: CheckId) -> bool {
		let standing = self.standings.get(&id.job);
		standing.is_some_and(|standing| standing.is_decided(id.attempt, id.milestone)) && !self.disputed.contains(&id)
	}
}

#[cfg(test)]
mod tests;
