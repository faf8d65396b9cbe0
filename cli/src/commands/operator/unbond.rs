//! `unbond`.

use super::{super::arguments::Key, send};
use crate::console::Console;
use assay_agent::calls;
use assay_cli::{network, operator::command_of, Error};
use assay_protocol::{records::operators::Role, Balance};

/// Ask for bond back.
#[derive(clap::Args)]
pub(crate) struct Unbond {
	/// How much, such as 100; or `all`, to leave.
	amount: String,
	#[command(flatten)]
	key: Key,
}

impl Unbond {
	pub(crate) async fn run(self, role: Role, node: &str, console: &Console) -> Result<(), Error> {
		let keypair = self.key.load()?;
		let amount: Balance = match self.amount.as_str() {
			"all" => {
				let snapshot = network::connect(node).await?.finalized().await?;
				let operator = snapshot.operator(role, &keypair.account()).await?;
				operator.map(|operator| operator.bond).ok_or_else(|| Error::NotRegistered {
					who: keypair.address(),
					role: if role == Role::Worker { "worker" } else { "verifier" },
					command: command_of(role),
				})?
			}
			text => assay_cli::units::parse_amount(text)?,
		};
		let next = format!("`assay {0} status` shows from when `assay {0} withdraw` pays it out", command_of(role));
		send(node, &self.key, calls::unbond(role, amount), "Unbonding", next, console).await
	}
}
