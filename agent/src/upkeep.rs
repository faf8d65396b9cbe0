//! Gives disk space back: which blobs a daemon still needs follows from its records and the chain; all others are removed.
//!
//! A worker stores the state after every segment and a verifier the states before and after each checked one, so without this a
//! folder would grow by a state for each.
//!
//! | the job | needed by a worker | needed by a verifier | kept as a [courtesy](Courtesy) |
//! |---|---|---|---|
//! | is open | of its own lease: program and data; the state that the chain verified last; every state after it, which may be drawn or disputed | of undecided checks: program and data, the states before and after | program and data; the last verified state, where anyone resumes |
//! | is closed | nothing | nothing | the last verified state, the result |
//! | was removed from the chain | nothing | nothing | nothing |
//!
//! Losing what is needed costs a stake, so only what the chain proves to be over is over, whatever the age of the state that is
//! looked at: a node may lag, or be restored. A job was removed if jobs after it were posted and it is not there. A milestone is
//! decided if the job has verified more, has a later attempt, or is closed; none of these is ever taken back. What cannot be
//! read is needed.

use crate::{
	concurrent::each,
	keys::Account,
	store::{Store, StoreError},
	ChainError, Peer, Snapshot,
};
use assay_p2p::{BlobHash, BlobStore, StoreError as BlobError, Swept};
use assay_protocol::{
	records::market::{Job, JobState},
	Hash, JobId, MilestoneIndex,
};
use std::{
	collections::{BTreeMap, BTreeSet, HashSet},
	future::Future,
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc,
	},
	time::{Duration, SystemTime},
};

/// Blocks between two looks.
const EVERY: u64 = 16;

/// What the chain says of a job that a daemon has records of.
#[derive(Clone, Debug)]
pub enum Standing {
	/// It may go on.
	Open(Box<Job<Account>>),
	/// It is over; the root of its last verified state.
	Closed(Hash),
	/// The chain has removed it.
	Gone,
}

impl Standing {
	/// Whether nothing about a milestone of an attempt is open any more.
	pub fn is_decided(&self, attempt: u32, milestone: MilestoneIndex) -> bool {
		match self {
			Self::Open(job) => attempt < job.attempt || milestone < job.verified.milestones,
			Self::Closed(_) | Self::Gone => true,
		}
	}
}

/// The standing of each job. One that could not be read, or that this snapshot does not know yet, is not among them.
pub async fn standings(snapshot: &Snapshot, jobs: BTreeSet<JobId>) -> BTreeMap<JobId, Standing> {
	let next = snapshot.next_job().await.ok().flatten();
	let read = each(jobs, |job| snapshot.job(job)).await;
	read.into_iter().filter_map(|(job, read)| Some((job, standing(job, read.ok()?, next)?))).collect()
}

fn standing(job: JobId, record: Option<Job<Account>>, next: Option<JobId>) -> Option<Standing> {
	match record {
		None => next.is_some_and(|next| job < next).then_some(Standing::Gone),
		Some(job) if matches!(job.state, JobState::Closed(_)) => Some(Standing::Closed(job.verified.root)),
		Some(job) => Some(Standing::Open(Box::new(job))),
	}
}

/// Adds blobs to the list recorded under `key`, those that are not in it.
///
/// # Errors
/// [`StoreError`].
pub fn record_blobs(store: &Store, key: &str, blobs: &[Hash]) -> Result<(), StoreError> {
	let mut known: Vec<Hash> = store.get(key)?.unwrap_or_default();
	let fresh: Vec<Hash> = blobs.iter().filter(|blob| !known.contains(blob)).copied().collect();
	if fresh.is_empty() {
		return Ok(());
	}
	known.extend(fresh);
	store.put(key, &known)
}

/// How long this daemon has known that a job is closed.
///
/// # Errors
/// [`StoreError`].
pub fn closed_for(store: &Store, job: JobId) -> Result<Duration, StoreError> {
	let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
	store.put_new(&closed_key(job), &now)?;
	let since = store.get::<u64>(&closed_key(job))?.unwrap_or(now);
	Ok(Duration::from_secs(now.saturating_sub(since)))
}

/// The record of [`closed_for`].
pub fn closed_key(job: JobId) -> String {
	format!("closed/{job:020}")
}

/// Blobs that others may want and no duty asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Courtesy {
	/// The job.
	pub job: JobId,
	/// How long the job has been closed; nothing for an open one.
	pub age: Duration,
	/// The blobs.
	pub blobs: Vec<Hash>,
}

/// What a daemon gives to courtesies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Courtesies {
	/// How long the result of a closed job is kept.
	pub age: Duration,
	/// Bytes of all of them; the most recent is kept even if it is larger.
	pub bytes: u64,
}

