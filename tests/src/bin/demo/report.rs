//! What the demo ends with: money, results, and both as data.

use anyhow::{ensure, Result};
use assay_agent::keys::{address, Account};
use assay_cli::{receipt::Receipt, units::amount};
use assay_protocol::{plan::JobPlan, records::disputes::LeafKind};
use assay_tests::{
	client::{Closed, Ruling},
	ledger::{total, Balances, Costs},
};
use serde::Serialize;
use std::{collections::BTreeSet, time::Duration};

/// Someone whose money is shown.
pub(crate) struct Party {
	name: &'static str,
	role: &'static str,
	pub(crate) account: Account,
}

impl Party {
	pub(crate) fn new(name: &'static str, role: &'static str, account: Account) -> Self {
		Self { name, role, account }
	}
}

/// Everything as data. Amounts are text of the smallest unit, 10^-12 UNIT.
#[derive(Serialize)]
pub(crate) struct Report {
	pub(crate) jobs: Vec<JobReport>,
	pub(crate) dispute: Option<DisputeReport>,
	pub(crate) chain: ChainReport,
	/// Wall time of the whole demo.
	pub(crate) seconds: f64,
}

#[derive(Serialize)]
pub(crate) struct ChainReport {
	pub(crate) blocks: u64,
	pub(crate) finalized: u64,
}

#[derive(Serialize)]
pub(crate) struct JobReport {
	job: u64,
	status: &'static str,
	/// Share of held-out rows classified rightly.
	pub(crate) accuracy: f64,
	milestones: u32,
	segments: u32,
	/// Segments that verifiers executed again, those of failed milestones included.
	segments_checked: usize,
	/// Verifiers that took part.
	verifiers: usize,
	paid: String,
	verifier_fees: String,
	refunded: String,
	slashed: String,
	reason: &'static str,
	wall_seconds: f64,
	pub(crate) result_root: String,
	leases: Vec<LeaseReport>,
	#[serde(skip)]
	receipt: Receipt,
}

#[derive(Serialize)]
struct LeaseReport {
	worker: String,
	milestones: u32,
	paid: String,
	ended: Option<&'static str>,
}

#[derive(Serialize)]
pub(crate) struct DisputeReport {
	segment: u32,
	reason: &'static str,
	moves: u32,
	onchain_bytes: u32,
	leaf_op: String,
	/// Weight charged for the referee, milliseconds of a validator.
	referee_weight_ms: f64,
}

impl From<&Ruling> for DisputeReport {
	fn from(ruling: &Ruling) -> Self {
		Self {
			segment: ruling.segment,
			reason: ruling.reason.name(),
			moves: ruling.moves,
			onchain_bytes: ruling.bytes,
			leaf_op: match ruling.leaf {
				Some(LeafKind::Op(kind)) => format!("{kind:?}"),
				Some(LeafKind::StateAssembly) => "StateAssembly".into(),
				None => "none".into(),
			},
			referee_weight_ms: ruling.referee_picoseconds as f64 / 1e9,
		}
	}
}

impl JobReport {
	pub(crate) fn new(closed: &Closed, plan: &JobPlan, accuracy: f64, wall: Duration, receipt: Receipt) -> Self {
		let account = &closed.job.account;
		let verifiers: BTreeSet<String> = closed
			.entries
			.iter()
			.filter_map(|entry| match &entry.event {
				assay_cli::history::Happening::Revealed { verifier, .. } => Some(verifier.clone()),
				_ => None,
			})
			.collect();
		let reason = closed.closing().map_or("none", |closing| closing.reason.name());
		Self {
			job: closed.id,
			status: if reason == "Completed" { "completed" } else { "closed" },
			accuracy,
			milestones: plan.milestones,
			segments: plan.segments,
			segments_checked: closed.segments_drawn(),
			verifiers: verifiers.len(),
			paid: account.paid.to_string(),
			verifier_fees: account.fees_paid.to_string(),
			refunded: account.refunded.to_string(),
			slashed: total(&account.slashed).to_string(),
			reason,
			wall_seconds: wall.as_secs_f64(),
			result_root: hex::encode(closed.job.verified.root),
			leases: closed
				.job
				.shares
				.iter()
				.map(|share| LeaseReport {
					worker: address(&share.worker),
					milestones: share.milestones,
					paid: share.paid.to_string(),
					ended: share.ended.map(|reason| reason.name()),
				})
				.collect(),
			receipt,
		}
	}
}

impl Report {
	pub(crate) fn print(&self) {
		for (number, job) in self.jobs.iter().enumerate() {
			println!(
				"  job {}: {}, {:.2} % of held-out digits right, {} segments, {} checked by {} verifiers, {:.0} s",
				number + 1,
				job.status,
				job.accuracy * 100.0,
				job.segments,
				job.segments_checked,
				job.verifiers,
				job.wall_seconds
			);
			for line in job.receipt.to_string().lines() {
				println!("    {line}");
			}
		}
		if let Some(dispute) = &self.dispute {
			println!(
				"  dispute: segment {}, {} moves, {} bytes on chain; the runtime executed one {} micro-operation (weight {:.2} ms): {}",
				dispute.segment, dispute.moves, dispute.onchain_bytes, dispute.leaf_op, dispute.referee_weight_ms, dispute.reason
			);
		}
		println!(
			"  chain: {} blocks, {} finalised; {:.0} s in all",
			self.chain.blocks, self.chain.finalized, self.seconds
		);
	}
}

/// The table of money. Every coin is somewhere: what the accounts lost in sum is what was burned.
pub(crate) fn print_money(parties: &[Party], before: &Balances, after: &Balances, costs: &Costs) -> Result<()> {
	println!("  {:8} {:24} {:>16} {:>16} {:>16} {:>16}", "", "", "jobs", "slashed", "transactions", "in all");
	let mut sum = 0i128;
	for party in parties {
		let change = before.change(after, &party.account);
		let (fees, slashed) = (costs.fee(&party.account) as i128, costs.slashed(&party.account) as i128);
		sum += change;
		println!(
			"  {:8} {:24} {:>16} {:>16} {:>16} {:>16}",
			party.name,
			party.role,
			signed(change + fees + slashed),
			signed(-slashed),
			signed(-fees),
			signed(change)
		);
	}
	let burned: u128 = costs
		.workers
		.iter()
		.map(|(_, _, split)| split.burned)
		.chain(costs.verifiers.iter().map(|(_, _, split)| split.burned))
		.sum();
	println!(
		"  {:8} {:24} {:>16} {:>16} {:>16} {:>16}",
		"",
		"burned",
		"",
		"",
		"",
		amount(burned).trim_end_matches(" UNIT")
	);
	println!("  In UNIT. The validator's `jobs` are the transaction fees of the others; a client's and a challenger's contain their part of slashes.");
	ensure!(sum == -(burned as i128), "the accounts changed by {sum}, but {burned} was burned");
	Ok(())
}

/// An amount in UNIT with its sign, to six places.
fn signed(value: i128) -> String {
	let micro = (value.unsigned_abs() + 500_000) / 1_000_000;
	match micro {
		0 => "0".into(),
		_ => format!("{}{}.{:06}", if value < 0 { "-" } else { "+" }, micro / 1_000_000, micro % 1_000_000),
	}
}
