//! Which blobs this worker needs, and the removal of all others: [`assay_agent::upkeep`].

use crate::{
	error::WorkerError,
	ledger::{LeaseId, Ledger},
	service::Worker,
};
use assay_agent::{
	keys::Account,
	store::StoreError,
	upkeep::{is_recent, standings, Standing},
	views, Peer, Snapshot,
};
use assay_p2p::{BlobHash, Swept};
use assay_protocol::{plan::JobPlan, Hash, JobId};
use std::{
	collections::{BTreeMap, BTreeSet, HashMap, HashSet},
	time::Duration,
};

impl Worker {
	/// Gives disk space back from time to time.
	pub(crate) fn tidy(&mut self, snapshot: &Snapshot) {
		let (peer, ledger, results) = (self.peer.clone(), self.ledger.clone(), self.config.results);
		let plans = self.running.iter().map(|(lease, running)| (*lease, running.plan)).collect();
		self.upkeep.at(snapshot.number(), &self.peer, || look(peer, ledger, snapshot.clone(), plans, results));
	}
}

async fn look(
	peer: Peer,
	ledger: Ledger,
	snapshot: Snapshot,
	plans: HashMap<LeaseId, JobPlan>,
	results: Duration,
) -> Result<Swept, WorkerError> {
	// Leases recorded later are of jobs that are not among these, or are noticed below.
	let jobs = ledger.leases()?.iter().map(|lease| lease.job).collect();
	let standings = standings(&snapshot, jobs).await;
	let me = peer.account();
	let disputed = snapshot.disputes().await?.into_iter().map(|(_, record)| record.accusation);
	let disputed = disputed.filter(|accusation| accusation.defender == me);
	let disputed = disputed.map(|accusation| LeaseId { job: accusation.job, attempt: accusation.attempt }).collect();
	let store = peer.plane.store().clone();
	tokio::task::spawn_blocking(move || {
		let known = Known { me, standings, plans, disputed };
		store.sweep(|| known.needed(&ledger, |blob| is_recent(&store, blob, results)))
	})
	.await?
}

/// What was known when the look began.
struct Known {
	me: Account,
	standings: BTreeMap<JobId, Standing>,
	plans: HashMap<LeaseId, JobPlan>,
	disputed: BTreeSet<LeaseId>,
}

impl Known {
	/// The blobs to keep. Records of jobs of which nothing is kept are removed.
	fn needed(&self, ledger: &Ledger, is_recent: impl Fn(&Hash) -> bool) -> Result<HashSet<BlobHash>, WorkerError> {
		let mut needed = HashSet::new();
		let mut over = BTreeMap::new();
		for lease in ledger.leases()? {
			let blobs = match self.standings.get(&lease.job) {
				_ if self.disputed.contains(&lease) => everything(ledger, lease)?,
				None => everything(ledger, lease)?,
				Some(Standing::Open(job)) => {
					let mine = views::lease(job).is_some_and(|running| running.worker == self.me);
					let plan = self.plans.get(&lease);
					match (mine && job.attempt == lease.attempt, plan) {
						// Taken up since, or about to be.
						(true, None) => everything(ledger, lease)?,
						_ if lease.attempt > job.attempt => everything(ledger, lease)?,
						(true, Some(plan)) => running(ledger, lease, plan, job.verified.milestones)?,
						(false, _) => verified(ledger, lease, &job.verified.root)?
							.into_iter()
							.chain(ledger.inputs(lease)?)
							.collect(),
					}
				}
				Some(Standing::Closed(root)) => {
					let result: Vec<Hash> = verified(ledger, lease, root)?.into_iter().filter(&is_recent).collect();
					*over.entry(lease.job).or_insert(true) &= result.is_empty();
					result
				}
				Some(Standing::Gone) => {
					over.entry(lease.job).or_insert(true);
					Vec::new()
				}
			};
			needed.extend(blobs.into_iter().map(BlobHash::from));
		}
		for (job, _) in over.into_iter().filter(|(_, nothing)| *nothing) {
			ledger.forget(job)?;
		}
		Ok(needed)
	}
}

/// Every blob that the lease has records of.
fn everything(ledger: &Ledger, lease: LeaseId) -> Result<Vec<Hash>, StoreError> {
	let mut blobs = ledger.inputs(lease)?;
	blobs.extend(ledger.boundaries(lease)?.into_iter().map(|(_, end)| end.checkpoint));
	blobs.extend(ledger.all_claims(lease)?.into_iter().map(|(_, tokens)| tokens));
	Ok(blobs)
}

/// Of a lease of this worker: inputs, the state where the first unverified milestone begins, and everything after it.
fn running(ledger: &Ledger, lease: LeaseId, plan: &JobPlan, verified: u32) -> Result<Vec<Hash>, StoreError> {
	let first = plan.segments_of(verified).first;
	let mut blobs = ledger.inputs(lease)?;
	let ends = ledger.boundaries(lease)?.into_iter().filter(|(segment, _)| segment.saturating_add(1) >= first);
	blobs.extend(ends.map(|(_, end)| end.checkpoint));
	let claims = ledger.all_claims(lease)?.into_iter().filter(|(segment, _)| *segment >= first);
	blobs.extend(claims.map(|(_, tokens)| tokens));
	Ok(blobs)
}

/// The states of the lease with this root.
fn verified(ledger: &Ledger, lease: LeaseId, root: &Hash) -> Result<Vec<Hash>, StoreError> {
	let ends = ledger.boundaries(lease)?.into_iter().filter(|(_, end)| end.root == *root);
	Ok(ends.map(|(_, end)| end.checkpoint).collect())
}

#[cfg(test)]
mod tests;
