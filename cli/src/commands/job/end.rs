//! `assay job cancel` and `assay job expire`.

use super::super::{
	arguments::Key,
	transact::{transact, Done},
};
use crate::console::Console;
use assay_agent::{calls, chain::Call};
use assay_cli::Error;
use assay_protocol::JobId;
use serde::Serialize;
use std::fmt;

/// Take a job back. Before a worker has it, the order's deposit burns; later the milestone in progress is paid. The rest of the
/// money returns.
#[derive(clap::Args)]
pub(crate) struct Cancel {
	/// The job.
	job: JobId,
	#[command(flatten)]
	key: Key,
}

/// Close a job whose deadline has passed: verified milestones were paid, the rest of the money returns to its client. Anyone
/// may; workers do it on their own after a while.
#[derive(clap::Args)]
pub(crate) struct Expire {
	/// The job.
	job: JobId,
	#[command(flatten)]
	key: Key,
}

#[derive(Serialize)]
struct Ended {
	job: JobId,
	account: String,
	action: &'static str,
	block: u64,
}

impl Cancel {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		send(node, &self.key, self.job, calls::cancel_job(self.job), "cancelled", console).await
	}
}

impl Expire {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		send(node, &self.key, self.job, calls::expire(self.job), "closed", console).await
	}
}

async fn send(
	node: &str,
	key: &Key,
	job: JobId,
	call: Call,
	action: &'static str,
	console: &Console,
) -> Result<(), Error> {
	let Done { account, block } = transact(node, key, call, console).await?;
	console.show(&Ended { job, account, action, block });
	Ok(())
}

impl fmt::Display for Ended {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Self { job, action, block, .. } = self;
		let first =
			if *action == "cancelled" { "; milestones that are committed are decided and paid first" } else { "" };
		write!(f, "Job {job} is {action}, final in block {block}{first}. `assay job receipt {job}` shows who got what")
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::documented::assert_documented;

	#[test]
	fn the_fields_are_documented() {
		assert_documented("job cancel", &Ended { job: 0, account: String::new(), action: "cancelled", block: 0 });
	}
}
