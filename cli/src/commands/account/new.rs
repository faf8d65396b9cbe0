//! `assay account new`.

use crate::console::Console;
use assay_cli::{keys, Error};
use serde::Serialize;
use std::{fmt, path::PathBuf};

/// Make a key in a file that only you can read, and show its address. Whoever has the file has the money: keep a copy.
#[derive(clap::Args)]
pub(crate) struct New {
	/// File to write, which must not exist [default: ~/.config/assay/account.key].
	#[arg(long, value_name = "FILE")]
	out: Option<PathBuf>,
	/// Also show the secret phrase, to write it down.
	#[arg(long)]
	show_mnemonic: bool,
}

#[derive(Serialize)]
struct Made {
	account: String,
	key_file: String,
	/// Only where it was asked for.
	#[serde(skip_serializing_if = "Option::is_none")]
	mnemonic: Option<String>,
}

impl New {
	pub(crate) fn run(self, console: &Console) -> Result<(), Error> {
		let path = self.out.unwrap_or_else(keys::default_path);
		let made = keys::create(&path)?;
		console.show(&Made {
			account: made.keypair.address(),
			key_file: path.display().to_string(),
			mnemonic: self.show_mnemonic.then_some(made.phrase),
		});
		console.note(format!(
			"sign with --key @{}; keep a copy of the file: without it the money is lost",
			path.display()
		));
		Ok(())
	}
}

impl fmt::Display for Made {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "Account   {}\nKey file  {}", self.account, self.key_file)?;
		match &self.mnemonic {
			Some(phrase) => write!(f, "\nPhrase    {phrase}"),
			None => Ok(()),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::documented::assert_documented;

	#[test]
	fn the_fields_are_documented() {
		let text = || String::from("text");
		let made = Made { account: text(), key_file: text(), mnemonic: Some(text()) };
		assert_documented("account new", &made);
	}
}
