//! Answers "why": of a reason code, and of a job from its history.

use crate::{
	clock::Clock,
	history::{scan, Entry, Happening},
	watch, Error,
};
use assay_agent::{keys::address, Chain, Snapshot};
use assay_protocol::{
	dispute::Side,
	job::{Clearing, JobSpec},
	reason::Party,
	records::market::{Job, JobState},
	round::{Challenge, Phase},
	JobId, Reason,
};
use serde::Serialize;
use std::fmt;

/// A reason in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReasonText {
	/// The stable code.
	pub code: u16,
	/// Its name in events and errors.
	pub name: &'static str,
	/// Whose side it lies on: client, worker, protocol, verifier.
	pub side: &'static str,
	/// One line.
	pub title: &'static str,
	/// What happened.
	pub what: &'static str,
	/// What to do.
	pub next: &'static str,
}

impl From<Reason> for ReasonText {
	fn from(reason: Reason) -> Self {
		let side = match reason.party() {
			Party::Client => "client",
			Party::Worker => "worker",
			Party::Protocol => "protocol",
			Party::Verifier => "verifier",
		};
		let (what, next) = (reason.explanation(), reason.advice());
		Self { code: reason.code(), name: reason.name(), side, title: reason.title(), what, next }
	}
}

/// The reason with this code or name.
pub fn reason(text: &str) -> Option<Reason> {
	let text = text.strip_prefix("code:").unwrap_or(text);
	match text.parse() {
		Ok(code) => Reason::from_code(code),
		Err(_) => Reason::ALL.iter().copied().find(|reason| reason.name().eq_ignore_ascii_case(text)),
	}
}

/// Why a job is where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
	/// The job.
	pub job: JobId,
	/// Newest finalised block looked at.
	pub block: u64,
	/// Where it stands, in a sentence.
	pub now: String,
	/// What to do next.
	pub next: String,
	/// Why it was closed; absent while it is open.
	pub closed: Option<ReasonText>,
	/// What decided it, with blocks: leases that ended, faults, disputes, slashes.
	pub evidence: Vec<Entry>,
	/// The reasons named in the evidence.
	pub reasons: Vec<ReasonText>,
}

/// Explains a job from its record and its events.
///
/// # Errors
/// [`Error::NoSuchJob`], [`Error::BlockGone`], [`Error::Chain`].
pub async fn job(chain: &Chain, id: JobId, progress: impl FnMut(u64)) -> Result<Explanation, Error> {
	let snapshot = chain.finalized().await?;
	let job = watch::job(&snapshot, id).await?;
	let spec = watch::spec(&snapshot, id).await?;
	let clock = Clock::read(chain, &snapshot).await?;
	let (from, to) = (watch::first_block(&job, &clock).await?, watch::last_block(&job, &clock).await?);
	let history = scan(chain, id, from, to, progress).await?;
	let evidence: Vec<Entry> = history.into_iter().filter(|entry| decides(&entry.event)).collect();
	let mut reasons: Vec<ReasonText> = Vec::new();
	for code in evidence.iter().filter_map(|entry| code_of(&entry.event)) {
		if !reasons.iter().any(|known| known.code == code) {
			reasons.extend(Reason::from_code(code).map(ReasonText::from));
		}
	}
	let (now, next) = standing(&snapshot, &clock, id, &job, &spec).await?;
	let closed = match &job.state {
		JobState::Closed(closing) => Some(closing.reason.into()),
		_ => None,
	};
	Ok(Explanation { job: id, block: snapshot.number(), now, next, closed, evidence, reasons })
}

/// Whether an event explains an outcome rather than being routine.
const fn decides(event: &Happening) -> bool {
	!matches!(
		event,
		Happening::Bid { .. }
			| Happening::Drawn { .. }
			| Happening::Blind { .. }
			| Happening::OpeningDue { .. }
			| Happening::Opened { .. }
			| Happening::Revealed { agreed: true, .. }
			| Happening::Committed { .. }
			| Happening::Verified { .. }
			| Happening::DisputeMoved { .. }
	)
}

const fn code_of(event: &Happening) -> Option<u16> {
	match event {
		Happening::BidRemoved { reason: Some(reason), .. }
		| Happening::MilestoneFailed { reason, .. }
		| Happening::DisputeEnded { reason, .. }
		| Happening::LeaseEnded { reason, .. }
		| Happening::Closed { reason, .. } => Some(reason.code),
		_ => None,
	}
}

