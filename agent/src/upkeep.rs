//! Gives disk space back: which blobs a daemon still needs follows from its records and the chain; all others are removed.
//!
//! A worker stores the state after every segment and a verifier the states before and after each checked one, so without this a
//! folder would grow by a state for each. What is needed of a job:
//!
//! | the job | a worker | a verifier |
//! |---|---|---|
//! | runs | program and data; the state that the chain verified last, which is where anyone resumes; of its own lease every state from there on, which may be drawn or disputed | program and data; the verified state; of undecided checks the states before and after |
//! | is closed | the last verified state, the result, for [`RESULTS`] | the same |
//! | was removed from the chain | nothing | nothing |
//!
//! What cannot be read is taken for needed.

use crate::{keys::Account, ChainError, Peer, Snapshot};
use assay_p2p::{BlobHash, BlobStore, StoreError, Swept};
use assay_protocol::{
	records::market::{Job, JobState},
	Hash, JobId,
};
use std::{
	collections::{BTreeMap, BTreeSet},
	future::Future,
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc,
	},
	time::{Duration, SystemTime},
};

/// Blocks between two looks.
const EVERY: u64 = 16;
/// How long the result of a closed job is kept for who has not fetched it yet, unless told otherwise.
pub const RESULTS: Duration = Duration::from_secs(14 * 24 * 3600);

/// What the chain says of a job that a daemon has records of.
#[derive(Clone, Debug)]
pub enum Standing {
	/// It may go on.
	Open(Box<Job<Account>>),
	/// It is over; the root of its last verified state.
	Closed(Hash),
	/// The chain does not know it any more.
	Gone,
}

/// The standing of each job. One that could not be read is not among them.
///
/// # Errors
/// Those of no job: each is read by itself.
pub async fn standings(snapshot: &Snapshot, jobs: BTreeSet<JobId>) -> BTreeMap<JobId, Standing> {
	let mut standings = BTreeMap::new();
	for job in jobs {
		match snapshot.job(job).await {
			Ok(record) => drop(standings.insert(job, Standing::of(record))),
			Err(error) => tracing::debug!(job, %error, "its blobs are looked at again later"),
		}
	}
	standings
}

impl Standing {
	fn of(record: Option<Job<Account>>) -> Self {
		match record {
			None => Self::Gone,
			Some(job) if matches!(job.state, JobState::Closed(_)) => Self::Closed(job.verified.root),
			Some(job) => Self::Open(Box::new(job)),
		}
	}
}

/// Whether a blob came into the store less than `age` ago, or at a time that this machine's clock takes for the future.
pub fn is_recent(store: &BlobStore, hash: &Hash, age: Duration) -> bool {
	let since = store.since(&BlobHash::from(*hash));
	since.is_ok_and(|since| SystemTime::now().duration_since(since).map_or(true, |passed| passed < age))
}

/// Says when it is time to look, and runs one look at a time.
#[derive(Debug, Default)]
pub struct Upkeep {
	due: u64,
	busy: Arc<AtomicBool>,
}

impl Upkeep {
	/// Starts `look` in the background if it is due at this block and none runs.
	pub fn at<Error, Look>(&mut self, block: u64, peer: &Peer, look: impl FnOnce() -> Look)
	where
		Error: std::fmt::Display + From<ChainError> + From<StoreError>,
		Look: Future<Output = Result<Swept, Error>> + Send + 'static,
	{
		if block < self.due || self.busy.swap(true, Ordering::AcqRel) {
			return;
		}
		self.due = block.saturating_add(EVERY);
		let (busy, look) = (self.busy.clone(), look());
		peer.tasks.spawn(async move {
			match look.await {
				Ok(Swept { blobs: 0, .. }) => {}
				Ok(Swept { blobs, bytes }) => tracing::info!(blobs, bytes, "removed what no job needs any more"),
				Err(error) => tracing::warn!(%error, "blobs that are not needed stay for now"),
			}
			busy.store(false, Ordering::Release);
		});
	}
}
