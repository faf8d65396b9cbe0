//! `assay account balance`.

use super::super::arguments;
use crate::console::Console;
use assay_agent::keys::address;
use assay_cli::{network, units::amount, Error};
use serde::Serialize;
use std::fmt;

/// Show an account's money.
#[derive(clap::Args)]
pub(crate) struct Balance {
	/// The account: an address, @FILE with its key, or a development name such as //Alice.
	account: String,
}

#[derive(Serialize)]
struct Money {
	account: String,
	block: u64,
	/// Text of the smallest unit, as is the next.
	free: String,
	held: String,
	#[serde(skip)]
	text: String,
}

impl Balance {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		let account = arguments::account(&self.account)?;
		let snapshot = network::connect(node).await?.finalized().await?;
		let (free, held) = snapshot.balance(&account).await?;
		console.show(&Money {
			account: address(&account),
			block: snapshot.number(),
			free: free.to_string(),
			held: held.to_string(),
			text: format!("{} free, {} on hold", amount(free), amount(held)),
		});
		Ok(())
	}
}

impl fmt::Display for Money {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{} at block {}: {}", self.account, self.block, self.text)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::documented::assert_documented;

	#[test]
	fn the_fields_are_documented() {
		let text = || String::from("text");
		let money = Money { account: text(), block: 0, free: text(), held: text(), text: text() };
		assert_documented("account balance", &money);
	}
}
