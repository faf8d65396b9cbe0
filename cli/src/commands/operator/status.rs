//! `status`.

use super::super::arguments;
use crate::console::Console;
use assay_cli::{network, operator, Error};
use assay_protocol::records::operators::Role;

/// Show bond, earnings, missed work, and why.
#[derive(clap::Args)]
pub(crate) struct Status {
	/// The operator: an address, @FILE with its key, or a development name such as //Alice.
	account: String,
	/// Blocks to look back for missed work and paid checks.
	#[arg(long, default_value_t = 300)]
	blocks: u64,
}

impl Status {
	pub(crate) async fn run(self, role: Role, node: &str, console: &Console) -> Result<(), Error> {
		let who = arguments::account(&self.account)?;
		let chain = network::connect(node).await?;
		let progress = |block| console.progress(format!("reading block {block}"));
		console.show(&operator::standing(&chain, role, &who, self.blocks, progress).await?);
		Ok(())
	}
}
