//! `check`.

use crate::console::Console;
use assay_cli::{
	conformance::{self, Outcome},
	network, Error,
};
use serde::Serialize;
use std::fmt;

/// Check that this machine computes the right bits and reaches its node. Do this first, and after every change of hardware.
#[derive(clap::Args)]
pub(crate) struct Check {}

#[derive(Serialize)]
struct Checked {
	conforms: bool,
	outcomes: Vec<Outcome>,
	/// Newest finalised block; absent when no node answers.
	block: Option<u64>,
	node: String,
}

impl Check {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		console.progress("computing");
		let outcomes = tokio::task::spawn_blocking(conformance::check).await.map_err(|_| Error::Interrupted)?;
		let conforms = outcomes.iter().all(|outcome| outcome.conforms);
		let (block, node) = match network::connect(node).await {
			Ok(chain) => (Some(chain.finalized().await?.number()), format!("answers at {}", chain.url())),
			Err(error) => (None, error.to_string()),
		};
		console.show(&Checked { conforms, outcomes, block, node });
		match conforms {
			true => Ok(()),
			false => Err(Error::NotConforming),
		}
	}
}

impl fmt::Display for Checked {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		for outcome in &self.outcomes {
			let word = if outcome.conforms { "pass" } else { "FAIL" };
			let what = outcome.error.clone().or(outcome.root.clone()).unwrap_or_default();
			writeln!(f, "{word}  {:<9} {} threads, {:<19} {what}", outcome.path, outcome.threads, outcome.run)?;
		}
		match self.block {
			Some(block) => write!(f, "pass  node      {}, block {block}", self.node),
			None => write!(f, "warn  node      {}", self.node),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::documented::assert_documented;

	#[test]
	fn the_fields_are_documented() {
		let checked = Checked { conforms: true, outcomes: Vec::new(), block: None, node: String::new() };
		assert_documented("check", &checked);
	}
}
