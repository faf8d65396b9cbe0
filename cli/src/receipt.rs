//! Receipts: what a closed job did and who got what, each field checkable against the chain.

use crate::{
	clock::Clock,
	history::{scan, Happening},
	units::amount,
	watch, Error,
};
use assay_agent::{keys::address, Chain};
use assay_protocol::{records::market::JobState, Balance, JobId};
use codec::Encode;
use serde::{Deserialize, Serialize};
use std::{fmt, path::Path};

/// Version of the receipt's fields.
pub const VERSION: u32 = 1;

/// A closed job. Hashes are hexadecimal, amounts text of the smallest unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
	/// Version of these fields.
	pub version: u32,
	/// Names the chain.
	pub genesis: String,
	/// Block that closed the job.
	pub closed_block: u64,
	/// Hash of that block.
	pub closed_block_hash: String,
	/// Block that posted the job.
	pub posted_block: u64,
	/// The job.
	pub job: JobId,
	/// Who paid.
	pub client: String,
	/// BLAKE3 of the encoded specification.
	pub specification: String,
	/// Commitment of the program.
	pub program_root: String,
	/// State root before the first step.
	pub initial_root: String,
	/// State root after the last verified milestone.
	pub result_root: String,
	/// The reason's stable code.
	pub reason_code: u16,
	/// The reason's name.
	pub reason: String,
	/// Milestones of the job.
	pub milestones: u32,
	/// Those verified and paid, in order.
	pub verified: Vec<PaidMilestone>,
	/// Every lease, in order.
	pub leases: Vec<LeaseShare>,
	/// Disputes that were ruled.
	pub disputes: Vec<Ruling>,
	/// Slashes over this job.
	pub slashes: Vec<Slash>,
	/// Every coin.
	pub money: Money,
}

/// A verified milestone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaidMilestone {
	/// Its index.
	pub milestone: u32,
	/// Block that paid it.
	pub block: u64,
	/// State root that it ends in.
	pub state_root: String,
	/// Paid to the worker.
	pub paid: String,
	/// Paid to verifiers.
	pub fees: String,
}

/// A lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaseShare {
	/// Who worked.
	pub worker: String,
	/// Milestones that were verified.
	pub milestones: u32,
	/// Money received.
	pub paid: String,
	/// Code of the reason why it ended; absent where it ended with the job.
	pub ended: Option<u16>,
}

/// A dispute that was ruled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ruling {
	/// Its number.
	pub dispute: u64,
	/// Block of the ruling.
	pub block: u64,
	/// The milestone.
	pub milestone: u32,
	/// The segment.
	pub segment: u32,
	/// worker or verifier.
	pub winner: String,
	/// Code of the reason.
	pub reason: u16,
}

/// A worker's slash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slash {
	/// Who.
	pub worker: String,
	/// Block of the slash.
	pub block: u64,
	/// Given to the client.
	pub to_client: String,
	/// Given to the challenger.
	pub to_challenger: String,
	/// Burned.
	pub burned: String,
}

/// Every coin of the job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
	/// Put on hold at posting.
	pub escrowed: String,
	/// Put on hold later from slashes.
	pub topped_up: String,
	/// Paid to workers.
	pub paid: String,
	/// Paid to verifiers.
	pub fees: String,
	/// Returned to the client.
	pub refunded: String,
	/// Order deposit burned.
	pub deposit_burned: String,
	/// Fees burned for verifiers that were drawn and never heard of.
	pub fees_burned: String,
}

impl Receipt {
	/// Makes the receipt of a closed job from the chain.
	///
	/// # Errors
	/// [`Error::NotClosed`], [`Error::NoSuchJob`], [`Error::BlockGone`], [`Error::Chain`].
	pub async fn of(chain: &Chain, id: JobId, progress: impl FnMut(u64)) -> Result<Self, Error> {
		let snapshot = chain.finalized().await?;
		let job = watch::job(&snapshot, id).await?;
		let spec = watch::spec(&snapshot, id).await?;
		let JobState::Closed(closing) = &job.state else { return Err(Error::NotClosed(id)) };
		let clock = Clock::read(chain, &snapshot).await?;
		let posted_block = watch::first_block(&job, &clock).await?;
		let entries = scan(chain, id, posted_block, watch::last_block(&job, &clock).await?, progress).await?;
		let closed_block = entries.iter().find(|entry| matches!(entry.event, Happening::Closed { .. }));
		let closed_block = closed_block.map(|entry| entry.block).ok_or(Error::NotClosed(id))?;
		let closed = chain.at(closed_block).await?;
		let text = |value: Balance| value.to_string();
		let account = &job.account;
		let mut receipt = Self {
			version: VERSION,
			genesis: hex::encode(chain.genesis()),
			closed_block,
			closed_block_hash: hex::encode(closed.hash()),
			posted_block,
			job: id,
			client: address(&job.client),
			specification: blake3::hash(&spec.encode()).to_hex().to_string(),
			program_root: hex::encode(spec.program.root()),
			initial_root: hex::encode(spec.initial_root),
			result_root: hex::encode(job.verified.root),
			reason_code: closing.reason.code(),
			reason: closing.reason.name().into(),
			milestones: job.milestones,
			verified: Vec::new(),
			leases: job
				.shares
				.iter()
				.map(|share| LeaseShare {
					worker: address(&share.worker),
					milestones: share.milestones,
					paid: text(share.paid),
					ended: share.ended.map(|reason| reason.code()),
				})
				.collect(),
			disputes: Vec::new(),
			slashes: Vec::new(),
			money: Money {
				escrowed: text(account.escrowed),
				topped_up: text(account.topped_up),
				paid: text(account.paid),
				fees: text(account.fees_paid),
				refunded: text(account.refunded),
				deposit_burned: text(account.deposit_burned),
				fees_burned: text(account.fees_burned),
			},
		};
		for entry in entries {
			let block = entry.block;
			match entry.event {
				Happening::Paid { milestone, state_root, paid, fees } => {
					receipt.verified.push(PaidMilestone {
						milestone,
						block,
						state_root,
						paid: text(paid),
						fees: text(fees),
					});
				}
				Happening::DisputeEnded { dispute, milestone, segment, winner, reason, .. } => {
					receipt.disputes.push(Ruling {
						dispute,
						block,
						milestone,
						segment,
						winner: winner.into(),
						reason: reason.code,
					});
				}
				Happening::WorkerSlashed { worker, to_client, to_challenger, burned } => receipt.slashes.push(Slash {
					worker,
					block,
					to_client: text(to_client),
					to_challenger: text(to_challenger),
					burned: text(burned),
				}),
				_ => {}
			}
		}
		Ok(receipt)
	}

