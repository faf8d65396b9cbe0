//! Commands, grouped by who uses them: one file per verb.

mod account;
mod arguments;
mod job;
mod operator;
mod transact;

use crate::console::Console;
use assay_cli::Error;
use clap::Subcommand;

/// Who are you?
#[derive(Subcommand)]
pub(crate) enum Command {
	/// Clients: check, post, follow and fetch jobs.
	#[command(subcommand)]
	Job(job::Command),
	/// Keys and money.
	#[command(subcommand)]
	Account(account::Command),
	/// Workers: run jobs for money.
	#[command(subcommand)]
	Provider(operator::ProviderCommand),
	/// Verifiers: check the work of others for money.
	#[command(subcommand)]
	Verifier(operator::VerifierCommand),
}

impl Command {
	/// Whether it runs until it is stopped and tells by its log.
	pub(crate) fn is_daemon(&self) -> bool {
		match self {
			Self::Provider(command) => command.is_daemon(),
			Self::Verifier(command) => command.is_daemon(),
			_ => false,
		}
	}

	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		match self {
			Self::Job(command) => command.run(node, console).await,
			Self::Account(command) => command.run(node, console).await,
			Self::Provider(command) => command.run(node, console).await,
			Self::Verifier(command) => command.run(node, console).await,
		}
	}
}
