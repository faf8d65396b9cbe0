//! `assay account`.

mod balance;
mod transfer;

use crate::console::Console;
use assay_cli::Error;

/// Verbs about money.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
	/// Show an account's money.
	Balance(balance::Balance),
	/// Send money.
	Transfer(transfer::Transfer),
}

impl Command {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		match self {
			Self::Balance(command) => command.run(node, console).await,
			Self::Transfer(command) => command.run(node, console).await,
		}
	}
}
