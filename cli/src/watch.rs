//! A job live: every finalised block once, until the job is closed.

use crate::{
	history::{Entry, Happening, Reader},
	Error,
};
use assay_agent::{follower::Follower, keys::Account, Chain, Snapshot};
use assay_protocol::{
	job::JobSpec,
	records::market::{Job, JobState},
	JobId,
};

/// Follows one job from the block that posted it.
pub struct Watch {
	follower: Follower,
	reader: Reader,
	closed: bool,
}

impl Watch {
	/// Starts at block `from`; the block of posting to see everything.
	pub fn new(chain: Chain, job: JobId, from: u64) -> Self {
		Self { follower: Follower::new(chain, from), reader: Reader::new(job), closed: false }
	}

	/// The next finalised block and what happened in it; `None` once the job is closed. A broken connection is waited out.
	///
	/// # Errors
	/// [`Error::BlockGone`] when the node does not keep a block.
	pub async fn next(&mut self) -> Result<Option<(Snapshot, Vec<Entry>)>, Error> {
		if self.closed {
			return Ok(None);
		}
		let snapshot = self.follower.next().await;
		let entries = self.reader.read(&snapshot).await?;
		self.closed = entries.iter().any(|entry| matches!(entry.event, Happening::Closed { .. }));
		Ok(Some((snapshot, entries)))
	}
}

/// A job's record, or [`Error::NoSuchJob`].
///
/// # Errors
/// [`Error::NoSuchJob`], [`Error::Chain`].
pub async fn job(snapshot: &Snapshot, job: JobId) -> Result<Job<Account>, Error> {
	snapshot.job(job).await?.ok_or(Error::NoSuchJob(job))
}

/// A job's specification, or [`Error::NoSuchJob`].
///
/// # Errors
/// [`Error::NoSuchJob`], [`Error::Chain`].
pub async fn spec(snapshot: &Snapshot, job: JobId) -> Result<JobSpec, Error> {
	snapshot.spec(job).await?.ok_or(Error::NoSuchJob(job))
}

/// Last block that can hold an event of the job: of its closing, else the newest.
pub fn last_block(job: &Job<Account>, snapshot: &Snapshot) -> u64 {
	match &job.state {
		JobState::Closed(closing) => u64::from(closing.at).min(snapshot.number()),
		_ => snapshot.number(),
	}
}
