//! `assay job explain`.

use crate::console::Console;
use assay_cli::{
	explain::{self, ReasonText},
	network, Error,
};
use assay_protocol::JobId;

/// Say why a job is where it is, or what a reason code means.
#[derive(clap::Args)]
pub(crate) struct Explain {
	/// A job's number; a reason's code or name, such as 10003 or LostDispute. `code:10` is the reason where job 10 exists too.
	what: String,
}

impl Explain {
	pub(crate) async fn run(self, node: &str, console: &Console) -> Result<(), Error> {
		let reason = explain::reason(&self.what);
		let Ok(job) = self.what.parse::<JobId>() else {
			let reason = reason.ok_or(Error::NotExplainable(self.what))?;
			console.show(&ReasonText::from(reason));
			return Ok(());
		};
		let chain = match (network::connect(node).await, reason) {
			(Ok(chain), _) => chain,
			(Err(_), Some(reason)) => {
				console.show(&ReasonText::from(reason));
				return Ok(());
			}
			(Err(error), None) => return Err(error.into()),
		};
		match (explain::job(&chain, job, |block| console.progress(format!("reading block {block}"))).await, reason) {
			(Ok(explanation), _) => console.show(&explanation),
			(Err(Error::NoSuchJob(_)), Some(reason)) => console.show(&ReasonText::from(reason)),
			(Err(error), _) => return Err(error),
		}
		Ok(())
	}
}
