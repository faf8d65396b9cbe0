//! `bond`.

use super::{
	super::arguments::{self, Key},
	send,
};
use crate::console::Console;
use assay_agent::calls;
use assay_cli::{operator::command_of, Error};
use assay_protocol::{records::operators::Role, Balance};

/// Add to the bond.
#[derive(clap::Args)]
pub(crate) struct Bond {
	/// How much, such as 100.
	#[arg(value_parser = arguments::amount)]
	amount: Balance,
	#[command(flatten)]
	key: Key,
}

impl Bond {
	pub(crate) async fn run(self, role: Role, node: &str, console: &Console) -> Result<(), Error> {
		let next = format!("`assay {} status` shows the bond now", command_of(role));
		send(node, &self.key, calls::bond_more(role, self.amount), "Bonding", next, console).await
	}
}
