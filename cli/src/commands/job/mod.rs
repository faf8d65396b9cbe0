//! `assay job`.

mod check;
mod destination;
mod end;
mod explain;
mod fetch;
mod list;
mod receipt;
mod run;
mod submit;
mod watch;
mod written;

use crate::console::Console;
use assay_cli::Error;

/// Verbs of a client.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
	/// Show what a job file costs, how safe it is and who could take it. Signs nothing.
	Check(check::Check),
	/// Run a job file on this machine, without a chain.
	Run(run::Run),
	/// Post a job, serve its data, and follow it to its end.
	Submit(submit::Submit),
	/// Follow a job live.
	Watch(watch::Watch),
	/// Say why a job is where it is, or what a reason code means.
	Explain(explain::Explain),
	/// Make the receipt of a closed job, or check one.
	Receipt(receipt::Receipt),
	/// Download the weights of the last verified milestone.
	Fetch(fetch::Fetch),
	/// Take a job back.
	Cancel(end::Cancel),
	/// Close a job whose deadline has passed.
	Expire(end::Expire),
	/// List the jobs that the chain keeps.
	List(list::List),
}

impl Command {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		match self {
			Self::Check(command) => command.run(node, console).await,
			Self::Run(command) => command.run(console),
			Self::Submit(command) => command.run(node, console).await,
			Self::Watch(command) => command.run(node, console).await,
			Self::Explain(command) => command.run(node, console).await,
			Self::Receipt(command) => command.run(node, console).await,
			Self::Fetch(command) => command.run(node, console).await,
			Self::Cancel(command) => command.run(node, console).await,
			Self::Expire(command) => command.run(node, console).await,
			Self::List(command) => command.run(node, console).await,
		}
	}
}
