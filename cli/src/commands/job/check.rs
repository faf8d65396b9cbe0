//! `assay job check`.

use super::super::arguments;
use crate::console::Console;
use assay_cli::{estimate::Estimate, job_file::Draft, network, timing::Time, Error};
use assay_protocol::parameters::Parameters;
use std::path::PathBuf;

/// Show what a job file costs, how safe it is and who could take it. Signs nothing.
#[derive(clap::Args)]
pub(crate) struct Check {
	/// The job file.
	file: PathBuf,
	/// Account that would pay, to be left out of the workers.
	#[arg(long, value_name = "ACCOUNT")]
	client: Option<String>,
	/// Do not ask a node; assume the parameters of a development chain.
	#[arg(long)]
	offline: bool,
}

impl Check {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		let client = self.client.as_deref().map(arguments::account).transpose()?;
		console.progress("building the program");
		let draft = Draft::load(&self.file)?;
		let chain = match self.offline {
			true => None,
			false => network::connect(node)
				.await
				.map_err(|error| console.note(format!("{error}; going on without one")))
				.ok(),
		};
		let mut estimate = match chain {
			None => estimate(&draft, &Parameters::development(), console)?,
			Some(chain) => {
				let snapshot = chain.finalized().await?;
				let mut estimate = estimate(&draft, &snapshot.parameters().await?, console)?;
				estimate.ask(&draft, client.as_ref(), &snapshot).await?;
				estimate
			}
		};
		estimate.node = (!self.offline).then(|| node.into());
		console.show(&estimate);
		Ok(())
	}
}

fn estimate(draft: &Draft, parameters: &Parameters, console: &Console) -> Result<Estimate, Error> {
	let mut estimate = Estimate::of(draft, parameters)?;
	console.progress("measuring this machine");
	estimate.take(Time::here(draft, parameters)?);
	Ok(estimate)
}
