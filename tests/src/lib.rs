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
pub mod results;

use anyhow::{bail, Result};
use std::{future::Future, path::PathBuf, time::Duration};

/// How often a state is looked at again.
const POLL: Duration = Duration::from_millis(200);

/// A new folder for one test's data and logs. The test removes it at its end, so that a failed test leaves it to be read.
///
/// # Errors
/// When it cannot be made.
pub fn folder(test: &str) -> Result<PathBuf> {
	let folder = tempfile::Builder::new().prefix(&format!("assay-{test}-")).tempdir()?.keep();
	println!("data and logs: {}", folder.display());
	Ok(folder)
}

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
