//! Real networks of separate processes on one machine, for end-to-end tests and the demo.
//!
//! - [`process`]: a child process with a log, killed when dropped, `kill -9` on demand;
//! - [`network`]: a node, workers and verifiers, each with its own folder;
//! - [`client`]: posts jobs, follows them block by block, evaluates results;
//! - [`ledger`]: who gained and lost what, to the last unit;
//! - [`jobs`]: job files for tests.

pub mod client;
pub mod jobs;
pub mod ledger;
pub mod network;
pub mod process;

use anyhow::{bail, Result};
use std::{future::Future, time::Duration};

/// How often a state is looked at again.
const POLL: Duration = Duration::from_millis(200);

/// Looks until `look` finds something; an error names `what` after `limit`.
///
/// # Errors
/// Those of `look`, and the passing of `limit`.
pub async fn until<T, F>(limit: Duration, what: &str, mut look: impl FnMut() -> F) -> Result<T>
where
	F: Future<Output = Result<Option<T>>>,
{
	let end = tokio::time::Instant::now() + limit;
	loop {
		if let Some(found) = look().await? {
			return Ok(found);
		}
		if tokio::time::Instant::now() > end {
			bail!("{what}: not within {} s", limit.as_secs());
		}
		tokio::time::sleep(POLL).await;
	}
}
