//! One signed call, awaited until it is final.

use super::arguments::Key;
use crate::console::Console;
use assay_agent::{chain::Call, Submitter};
use assay_cli::{network, Error};

/// A call that is final.
pub(super) struct Done {
	/// Who signed it.
	pub(super) account: String,
	/// Its block.
	pub(super) block: u64,
}

/// Signs `call` with `key` and waits until it is final.
pub(super) async fn transact(node: &str, key: &Key, call: Call, console: &Console) -> Result<Done, Error> {
	let keypair = key.load()?;
	let account = keypair.address();
	let submitter = Submitter::new(network::connect(node).await?, keypair);
	console.progress("waiting for finality");
	let done = submitter.submit(call).await?;
	Ok(Done { account, block: done.number })
}
