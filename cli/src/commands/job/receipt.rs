//! `assay job receipt`.

use crate::console::Console;
use assay_cli::{network, receipt, Error};
use assay_protocol::JobId;
use serde::Serialize;
use std::{fmt, path::PathBuf};

/// Make the receipt of a closed job, or check one against the chain.
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["job", "verify"])))]
pub(crate) struct Receipt {
	/// The job.
	job: Option<JobId>,
	/// Also write the receipt to this file, as JSON.
	#[arg(long, value_name = "FILE", conflicts_with = "verify")]
	save: Option<PathBuf>,
	/// Check the receipt in this file against the chain instead.
	#[arg(long, value_name = "FILE")]
	verify: Option<PathBuf>,
}

#[derive(Serialize)]
struct Checked {
	job: JobId,
	verified: bool,
	genesis: String,
}

impl Receipt {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		let progress = |block| console.progress(format!("reading block {block}"));
		if let Some(path) = self.verify {
			let receipt = receipt::Receipt::read(&path)?;
			receipt.verify(&network::connect(node).await?, progress).await?;
			console.show(&Checked { job: receipt.job, verified: true, genesis: receipt.genesis });
			return Ok(());
		}
		let Some(job) = self.job else { return Ok(()) };
		let receipt = receipt::Receipt::of(&network::connect(node).await?, job, progress).await?;
		if let Some(path) = self.save {
			let text = serde_json::to_string_pretty(&receipt).unwrap_or_default();
			std::fs::write(&path, text).map_err(|source| Error::Io {
				what: "write",
				path: path.display().to_string(),
				source,
			})?;
			console.note(format!("saved; anyone can check it with `assay job receipt --verify {}`", path.display()));
		}
		console.show(&receipt);
		Ok(())
	}
}

impl fmt::Display for Checked {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "every field of the receipt of job {} is what chain {} says", self.job, self.genesis)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::documented::assert_documented;

	#[test]
	fn the_fields_are_documented() {
		assert_documented("job receipt --verify", &Checked { job: 0, verified: true, genesis: String::new() });
	}
}
