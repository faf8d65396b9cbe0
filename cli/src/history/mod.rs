//! What happened to a job, as the chain's events tell it: what can happen, what the events of each pallet say, and both as text.

mod disputes;
mod happening;
mod market;
mod text;
mod verification;

pub use disputes::DisputeEnded;
pub use happening::{DrawnSegment, Entry, Happening, Why};

use crate::{clock, Error};
use assay_agent::{
	chain::ChainEvent,
	keys::{address, Account},
	Chain, ChainError, Snapshot,
};
use assay_protocol::{interfaces::SlashSplit, JobId};
use std::collections::HashSet;

/// Reads the events of one job, block after block.
#[derive(Clone, Debug)]
pub struct Reader {
	job: JobId,
	/// Disputes of the job seen so far: their later events do not name the job.
	disputes: HashSet<u64>,
}

impl Reader {
	/// For one job. Start at or before the block that posted it.
	pub fn new(job: JobId) -> Self {
		Self { job, disputes: HashSet::new() }
	}

	/// What happened to the job in this block, in order.
	///
	/// # Errors
	/// [`Error::BlockGone`] when the node does not keep the block; [`Error::Chain`].
	pub async fn read(&mut self, snapshot: &Snapshot) -> Result<Vec<Entry>, Error> {
		let block = snapshot.number();
		let events = snapshot.events().await.map_err(|error| match error {
			ChainError::Read(reason) => Error::BlockGone { block, reason },
			other => Error::Chain(other),
		})?;
		let mut entries = Vec::new();
		let mut paused = None;
		for event in &events {
			if let Some(mut event) = self.happening(event)? {
				if let Some(until) = event.until() {
					// The chain counts by a clock without pauses.
					let paused = match paused {
						Some(paused) => paused,
						None => *paused.insert(clock::paused(snapshot).await?),
					};
					*until = until.saturating_add(paused);
				}
				if let Happening::DisputeMoved { dispute, at, .. } = &mut event {
					*at = snapshot
						.dispute(*dispute)
						.await?
						.map(|record| disputes::describe(&record.state.phase))
						.unwrap_or_default();
				}
				entries.push(Entry { block, event });
			}
		}
		Ok(entries)
	}

	/// What the event says about the job; `None` if it is about something else. What is due is by the chain's clock, which leaves out
	/// pauses.
	///
	/// # Errors
	/// [`ChainError::Decode`] when the chain is of another version.
	pub fn happening(&mut self, event: &ChainEvent) -> Result<Option<Happening>, ChainError> {
		match event.pallet.as_str() {
			"Market" if event.name != "ParametersSet" && self.is_mine(event)? => market::happening(event),
			"Verification" if self.is_mine(event)? => verification::happening(event),
			"Disputes" => self.dispute(event),
			"Operators" if event.name == "WorkerSlashed" => {
				let (who, job, split): (Account, JobId, SlashSplit) = event.decode()?;
				Ok((job == self.job).then(|| Happening::WorkerSlashed {
					worker: address(&who),
					to_client: split.client,
					to_challenger: split.challenger,
					burned: split.burned,
				}))
			}
			_ => Ok(None),
		}
	}

	/// Whether the event's first field, a job, is this one.
	fn is_mine(&self, event: &ChainEvent) -> Result<bool, ChainError> {
		let first: Option<[u8; 8]> = event.fields.get(..8).and_then(|bytes| bytes.try_into().ok());
		let job = first.ok_or_else(|| ChainError::Decode { what: format!("event {}.{}", event.pallet, event.name) })?;
		Ok(u64::from_le_bytes(job) == self.job)
	}
}

/// Every event of a job from block `from` to block `to`. `progress` is called with each block's number.
///
/// # Errors
/// [`Error::BlockGone`], [`Error::Chain`].
pub async fn scan(
	chain: &Chain,
	job: JobId,
	from: u64,
	to: u64,
	mut progress: impl FnMut(u64),
) -> Result<Vec<Entry>, Error> {
	let mut reader = Reader::new(job);
	let mut entries = Vec::new();
	for block in from..=to {
		let snapshot = chain.at(block).await.map_err(|error| match error {
			ChainError::Read(reason) => Error::BlockGone { block, reason },
			other => Error::Chain(other),
		})?;
		entries.extend(reader.read(&snapshot).await?);
		progress(block);
	}
	Ok(entries)
}
