//! `assay account`.

mod balance;
mod new;
mod transfer;

use crate::console::Console;
use assay_cli::Error;

/// Verbs about keys and money.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
	/// Make a key in a file.
	New(new::New),
	/// Show an account's money.
	Balance(balance::Balance),
	/// Send money.
	Transfer(transfer::Transfer),
}

impl Command {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		match self {
			Self::New(command) => command.run(console),
			Self::Balance(command) => command.run(node, console).await,
			Self::Transfer(command) => command.run(node, console).await,
		}
	}
}