	/// Reads a receipt from a file.
	///
	/// # Errors
	/// [`Error::Io`], [`Error::ReceiptFile`].
	pub fn read(path: &Path) -> Result<Self, Error> {
		let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
		let wrong = |reason: String| Error::ReceiptFile { path: path.display().to_string(), reason };
		let receipt: Self = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
		match receipt.version {
			VERSION => Ok(receipt),
			other => Err(wrong(format!("its version is {other}, this program knows {VERSION}"))),
		}
	}

	/// Checks every field against the chain.
	///
	/// # Errors
	/// [`Error::ReceiptFalse`] with what differs; errors of reading.
	pub async fn verify(&self, chain: &Chain, progress: impl FnMut(u64)) -> Result<(), Error> {
		let genesis = hex::encode(chain.genesis());
		if genesis != self.genesis {
			let differences = vec![format!("genesis: receipt {}, this chain {genesis}", self.genesis)];
			return Err(Error::ReceiptFalse { job: self.job, differences });
		}
		let differences = self.differences(&Self::of(chain, self.job, progress).await?);
		match differences.is_empty() {
			true => Ok(()),
			false => Err(Error::ReceiptFalse { job: self.job, differences }),
		}
	}

	/// Every field in which this receipt differs from the `true_one`.
	pub fn differences(&self, true_one: &Self) -> Vec<String> {
		let mut found = Vec::new();
		if let (Ok(ours), Ok(theirs)) = (serde_json::to_value(self), serde_json::to_value(true_one)) {
			compare("", &ours, &theirs, &mut found);
		}
		if found.is_empty() && self != true_one {
			found.push("the receipts differ".into());
		}
		found
	}
}

fn compare(path: &str, ours: &serde_json::Value, theirs: &serde_json::Value, found: &mut Vec<String>) {
	use serde_json::Value;
	let under = |key: &str| if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
	match (ours, theirs) {
		(Value::Object(a), Value::Object(b)) => {
			for (key, value) in a {
				compare(&under(key), value, b.get(key).unwrap_or(&Value::Null), found);
			}
		}
		(Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
			for (index, (a, b)) in a.iter().zip(b).enumerate() {
				compare(&under(&index.to_string()), a, b, found);
			}
		}
		(Value::Array(a), Value::Array(b)) => {
			found.push(format!("{path}: receipt has {} entries, chain {}", a.len(), b.len()));
		}
		(a, b) if a != b => found.push(format!("{path}: receipt {a}, chain {b}")),
		_ => {}
	}
}

/// An amount in text of the smallest unit, in UNIT.
fn shown(text: &str) -> String {
	text.parse().map_or_else(|_| text.to_string(), amount)
}

impl fmt::Display for Receipt {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		writeln!(f, "Job        {} of {}", self.job, self.client)?;
		writeln!(f, "Chain      {}", self.genesis)?;
		writeln!(
			f,
			"Closed     {} ({}) in block {}, {}",
			self.reason, self.reason_code, self.closed_block, self.closed_block_hash
		)?;
		writeln!(f, "Program    {}", self.program_root)?;
		writeln!(f, "Result     {}", self.result_root)?;
		writeln!(f, "Verified   {} of {} milestones", self.verified.len(), self.milestones)?;
		for paid in &self.verified {
			writeln!(
				f,
				"           {} in block {}: {} + {} fees, state {}",
				paid.milestone,
				paid.block,
				shown(&paid.paid),
				shown(&paid.fees),
				paid.state_root
			)?;
		}
		for lease in &self.leases {
			let ended = lease.ended.map_or("to the end".into(), |code| format!("ended with {code}"));
			writeln!(
				f,
				"Lease      {}: {} milestones, {}, {ended}",
				lease.worker,
				lease.milestones,
				shown(&lease.paid)
			)?;
		}
		for ruling in &self.disputes {
			writeln!(
				f,
				"Dispute    {} over segment {}: the {} was right ({})",
				ruling.dispute, ruling.segment, ruling.winner, ruling.reason
			)?;
		}
		for slash in &self.slashes {
			writeln!(
				f,
				"Slash      {}: {} to the client, {} to the challenger, {} burned",
				slash.worker,
				shown(&slash.to_client),
				shown(&slash.to_challenger),
				shown(&slash.burned)
			)?;
		}
		let money = &self.money;
		write!(
			f,
			"Money      {} escrowed, {} to workers, {} to verifiers, {} returned",
			shown(&money.escrowed),
			shown(&money.paid),
			shown(&money.fees),
			shown(&money.refunded)
		)?;
		match money.fees_burned.as_str() {
			"0" => Ok(()),
			burned => write!(f, ", {} burned for verifiers that were drawn and never heard of", shown(burned)),
		}
	}
}
