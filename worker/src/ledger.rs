//! What is durable about a lease.

use assay_agent::{
	store::{Store, StoreError},
	upkeep,
};
use assay_commitment::{boundary, derive_salt, BoundaryOpening, MilestoneTree, SegmentRange};
use assay_protocol::{Hash, JobId, SegmentIndex};
use codec::{Decode, Encode};
use std::{collections::BTreeSet, time::Duration};

/// One lease: a job and the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseId {
	/// The job.
	pub job: JobId,
	/// Leases before it.
	pub attempt: u32,
}

impl LeaseId {
	fn key(&self, what: &str) -> String {
		format!("lease/{:020}/{:05}/{what}", self.job, self.attempt)
	}
}

/// The state after a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Boundary {
	/// Its root, as committed.
	pub root: Hash,
	/// Blob of the state.
	pub checkpoint: Hash,
}

/// Where a lease starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Start {
	/// First segment of the lease.
	pub segment: SegmentIndex,
	/// State root before it.
	pub root: Hash,
}

/// The durable records of leases. Everything that a commitment rests on is written before the commitment is sent.
#[derive(Clone)]
pub struct Ledger {
	store: Store,
}

impl Ledger {
	/// Over the daemon's state file.
	pub fn new(store: Store) -> Self {
		Self { store }
	}

	/// The secret that the lease's salts derive from; made at the first call.
	///
	/// # Errors
	/// [`StoreError`], as for every call here.
	pub fn secret(&self, lease: LeaseId) -> Result<Hash, StoreError> {
		let key = lease.key("secret");
		if let Some(secret) = self.store.get(&key)? {
			return Ok(secret);
		}
		let secret: Hash = rand::random();
		self.store.put(&key, &secret)?;
		Ok(secret)
	}

	/// Where the lease starts; `start` at the first call, the same ever after.
	pub fn start(&self, lease: LeaseId, start: Start) -> Result<Start, StoreError> {
		let key = lease.key("start");
		if let Some(known) = self.store.get(&key)? {
			return Ok(known);
		}
		self.store.put(&key, &start)?;
		Ok(start)
	}

	/// Records the state after a segment.
	pub fn record(&self, lease: LeaseId, segment: SegmentIndex, boundary: Boundary) -> Result<(), StoreError> {
		self.store.put(&lease.key(&format!("end/{segment:010}")), &boundary)
	}

	/// The state after a segment, if it was executed.
	pub fn boundary(&self, lease: LeaseId, segment: SegmentIndex) -> Result<Option<Boundary>, StoreError> {
		self.store.get(&lease.key(&format!("end/{segment:010}")))
	}

	/// Records the blob of what is claimed of a segment of a generation.
	pub fn record_claims(&self, lease: LeaseId, segment: SegmentIndex, tokens: &Hash) -> Result<(), StoreError> {
		self.store.put(&lease.key(&format!("claims/{segment:010}")), tokens)
	}

	/// The blob of what is claimed of a segment of a generation.
	pub fn claims(&self, lease: LeaseId, segment: SegmentIndex) -> Result<Option<Hash>, StoreError> {
		self.store.get(&lease.key(&format!("claims/{segment:010}")))
	}

	/// What is claimed of each segment of a generation.
	pub fn all_claims(&self, lease: LeaseId) -> Result<Vec<(SegmentIndex, Hash)>, StoreError> {
		by_segment(self.store.scan(&lease.key("claims/"))?)
	}

	/// Records blobs that the lease begins with, before they are fetched: program and data, and a state to resume from.
	pub fn record_inputs(&self, lease: LeaseId, blobs: &[Hash]) -> Result<(), StoreError> {
		upkeep::record_blobs(&self.store, &lease.key("inputs"), blobs)
	}

	/// The blobs of [`Self::record_inputs`], here or on their way.
	pub fn inputs(&self, lease: LeaseId) -> Result<Vec<Hash>, StoreError> {
		Ok(self.store.get(&lease.key("inputs"))?.unwrap_or_default())
	}

	/// How long this worker has known that the job is closed.
	pub fn closed_for(&self, job: JobId) -> Result<Duration, StoreError> {
		upkeep::closed_for(&self.store, job)
	}

	/// Every lease that there are records of.
	pub fn leases(&self) -> Result<BTreeSet<LeaseId>, StoreError> {
		let lease = |key: &String| {
			let mut parts = key.split('/').skip(1);
			Some(LeaseId { job: parts.next()?.parse().ok()?, attempt: parts.next()?.parse().ok()? })
		};
		Ok(self.store.keys("lease/")?.iter().filter_map(lease).collect())
	}

