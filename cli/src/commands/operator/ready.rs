//! `ready`.

use super::{super::arguments::Key, send};
use crate::console::Console;
use assay_agent::calls;
use assay_cli::Error;
use assay_protocol::records::operators::Role;

/// Take work again after draining, absence or jail.
#[derive(clap::Args)]
pub(crate) struct Ready {
	#[command(flatten)]
	key: Key,
}

impl Ready {
	pub(crate) async fn run(self, role: Role, node: &str, console: &Console) -> Result<(), Error> {
		send(node, &self.key, calls::set_ready(role), "Readiness", "Keep the daemon running", console).await
	}
}
