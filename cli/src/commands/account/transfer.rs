//! `assay account transfer`.

use super::super::arguments::{self, Key};
use crate::console::Console;
use assay_agent::{calls, keys::address, Submitter};
use assay_cli::{network, units, Error};
use assay_protocol::Balance;
use serde::Serialize;
use std::fmt;

/// Send money.
#[derive(clap::Args)]
pub(crate) struct Transfer {
	/// Who receives it: an address, @FILE with its key, or a development name such as //Bob.
	to: String,
	/// How much, such as 10 or "250 mUNIT".
	#[arg(value_parser = arguments::amount)]
	amount: Balance,
	#[command(flatten)]
	key: Key,
}

#[derive(Serialize)]
struct Sent {
	from: String,
	to: String,
	/// Text of the smallest unit.
	amount: String,
	block: u64,
	#[serde(skip)]
	units: String,
}

impl Transfer {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		let to = arguments::account(&self.to)?;
		let keypair = self.key.load()?;
		let from = keypair.address();
		let submitter = Submitter::new(network::connect(node).await?, keypair);
		console.progress("waiting for finality");
		let done = submitter.submit(calls::transfer(to, self.amount)).await?;
		console.show(&Sent {
			from,
			to: address(&to),
			amount: self.amount.to_string(),
			block: done.number,
			units: units::amount(self.amount),
		});
		Ok(())
	}
}

impl fmt::Display for Sent {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{} from {} to {} in block {}", self.units, self.from, self.to, self.block)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::documented::assert_documented;

	#[test]
	fn the_fields_are_documented() {
		let text = || String::from("text");
		let sent = Sent { from: text(), to: text(), amount: text(), block: 0, units: text() };
		assert_documented("account transfer", &sent);
	}
}
