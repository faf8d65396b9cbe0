//! `assay job watch`.

use super::super::arguments::interrupted;
use crate::console::Console;
use assay_cli::{clock::Clock, network, watch, Error};
use assay_protocol::JobId;

/// Follow a job live: auction, lease, milestones, checks, disputes, payments, closing.
#[derive(clap::Args)]
pub(crate) struct Watch {
	/// The job.
	job: JobId,
}

impl Watch {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		let chain = network::connect(node).await?;
		let snapshot = chain.finalized().await?;
		let record = watch::job(&snapshot, self.job).await?;
		let from = watch::first_block(&record, &Clock::read(&chain, &snapshot).await?).await?;
		let mut watch = watch::Watch::new(chain, self.job, from);
		loop {
			let step = tokio::select! {
				step = watch.next() => step?,
				() = interrupted() => {
					console.note(format!("the job goes on; see it again with `assay job watch {}`", self.job));
					return Ok(());
				},
			};
			let Some((snapshot, entries)) = step else { break };
			entries.iter().for_each(|entry| console.show(entry));
			console.progress(format!("block {}", snapshot.number()));
		}
		console.note(format!(
			"see `assay job receipt {0}`, `assay job explain {0}`, `assay job fetch {0} --out FOLDER`",
			self.job
		));
		Ok(())
	}
}