	/// Removes every record of jobs. Their commitments cannot be opened after that.
	pub fn forget(&self, jobs: impl IntoIterator<Item = JobId>) -> Result<(), StoreError> {
		let records = jobs.into_iter().flat_map(|job| [format!("lease/{job:020}/"), upkeep::closed_key(job)]);
		self.store.remove_all(&records.collect::<Vec<_>>())
	}

	/// Every executed segment's end, ascending by segment.
	pub fn boundaries(&self, lease: LeaseId) -> Result<Vec<(SegmentIndex, Boundary)>, StoreError> {
		by_segment(self.store.scan(&lease.key("end/"))?)
	}

	/// The commitment to a milestone, once all its segments are executed.
	pub fn milestone(&self, lease: LeaseId, range: SegmentRange) -> Result<Option<MilestoneTree>, StoreError> {
		let secret = self.secret(lease)?;
		let mut boundaries = Vec::new();
		for segment in range.first..range.first.saturating_add(range.count) {
			let Some(end) = self.boundary(lease, segment)? else { return Ok(None) };
			let index = segment.saturating_add(1);
			boundaries.push(boundary(&derive_salt(&secret, lease.job, index), lease.job, index, &end.root));
		}
		Ok(MilestoneTree::build(boundaries))
	}

	/// Opens the end of a segment of a milestone.
	pub fn open(
		&self,
		lease: LeaseId,
		range: SegmentRange,
		segment: SegmentIndex,
	) -> Result<Option<BoundaryOpening>, StoreError> {
		let (Some(tree), Some(end)) = (self.milestone(lease, range)?, self.boundary(lease, segment)?) else {
			return Ok(None);
		};
		let salt = derive_salt(&self.secret(lease)?, lease.job, segment.saturating_add(1));
		Ok(tree.open(range, segment, salt, end.root))
	}

	/// A checkpoint with this state root among the first `attempts` leases of a job, if one is here.
	pub fn checkpoint_of(&self, job: JobId, attempts: u32, root: &Hash) -> Result<Option<Hash>, StoreError> {
		for attempt in 0..attempts {
			let ends = self.boundaries(LeaseId { job, attempt })?;
			if let Some((_, end)) = ends.iter().find(|(_, end)| end.root == *root) {
				return Ok(Some(end.checkpoint));
			}
		}
		Ok(None)
	}
}

/// Records whose keys end in the number of a segment.
fn by_segment<Record>(records: Vec<(String, Record)>) -> Result<Vec<(SegmentIndex, Record)>, StoreError> {
	let segment = |key: String| key.rsplit('/').next()?.parse().ok();
	Ok(records.into_iter().filter_map(|(key, record)| Some((segment(key)?, record))).collect())
}

#[cfg(test)]
mod tests {
	use super::*;

	fn ledger(folder: &std::path::Path) -> Ledger {
		Ledger::new(Store::open(&folder.join("state.redb")).unwrap())
	}

	#[test]
	fn a_milestone_opens_to_what_was_recorded_and_the_secret_survives() {
		let folder = tempfile::tempdir().unwrap();
		let lease = LeaseId { job: 3, attempt: 1 };
		let range = SegmentRange { first: 4, count: 3 };
		let root = {
			let ledger = ledger(folder.path());
			for segment in 4..6u32 {
				ledger.record(lease, segment, Boundary { root: [segment as u8; 32], checkpoint: [0; 32] }).unwrap();
			}
			assert!(ledger.milestone(lease, range).unwrap().is_none(), "one segment is missing");
			ledger.record(lease, 6, Boundary { root: [6; 32], checkpoint: [9; 32] }).unwrap();
			ledger.milestone(lease, range).unwrap().unwrap().root()
		};
		let ledger = ledger(folder.path());
		for segment in 4..7u32 {
			let opening = ledger.open(lease, range, segment).unwrap().unwrap();
			assert_eq!(opening.state_root, [segment as u8; 32]);
			assert!(opening.verify(&root, 3, range));
		}
		assert_eq!(ledger.open(lease, range, 7).unwrap(), None);
		assert_eq!(ledger.checkpoint_of(3, 2, &[6; 32]).unwrap(), Some([9; 32]));
		assert_eq!(ledger.checkpoint_of(3, 1, &[6; 32]).unwrap(), None);
		let start = Start { segment: 4, root: [1; 32] };
		assert_eq!(ledger.start(lease, start).unwrap(), start);
		assert_eq!(ledger.start(lease, Start { segment: 0, root: [2; 32] }).unwrap(), start);
	}
}