/// Where the job stands and what comes next.
async fn standing(
	snapshot: &Snapshot,
	clock: &Clock,
	id: JobId,
	job: &Job<[u8; 32]>,
	spec: &JobSpec,
) -> Result<(String, String), Error> {
	Ok(match &job.state {
		JobState::Closed(closing) => {
			let verified = format!("{} of {} milestones verified and paid", job.verified.milestones, job.milestones);
			(
				format!(
					"closed in block {}: {} ({}); {verified}",
					clock.first(closing.at).await?,
					closing.reason.title(),
					closing.reason.code()
				),
				closing.reason.advice().into(),
			)
		}
		JobState::Order(order) => {
			let bids = order.bids.len();
			let opened = clock.first(order.opened_at).await?;
			let after = |blocks| clock.due(order.opened_at.saturating_add(blocks));
			let (now, next) = match spec.offer.clearing {
				Clearing::BestBid { window } if bids == 0 => (
					format!("up for auction since block {opened} without a bid"),
					format!("bids are taken for {window} blocks and then until the first one; run `assay job check` on the job file to see who could bid"),
				),
				Clearing::BestBid { window } => (
					format!("up for auction since block {opened} with {bids} bids"),
					format!("the lowest bid gets the lease from block {}", after(window)),
				),
				Clearing::Ramp { duration, .. } => (
					format!("up for auction since block {opened}, the price rises until block {}", after(duration)),
					"the first bid at or below the price wins; `assay job check` shows who could bid".into(),
				),
			};
			(
				now,
				format!(
					"{next}; after block {} anyone may close the job and the money returns",
					clock.due(job.deadline)
				),
			)
		}
		JobState::Running(lease) => {
			let index = job.verified.milestones;
			let now = format!(
				"{} works on it since block {}; {index} of {} milestones verified",
				address(&lease.worker),
				clock.first(lease.since).await?,
				job.milestones
			);
			let next = match snapshot.milestone(id, index).await? {
				None => format!(
					"the worker must commit milestone {index} by block {}, or anyone may end its lease",
					clock.due(lease.progress_at.saturating_add(job.parameters.progress_window))
				),
				Some(record) => waiting(
					&record.round.phase,
					index,
					record.round.committed_at.saturating_add(job.parameters.beacon_blocks),
					clock,
				),
			};
			let mut disputes = Vec::new();
			for (number, record) in snapshot.disputes().await? {
				if record.accusation.job == id {
					let mover = match record.state.phase.to_move() {
						Side::Defender => "the worker",
						Side::Challenger => "the verifier",
					};
					disputes
						.push(format!("dispute {number} over segment {} waits for {mover}", record.accusation.segment));
				}
			}
			let next = if disputes.is_empty() { next } else { format!("{}; {next}", disputes.join(", ")) };
			(now, next)
		}
	})
}

/// What a milestone waits for.
fn waiting(phase: &Phase<[u8; 32]>, index: u32, beacon: u32, clock: &Clock) -> String {
	match phase {
		Phase::Committed => {
			format!(
				"milestone {index} is committed; segments are drawn after block {}, or later while too many verifiers are busy",
				clock.due(beacon)
			)
		}
		Phase::Waiting => format!(
			"milestone {index} waits for its draw: verifiers with less than half of the bond at work can take a check now"
		),
		Phase::Blind { segments } => {
			let text: Vec<String> = segments
				.iter()
				.map(|segment| match segment.challenge {
					Challenge::Open { until } => {
						format!(
							"segment {}: the worker must prove its state by block {}",
							segment.segment,
							clock.due(until)
						)
					}
					_ => format!("segment {}: verifiers commit by block {}", segment.segment, clock.due(segment.until)),
				})
				.collect();
			format!("milestone {index} is being executed again; {}", text.join(", "))
		}
		Phase::Opening { until, .. } => {
			format!("the worker must open milestone {index} by block {}", clock.due(*until))
		}
		Phase::Reveal { until, .. } => {
			format!("verifiers reveal their results of milestone {index} by block {}", clock.due(*until))
		}
		Phase::Verified { .. } | Phase::Failed(_) => format!("milestone {index} is decided; the next block shows it"),
	}
}

impl fmt::Display for ReasonText {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		writeln!(f, "{} {} ({} side)", self.code, self.name, self.side)?;
		writeln!(f, "  {}", self.title)?;
		writeln!(f, "  {}", self.what)?;
		write!(f, "  Next: {}", self.next)
	}
}

impl fmt::Display for Explanation {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		writeln!(f, "Job {} at block {}: {}", self.job, self.block, self.now)?;
		writeln!(f, "Next: {}", self.next)?;
		writeln!(f, "Evidence:")?;
		for entry in &self.evidence {
			writeln!(f, "  {entry}")?;
		}
		write!(f, "Reasons:")?;
		for reason in &self.reasons {
			write!(f, "\n  {}", reason.to_string().replace('\n', "\n  "))?;
		}
		if self.reasons.is_empty() {
			write!(f, " none so far")?;
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn codes_and_names_are_found() {
		assert_eq!(reason("10003"), Some(Reason::LostDispute));
		assert_eq!(reason("code:20001"), Some(Reason::Completed));
		assert_eq!(reason("lostdispute"), Some(Reason::LostDispute));
		assert_eq!(reason("4711"), None);
		let text = ReasonText::from(Reason::LostDispute).to_string();
		assert!(text.contains("10003") && text.contains("Next:"));
	}
}
