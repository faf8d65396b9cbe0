//! Every finalised block once, in order.
//!
//! Subscriptions lose blocks when a connection breaks, so the follower asks for the newest finalised number and fills in
//! what it has not seen. Between the cursor and the newest block nothing is skipped.

use crate::{Chain, ChainError, Snapshot};
use std::time::Duration;

/// How often the newest finalised block is asked for.
const POLL: Duration = Duration::from_millis(300);

/// Walks finalised blocks.
pub struct Follower {
	chain: Chain,
	next: u64,
}

impl Follower {
	/// Starts at block `next`.
	pub fn new(chain: Chain, next: u64) -> Self {
		Self { chain, next }
	}

	/// Waits for the next finalised block and returns its state. A broken connection is waited out.
	pub async fn next(&mut self) -> Snapshot {
		loop {
			match self.try_next().await {
				Ok(Some(snapshot)) => return snapshot,
				Ok(None) => {}
				Err(error) => tracing::debug!(%error, "waiting for the node"),
			}
			tokio::time::sleep(POLL).await;
		}
	}

	/// Waits for a finalised block at or after the cursor and returns the newest, for handlers driven by state alone.
	pub async fn newest(&mut self) -> Snapshot {
		loop {
			match self.chain.finalized().await {
				Ok(snapshot) if snapshot.number() >= self.next => {
					self.next = snapshot.number() + 1;
					return snapshot;
				}
				Ok(_) => {}
				Err(error) => tracing::debug!(%error, "waiting for the node"),
			}
			tokio::time::sleep(POLL).await;
		}
	}

	async fn try_next(&mut self) -> Result<Option<Snapshot>, ChainError> {
		let newest = self.chain.finalized().await?;
		if newest.number() < self.next {
			return Ok(None);
		}
		let snapshot = if newest.number() == self.next { newest } else { self.chain.at(self.next).await? };
		self.next += 1;
		Ok(Some(snapshot))
	}
}
