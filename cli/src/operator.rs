//! What an operator earned, lost and missed, and why.

use crate::{
	bidders::{obstacles, Obstacle},
	clock::Clock,
	history::{Happening, Reader, Why},
	units::{amount, smallest},
	watch, Error,
};
use assay_agent::{
	keys::{address, Account},
	Chain, Snapshot,
};
use assay_protocol::{
	records::{
		market::JobState,
		operators::{Role, State},
	},
	Balance, JobId,
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// An operator's standing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
	/// Its account.
	pub account: String,
	/// worker or verifier.
	pub role: &'static str,
	/// Newest finalised block.
	pub block: u64,
	/// Whether it takes work, in words.
	pub state: String,
	/// What to do, if something is to be done.
	pub next: Option<String>,
	/// Bond at work.
	#[serde(serialize_with = "smallest")]
	pub bond: Balance,
	/// Part of it that duties reserve.
	#[serde(serialize_with = "smallest")]
	pub locked: Balance,
	/// Bond on its way back.
	#[serde(serialize_with = "smallest")]
	pub unbonding: Balance,
	/// Block from which it can be withdrawn.
	pub withdraw_from: Option<u64>,
	/// Free money of the account.
	#[serde(serialize_with = "smallest")]
	pub free: Balance,
	/// Duties done, failed, absences, proven faults.
	pub done: u32,
	/// Leases or checks without success and without fault.
	pub failed: u32,
	/// Absences.
	pub absences: u32,
	/// Proven faults.
	pub faults: u32,
	/// What each job brought.
	pub earned: Vec<Earning>,
	/// Work that went to others, and why.
	pub missed: Vec<Missed>,
	/// First block that `missed` and a verifier's earnings were read from.
	pub since: u64,
}

/// What a job brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Earning {
	/// The job.
	pub job: JobId,
	/// Verified milestones of a worker's lease, or paid checks of a verifier.
	pub units: u32,
	/// Money received.
	#[serde(serialize_with = "smallest")]
	pub paid: Balance,
	/// Why it ended; absent while it runs and at its regular end.
	pub ended: Option<Why>,
}

/// Work that went to others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missed {
	/// The job.
	pub job: JobId,
	/// Why.
	pub why: Vec<Obstacle>,
}

const fn role_name(role: Role) -> &'static str {
	match role {
		Role::Worker => "worker",
		Role::Verifier => "verifier",
	}
}

/// The command group of a role.
pub const fn command_of(role: Role) -> &'static str {
	match role {
		Role::Worker => "provider",
		Role::Verifier => "verifier",
	}
}

/// The standing of `who` in a role. Events are read back for `back` blocks.
///
/// # Errors
/// [`Error::NotRegistered`], [`Error::BlockGone`], [`Error::Chain`].
pub async fn standing(
	chain: &Chain,
	role: Role,
	who: &Account,
	back: u64,
	progress: impl FnMut(u64),
) -> Result<Standing, Error> {
	let snapshot = chain.finalized().await?;
	let operator = snapshot.operator(role, who).await?.ok_or_else(|| Error::NotRegistered {
		who: address(who),
		role: role_name(role),
		command: command_of(role),
	})?;
	let (free, _) = snapshot.balance(who).await?;
	let since = snapshot.number().saturating_sub(back).max(1);
	let clock = Clock::read(chain, &snapshot).await?;
	let (earned, missed) = match role {
		Role::Worker => worker(chain, &snapshot, &clock, who, since, progress).await?,
		Role::Verifier => (verifier(chain, &snapshot, &clock, who, since, progress).await?, Vec::new()),
	};
	let (state, next) = match operator.state {
		State::Ready => ("ready, without work".to_string(), None),
		State::Busy { duties } => (format!("busy with {duties}"), None),
		State::Draining { duties } => {
			(format!("draining, {duties} left"), Some(format!("`assay {} ready` takes work again", command_of(role))))
		}
		State::Unresponsive { duties } => (
			format!("unresponsive after absences, {duties} left"),
			Some(format!("start the daemon, then `assay {} ready`", command_of(role))),
		),
		State::Jailed { until, .. } => {
			let until = clock.due(until);
			let next = format!(
				"find the cause with `assay job explain`; from block {until} make the bond whole and run `assay {} ready`",
				command_of(role)
			);
			(format!("jailed until block {until} after a slash"), Some(next))
		}
	};
	Ok(Standing {
		account: address(who),
		role: role_name(role),
		block: snapshot.number(),
		state,
		next,
		bond: operator.bond,
		locked: operator.locked,
		unbonding: operator.unbonding.map_or(0, |unbonding| unbonding.amount),
		withdraw_from: operator.unbonding.map(|unbonding| clock.due(unbonding.at)),
		free,
		done: operator.reputation.done,
		failed: operator.reputation.failed,
		absences: operator.reputation.absences,
		faults: operator.reputation.faults,
		earned,
		missed,
		since,
	})
}

