//! Which blobs this worker needs, and the removal of all others: [`assay_agent::upkeep`].

use crate::{
	error::WorkerError,
	ledger::{LeaseId, Ledger},
	service::Worker,
};
use assay_agent::{
	keys::Account,
	store::StoreError,
	upkeep::{len_in, standings, Courtesies, Courtesy, Standing},
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
		let (peer, ledger, courtesies) = (self.peer.clone(), self.ledger.clone(), self.config.courtesies);
		let plans = self.running.iter().map(|(lease, running)| (*lease, running.plan)).collect();
		self.upkeep.at(snapshot.number(), &self.peer, || look(peer, ledger, snapshot.clone(), plans, courtesies));
	}
}

async fn look(
	peer: Peer,
	ledger: Ledger,
	snapshot: Snapshot,
	plans: HashMap<LeaseId, JobPlan>,
	courtesies: Courtesies,
) -> Result<Swept, WorkerError> {
	let read = ledger.clone();
	let leases = tokio::task::spawn_blocking(move || read.leases()).await??;
	let standings = standings(&snapshot, leases.iter().map(|lease| lease.job).collect()).await;
	let me = peer.account();
	let disputed = snapshot.disputes().await?.into_iter().map(|(_, record)| record.accusation);
	let disputed = disputed.filter(|accusation| accusation.defender == me);
	let disputed = disputed.map(|accusation| LeaseId { job: accusation.job, attempt: accusation.attempt }).collect();
	let store = peer.plane.store().clone();
	tokio::task::spawn_blocking(move || {
		let known = Known { me, standings, plans, disputed };
		store.sweep(|| known.needed(&ledger, &courtesies, len_in(&store)))
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
	/// The blobs to keep. Records of jobs that are over and of which nothing is kept are removed.
	fn needed(
		&self,
		ledger: &Ledger,
		courtesies: &Courtesies,
		len: impl Fn(&Hash) -> u64,
	) -> Result<HashSet<BlobHash>, WorkerError> {
		let (mut needed, mut offered) = (HashSet::new(), Vec::new());
		let (mut over, mut held) = (BTreeSet::new(), BTreeSet::new());
		for lease in ledger.leases()? {
			let standing = self.standings.get(&lease.job).filter(|_| !self.disputed.contains(&lease));
			let blobs = match standing {
				None => {
					held.insert(lease.job);
					everything(ledger, lease)?
				}
				Some(Standing::Open(job)) => {
					let mine = views::lease(job).is_some_and(|running| running.worker == self.me);
					match self.plans.get(&lease).filter(|_| mine && job.attempt == lease.attempt) {
						Some(plan) => running(ledger, lease, plan, job.verified.milestones)?,
						// An order and the lease that follows it have one number: taken up since, or about to be.
						None if lease.attempt >= job.attempt => everything(ledger, lease)?,
						None => {
							let mut blobs = verified(ledger, lease, &job.verified.root)?;
							blobs.extend(ledger.inputs(lease)?);
							offered.push(Courtesy { job: lease.job, age: Duration::ZERO, blobs });
							Vec::new()
						}
					}
				}
				Some(Standing::Closed(root)) => {
					over.insert(lease.job);
					let age = ledger.closed_for(lease.job)?;
					offered.push(Courtesy { job: lease.job, age, blobs: verified(ledger, lease, root)? });
					Vec::new()
				}
				Some(Standing::Gone) => {
					over.insert(lease.job);
					Vec::new()
				}
			};
			needed.extend(blobs.into_iter().map(BlobHash::from));
		}
		for kept in courtesies.keep(offered, len) {
			held.insert(kept.job);
			needed.extend(kept.blobs.into_iter().map(BlobHash::from));
		}
		ledger.forget(over.difference(&held).copied())?;
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