impl Default for Courtesies {
	/// Two weeks, 16 GiB.
	fn default() -> Self {
		Self { age: Duration::from_secs(14 * 24 * 3600), bytes: 16 << 30 }
	}
}

impl Courtesies {
	/// Those that are kept of all that are offered, the most recent first.
	pub fn keep(&self, mut offered: Vec<Courtesy>, len: impl Fn(&Hash) -> u64) -> Vec<Courtesy> {
		offered.retain(|courtesy| courtesy.age < self.age && !courtesy.blobs.is_empty());
		offered.sort_by_key(|courtesy| (courtesy.age, std::cmp::Reverse(courtesy.job)));
		let (mut counted, mut sum, mut kept) = (HashSet::new(), 0u64, Vec::new());
		for courtesy in offered {
			let fresh = courtesy.blobs.iter().filter(|blob| !counted.contains(*blob));
			sum = fresh.fold(sum, |sum, blob| sum.saturating_add(len(blob)));
			if sum > self.bytes && !kept.is_empty() {
				break;
			}
			counted.extend(courtesy.blobs.iter().copied());
			kept.push(courtesy);
		}
		kept
	}
}

/// Bytes of a blob in a store; 0 if it is not there.
pub fn len_in(store: &BlobStore) -> impl Fn(&Hash) -> u64 + '_ {
	|hash| store.len(&BlobHash::from(*hash)).unwrap_or(0)
}

/// Says when it is time to look, and runs one look at a time.
#[derive(Debug, Default)]
pub struct Upkeep {
	due: u64,
	busy: Arc<AtomicBool>,
}

/// Ends a look however it ends.
struct Busy(Arc<AtomicBool>);

impl Drop for Busy {
	fn drop(&mut self) {
		self.0.store(false, Ordering::Release);
	}
}

impl Upkeep {
	/// Starts `look` in the background if it is due at this block and none runs.
	pub fn at<Error, Look>(&mut self, block: u64, peer: &Peer, look: impl FnOnce() -> Look)
	where
		Error: std::fmt::Display + From<ChainError> + From<BlobError>,
		Look: Future<Output = Result<Swept, Error>> + Send + 'static,
	{
		if block < self.due || self.busy.swap(true, Ordering::AcqRel) {
			return;
		}
		self.due = block.saturating_add(EVERY);
		let (busy, look) = (Busy(self.busy.clone()), look());
		peer.tasks.spawn(async move {
			let _busy = busy;
			match look.await {
				Ok(Swept { blobs: 0, .. }) => {}
				Ok(Swept { blobs, bytes }) => tracing::info!(blobs, bytes, "removed what no job needs any more"),
				Err(error) => tracing::warn!(%error, "blobs that are not needed stay for now"),
			}
		});
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_job_is_gone_only_where_later_ones_were_posted() {
		assert!(matches!(standing(7, None, Some(8)), Some(Standing::Gone)));
		assert!(standing(7, None, Some(7)).is_none(), "a state from before it was posted");
		assert!(standing(7, None, None).is_none());
	}

	#[test]
	fn courtesies_end_with_their_time_and_their_room() {
		let courtesy = |job: JobId, days: u64, blobs: &[u8]| Courtesy {
			job,
			age: Duration::from_secs(days * 24 * 3600),
			blobs: blobs.iter().map(|byte| [*byte; 32]).collect(),
		};
		let kept = |bytes, offered: &[Courtesy]| -> Vec<JobId> {
			let terms = Courtesies { bytes, ..Courtesies::default() };
			terms.keep(offered.to_vec(), |blob| u64::from(blob[0])).iter().map(|kept| kept.job).collect()
		};
		let offered = [courtesy(1, 13, &[10]), courtesy(2, 14, &[1]), courtesy(3, 0, &[20, 5]), courtesy(4, 2, &[30])];
		assert_eq!(kept(1_000, &offered), [3, 4, 1], "the second is too old");
		assert_eq!(kept(55, &offered), [3, 4]);
		assert_eq!(kept(54, &offered), [3]);
		assert_eq!(kept(1, &offered), [3], "the most recent stays");
		let shared = [courtesy(1, 0, &[20]), courtesy(2, 1, &[20, 3]), courtesy(3, 2, &[])];
		assert_eq!(kept(23, &shared), [1, 2], "what two share counts once; nothing is nobody's courtesy");
	}

	#[test]
	fn a_closed_job_ages_from_when_it_was_seen() {
		let folder = tempfile::tempdir().unwrap();
		let store = Store::open(&folder.path().join("state.redb")).unwrap();
		assert!(closed_for(&store, 7).unwrap() < Duration::from_secs(60));
		store.put(&closed_key(7), &1u64).unwrap();
		assert!(closed_for(&store, 7).unwrap() > Duration::from_secs(1 << 30));
	}
}
