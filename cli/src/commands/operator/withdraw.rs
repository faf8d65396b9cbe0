//! `withdraw`.

use super::{super::arguments::Key, send};
use crate::console::Console;
use assay_agent::calls;
use assay_cli::Error;
use assay_protocol::records::operators::Role;

/// Take out what has finished unbonding.
#[derive(clap::Args)]
pub(crate) struct Withdraw {
	#[command(flatten)]
	key: Key,
}

impl Withdraw {
	pub(crate) async fn run(self, role: Role, node: &str, console: &Console) -> Result<(), Error> {
		let next = "`assay account balance` shows the money";
		send(node, &self.key, calls::withdraw(role), "Withdrawal", next, console).await
	}
}
