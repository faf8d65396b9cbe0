//! `drain`.

use super::{super::arguments::Key, send};
use crate::console::Console;
use assay_agent::calls;
use assay_cli::{operator::command_of, Error};
use assay_protocol::records::operators::Role;

/// Finish what is under way and take nothing new. Do this before going offline.
#[derive(clap::Args)]
pub(crate) struct Drain {
	#[command(flatten)]
	key: Key,
}

impl Drain {
	pub(crate) async fn run(self, role: Role, node: &str, console: &Console) -> Result<(), Error> {
		let group = command_of(role);
		let next = format!(
			"Keep the daemon running until `assay {group} status` shows no work left; `assay {group} ready` undoes it"
		);
		send(node, &self.key, calls::set_draining(role), "Draining", next, console).await
	}
}
