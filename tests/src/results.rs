//! Jobs that build on the results of others.

use crate::client::{expected_root, Client};
use anyhow::{ensure, Context, Result};
use assay_cli::job_file::Draft;
use assay_protocol::Reason;
use std::{
	path::{Path, PathBuf},
	time::Duration,
};

const LIMIT: Duration = Duration::from_secs(240);
const VERIFY: &str =
	"verify: {milestones: 1, segments: 2, insured_value: 1, fee: 0.1}\noffer: {max: 10, deadline: 1800}\n";

/// Writes a job file under `folder`, with the terms of a small job, and makes it ready.
///
/// # Errors
/// When the file cannot be written or is refused.
pub fn draft(folder: &Path, name: &str, text: &str) -> Result<Draft> {
	let path = folder.join(name);
	std::fs::write(&path, format!("{text}{VERIFY}"))?;
	Ok(Draft::load(&path)?)
}

/// Posts the job, follows it to its end, fetches its result, and writes it in the form that other programs read.
///
/// # Errors
/// When the job is not completed with the result of its program and without a dispute.
pub async fn done(client: &Client, draft: &Draft, folder: &Path) -> Result<PathBuf> {
	let posted = client.post(draft).await?;
	let closed = client.follow(&posted, LIMIT, |_, _| Ok(())).await?;
	ensure!(closed.closing().map(|closing| closing.reason) == Some(Reason::Completed), "{:?}", closed.closing());
	ensure!(closed.job.verified.root == expected_root(draft)?, "the result is not that of the program");
	ensure!(closed.rulings.is_empty(), "a dispute between honest parties: {:?}", closed.rulings);
	let (engine, state) = client.result(draft, closed.id).await?;
	std::fs::create_dir_all(folder)?;
	let written = draft.outcome.write(&engine, &state, folder).map_err(anyhow::Error::msg)?;
	written.context("a result for other programs")
}
