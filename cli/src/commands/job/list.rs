//! `assay job list`.

use crate::console::Console;
use assay_agent::keys::address;
use assay_cli::{network, units::amount, Error};
use assay_protocol::records::market::JobState;
use serde::Serialize;
use std::fmt;

/// List the jobs that the chain keeps.
#[derive(clap::Args)]
pub(crate) struct List {
	/// Only jobs of this client.
	#[arg(long, value_name = "ACCOUNT")]
	client: Option<String>,
}

#[derive(Serialize)]
struct Jobs {
	block: u64,
	jobs: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
	job: u64,
	client: String,
	state: String,
	verified: u32,
	milestones: u32,
	/// Text of the smallest unit.
	paid: String,
	#[serde(skip)]
	paid_units: String,
}

impl List {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		let client = self.client.as_deref().map(super::super::arguments::account).transpose()?;
		let snapshot = network::connect(node).await?.finalized().await?;
		let jobs = snapshot.jobs().await?;
		let rows =
			jobs.into_iter().filter(|(_, job)| client.is_none_or(|client| client == job.client)).map(|(id, job)| {
				let state = match &job.state {
					JobState::Order(order) => format!("auction, {} bids", order.bids.len()),
					JobState::Running(lease) => format!("running at {}", address(&lease.worker)),
					JobState::Closed(closing) => {
						format!("closed: {} ({})", closing.reason.title(), closing.reason.code())
					}
				};
				Row {
					job: id,
					client: address(&job.client),
					state,
					verified: job.verified.milestones,
					milestones: job.milestones,
					paid: job.account.paid.to_string(),
					paid_units: amount(job.account.paid),
				}
			});
		console.show(&Jobs { block: snapshot.number(), jobs: rows.collect() });
		Ok(())
	}
}

impl fmt::Display for Jobs {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{} jobs at block {}", self.jobs.len(), self.block)?;
		for row in &self.jobs {
			write!(
				f,
				"\n{:>6}  {}/{} milestones  {} paid  {}  {}",
				row.job, row.verified, row.milestones, row.paid_units, row.client, row.state
			)?;
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::documented::assert_documented;

	#[test]
	fn the_fields_are_documented() {
		let text = || String::from("text");
		let row =
			Row { job: 0, client: text(), state: text(), verified: 0, milestones: 0, paid: text(), paid_units: text() };
		assert_documented("job list", &Jobs { block: 0, jobs: vec![row] });
	}
}
