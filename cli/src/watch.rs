//! A job live: every finalised block once, until the job is closed.

use crate::{
	clock::Clock,
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

/// First block of a job's events, which posted it.
///
/// # Errors
/// [`Error::BlockGone`], [`Error::Chain`].
pub async fn first_block(job: &Job<Account>, clock: &Clock) -> Result<u64, Error> {
	clock.first(job.posted_at).await
}

/// Last block that can hold an event of the job: of its closing, else the newest.
///
/// # Errors
/// [`Error::BlockGone`], [`Error::Chain`].
pub async fn last_block(job: &Job<Account>, clock: &Clock) -> Result<u64, Error> {
	match &job.state {
		JobState::Closed(closing) => clock.last(closing.at).await,
		_ => Ok(clock.newest()),
	}
}
