//! Who gained and lost what between two blocks, to the last unit.

use anyhow::Result;
use assay_agent::{keys::Account, Chain, Snapshot};
use assay_protocol::interfaces::{SlashSplit, VerifierFault};
use assay_protocol::JobId;
use std::collections::HashMap;

/// Money of accounts at one block, free and on hold together.
#[derive(Clone, Debug, Default)]
pub struct Balances {
	/// The block.
	pub block: u64,
	totals: HashMap<Account, u128>,
}

impl Balances {
	/// Of these accounts.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn at(snapshot: &Snapshot, accounts: &[Account]) -> Result<Self> {
		let mut totals = HashMap::new();
		for account in accounts {
			let (free, held) = snapshot.balance(account).await?;
			totals.insert(*account, free + held);
		}
		Ok(Self { block: snapshot.number(), totals })
	}

	/// Of one account; 0 for one that was not asked about.
	pub fn of(&self, account: &Account) -> u128 {
		self.totals.get(account).copied().unwrap_or(0)
	}

	/// How an account changed until `later`.
	pub fn change(&self, later: &Self, account: &Account) -> i128 {
		later.of(account) as i128 - self.of(account) as i128
	}
}

/// What left accounts other than through jobs' escrow.
#[derive(Clone, Debug, Default)]
pub struct Costs {
	/// Transaction fees of each account.
	pub fees: HashMap<Account, u128>,
	/// Slashes of workers: who, over which job, where it went.
	pub workers: Vec<(Account, JobId, SlashSplit)>,
	/// Slashes of verifiers: who, for what, where it went.
	pub verifiers: Vec<(Account, VerifierFault, SlashSplit)>,
}

impl Costs {
	/// Reads the events of blocks `from + 1` to `to`.
	///
	/// # Errors
	/// When the node does not answer.
	pub async fn between(chain: &Chain, from: u64, to: u64) -> Result<Self> {
		let mut costs = Self::default();
		for block in from + 1..=to {
			for event in chain.at(block).await?.events().await? {
				match (event.pallet.as_str(), event.name.as_str()) {
					("TransactionPayment", "TransactionFeePaid") => {
						let (who, fee, _): (Account, u128, u128) = event.decode()?;
						*costs.fees.entry(who).or_default() += fee;
					}
					("Operators", "WorkerSlashed") => costs.workers.push(event.decode()?),
					("Operators", "VerifierSlashed") => costs.verifiers.push(event.decode()?),
					_ => {}
				}
			}
		}
		Ok(costs)
	}

	/// Transaction fees of one account.
	pub fn fee(&self, account: &Account) -> u128 {
		self.fees.get(account).copied().unwrap_or(0)
	}

	/// What an account lost in slashes.
	pub fn slashed(&self, account: &Account) -> u128 {
		let workers = self.workers.iter().filter(|(who, _, _)| who == account).map(|(_, _, split)| total(split));
		let verifiers = self.verifiers.iter().filter(|(who, _, _)| who == account).map(|(_, _, split)| total(split));
		workers.chain(verifiers).sum()
	}
}

/// All that a slash took.
pub const fn total(split: &SlashSplit) -> u128 {
	split.client + split.challenger + split.burned
}