async fn worker(
	chain: &Chain,
	snapshot: &Snapshot,
	clock: &Clock,
	who: &Account,
	since: u64,
	mut progress: impl FnMut(u64),
) -> Result<(Vec<Earning>, Vec<Missed>), Error> {
	let (mut earned, mut missed) = (Vec::new(), Vec::new());
	let me = address(who);
	let operator = snapshot.operator(Role::Worker, who).await?;
	for (id, job) in snapshot.jobs().await? {
		let mut leased = false;
		for share in job.shares.iter().filter(|share| share.worker == *who) {
			leased = true;
			earned.push(Earning {
				job: id,
				units: share.milestones,
				paid: share.paid,
				ended: share.ended.map(Why::from),
			});
		}
		let JobState::Order(order) = &job.state else {
			if leased {
				continue;
			}
			let posted = watch::first_block(&job, clock).await?;
			if posted >= since {
				let to = watch::last_block(&job, clock).await?;
				missed.extend(lost_bid(chain, id, posted, to, &me, &mut progress).await?);
			}
			continue;
		};
		if order.bids.iter().any(|bid| bid.worker == *who) {
			continue;
		}
		if let (Some(spec), Some(operator)) = (snapshot.spec(id).await?, &operator) {
			let collateral = spec.collateral(spec.offer.max_price, &job.parameters).unwrap_or(Balance::MAX);
			let why = obstacles(&spec, collateral, operator);
			if !why.is_empty() {
				missed.push(Missed { job: id, why });
			}
		}
	}
	Ok((earned, missed))
}

/// Why this worker did not get a job that someone else got.
async fn lost_bid(
	chain: &Chain,
	job: JobId,
	from: u64,
	to: u64,
	me: &str,
	progress: &mut impl FnMut(u64),
) -> Result<Option<Missed>, Error> {
	let mut reader = Reader::new(job);
	let mut mine = None;
	for block in from..=to {
		progress(block);
		for entry in reader.read(&chain.at(block).await?).await? {
			match entry.event {
				Happening::Bid { worker, price } if worker == me => mine = Some(price),
				Happening::Lease { worker, price, .. } if worker != me => {
					let text = match mine {
						Some(mine) => format!("{worker} bid {}, this worker {}", amount(price), amount(mine)),
						None => {
							format!("{worker} got it for {}; this worker did not bid: its log says why", amount(price))
						}
					};
					let code = mine.map(|_| assay_protocol::Reason::BidOutbid.code());
					return Ok(Some(Missed { job, why: vec![Obstacle { code, text }] }));
				}
				_ => {}
			}
		}
	}
	Ok(None)
}

/// Paid checks of each job: those that this verifier agreed with in a milestone that was then paid.
async fn verifier(
	chain: &Chain,
	snapshot: &Snapshot,
	clock: &Clock,
	who: &Account,
	since: u64,
	mut progress: impl FnMut(u64),
) -> Result<Vec<Earning>, Error> {
	let me = address(who);
	let mut readers = Vec::new();
	let mut fees = BTreeMap::new();
	for (id, job) in snapshot.jobs().await? {
		if watch::last_block(&job, clock).await? >= since {
			readers.push((id, Reader::new(id)));
			if let Some(spec) = snapshot.spec(id).await? {
				fees.insert(id, spec.verify.fee_per_check);
			}
		}
	}
	let mut pending: BTreeMap<(JobId, u32), u32> = BTreeMap::new();
	let mut paid: BTreeMap<JobId, u32> = BTreeMap::new();
	for block in since..=snapshot.number() {
		progress(block);
		let at = chain.at(block).await?;
		for (id, reader) in &mut readers {
			for entry in reader.read(&at).await? {
				match entry.event {
					Happening::Revealed { milestone, verifier, agreed: true, .. } if verifier == me => {
						*pending.entry((*id, milestone)).or_default() += 1;
					}
					Happening::Paid { milestone, .. } => {
						*paid.entry(*id).or_default() += pending.remove(&(*id, milestone)).unwrap_or(0);
					}
					_ => {}
				}
			}
		}
	}
	let fee = |job: &JobId| fees.get(job).copied().unwrap_or(0);
	Ok(paid
		.into_iter()
		.filter(|(_, units)| *units > 0)
		.map(|(job, units)| Earning { job, units, paid: fee(&job).saturating_mul(units.into()), ended: None })
		.collect())
}

impl fmt::Display for Standing {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		writeln!(f, "{} {} at block {}: {}", self.role, self.account, self.block, self.state)?;
		if let Some(next) = &self.next {
			writeln!(f, "Next       {next}")?;
		}
		writeln!(f, "Bond       {}, {} reserved by work", amount(self.bond), amount(self.locked))?;
		if let Some(at) = self.withdraw_from {
			writeln!(
				f,
				"Unbonding  {}, `assay {} withdraw` from block {at}",
				amount(self.unbonding),
				if self.role == "worker" { "provider" } else { "verifier" }
			)?;
		}
		writeln!(f, "Account    {} free", amount(self.free))?;
		writeln!(
			f,
			"Record     {} done, {} failed, {} absences, {} faults",
			self.done, self.failed, self.absences, self.faults
		)?;
		let unit = if self.role == "worker" { "milestones" } else { "checks" };
		for earning in &self.earned {
			let ended = earning.ended.as_ref().map_or(String::new(), |why| format!("; lease ended: {why}"));
			writeln!(
				f,
				"Earned     {} for {} {unit} of job {}{ended}",
				amount(earning.paid),
				earning.units,
				earning.job
			)?;
		}
		for missed in &self.missed {
			let why: Vec<&str> = missed.why.iter().map(|obstacle| obstacle.text.as_str()).collect();
			writeln!(f, "Missed     job {}: {}", missed.job, why.join("; "))?;
		}
		write!(f, "History    read from block {}", self.since)
	}
}
