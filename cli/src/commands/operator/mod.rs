//! `assay provider` and `assay verifier`: the same verbs for both roles, and a daemon each.

mod bond;
mod check;
mod devices;
mod drain;
#[cfg(feature = "operators")]
mod provider_run;
mod ready;
#[cfg(feature = "operators")]
mod registered;
mod status;
mod unbond;
#[cfg(feature = "operators")]
mod verifier_run;
mod withdraw;

use super::transact;
use crate::console::Console;
use assay_agent::chain::Call;
use assay_cli::Error;
use assay_protocol::records::operators::Role;
use serde::Serialize;
use std::fmt;

/// Verbs of every operator.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
	/// Check that this machine computes the right bits and reaches its node.
	Check(check::Check),
	/// List what jobs can be computed on, and why a device cannot be used.
	Devices(devices::Devices),
	/// Show bond, earnings, missed work, and why.
	Status(status::Status),
	/// Add to the bond.
	Bond(bond::Bond),
	/// Finish what is under way and take nothing new. Do this before going offline.
	Drain(drain::Drain),
	/// Take work again after draining, absence or jail.
	Ready(ready::Ready),
	/// Ask for bond back.
	Unbond(unbond::Unbond),
	/// Take out what has finished unbonding.
	Withdraw(withdraw::Withdraw),
}

/// Verbs of a worker.
#[derive(clap::Subcommand)]
pub(crate) enum ProviderCommand {
	/// Run the worker: register, bid, execute, prove. Ends at Ctrl-C; a restart continues where it stopped.
	#[cfg(feature = "operators")]
	Run(Box<provider_run::Run>),
	#[command(flatten)]
	Any(Command),
}

/// Verbs of a verifier.
#[derive(clap::Subcommand)]
pub(crate) enum VerifierCommand {
	/// Run the verifier: register, re-execute, dispute. Ends at Ctrl-C; a restart continues where it stopped.
	#[cfg(feature = "operators")]
	Run(Box<verifier_run::Run>),
	#[command(flatten)]
	Any(Command),
}

impl ProviderCommand {
	pub(crate) fn is_daemon(&self) -> bool {
		!matches!(self, Self::Any(_))
	}

	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		match self {
			#[cfg(feature = "operators")]
			Self::Run(command) => command.run(node, console).await,
			Self::Any(command) => command.run(Role::Worker, node, console).await,
		}
	}
}

impl VerifierCommand {
	pub(crate) fn is_daemon(&self) -> bool {
		!matches!(self, Self::Any(_))
	}

	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		match self {
			#[cfg(feature = "operators")]
			Self::Run(command) => command.run(node, console).await,
			Self::Any(command) => command.run(Role::Verifier, node, console).await,
		}
	}
}

impl Command {
	async fn run(self, role: Role, node: &str, console: &Console) -> Result<(), Error> {
		match self {
			Self::Check(command) => command.run(node, console).await,
			Self::Devices(command) => command.run(console).await,
			Self::Status(command) => command.run(role, node, console).await,
			Self::Bond(command) => command.run(role, node, console).await,
			Self::Drain(command) => command.run(role, node, console).await,
			Self::Ready(command) => command.run(role, node, console).await,
			Self::Unbond(command) => command.run(role, node, console).await,
			Self::Withdraw(command) => command.run(role, node, console).await,
		}
	}
}

/// What a transaction did.
#[derive(Serialize)]
struct Done {
	account: String,
	action: &'static str,
	block: u64,
	next: String,
}

impl fmt::Display for Done {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{} of {} is final in block {}. {}", self.action, self.account, self.block, self.next)
	}
}

/// Sends one call of an operator and shows its effect.
async fn send(
	node: &str,
	key: &super::arguments::Key,
	call: Call,
	action: &'static str,
	next: impl Into<String>,
	console: &Console,
) -> Result<(), Error> {
	let transact::Done { account, block } = transact::transact(node, key, call, console).await?;
	console.show(&Done { account, action, block, next: next.into() });
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::documented::assert_documented;

	#[test]
	fn the_fields_are_documented() {
		let done = Done { account: String::new(), action: "Bonding", block: 0, next: String::new() };
		assert_documented("bond", &done);
	}
}
