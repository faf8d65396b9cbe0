//! What a job costs and how safe it is, before anything is signed.

use crate::{
	bidders::{bidders, Bidder},
	job_file::Draft,
	memory,
	timing::Time,
	units::{amount, smallest},
	Error,
};
use assay_agent::{keys::Account, Snapshot};
use assay_protocol::{
	economics::{self, PPM},
	job::Clearing,
	parameters::Parameters,
	plan::{
		JobPlan, MAX_CHECKS, MAX_DRAWN, MAX_MILESTONES, MAX_MILESTONE_SEGMENTS, MAX_SEGMENTS, MAX_SEGMENT_STEPS,
		MAX_VERIFIERS,
	},
	records::operators::Role,
	Balance, Reason,
};
use serde::Serialize;
use std::fmt;

/// The result of `assay job check`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimate {
	/// Commitment of the program.
	pub program_root: String,
	/// Work and its division.
	pub work: Work,
	/// Money.
	pub price: Price,
	/// Probability that cheating is caught.
	pub detection: Vec<Detection>,
	/// What was taken for granted where the file does not say.
	pub notes: Vec<String>,
	/// What may keep the job from being taken or tried out.
	pub warnings: Vec<String>,
	/// How long it takes; absent when that was not asked for.
	pub time: Option<Time>,
	/// The node that was asked; absent when none was to be asked.
	pub node: Option<String>,
	/// Who could take it; absent when no node answered. The estimate is then under a development chain's parameters.
	pub network: Option<Network>,
}

/// Work and its division.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Work {
	/// Steps of the job.
	pub steps: u64,
	/// Segments of the job.
	pub segments: u32,
	/// Steps of each segment; the last may be shorter.
	pub segment_steps: u32,
	/// Milestones of the job.
	pub milestones: u32,
	/// Segments of each milestone.
	pub milestone_segments: u32,
	/// Rows or sequences to train on, or rows or texts to run a model over.
	pub items: u32,
	/// What the items are called.
	#[serde(skip)]
	pub unit: &'static str,
	/// Rows or sequences kept for evaluation.
	pub held_out: u32,
	/// Scalar operations of the whole job.
	pub flops: u64,
	/// Segments that verifiers execute again, over the whole job.
	pub checked_segments: u32,
	/// Memory a worker needs, MiB.
	pub memory_mib: u32,
	/// Bytes that a worker fetches first: program and data.
	pub download_bytes: u64,
}

/// Money; text of the smallest unit in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Price {
	/// Least the worker can get.
	#[serde(serialize_with = "smallest")]
	pub least: Balance,
	/// Most the worker can get.
	#[serde(serialize_with = "smallest")]
	pub most: Balance,
	/// Most the verifiers can get.
	#[serde(serialize_with = "smallest")]
	pub fees: Balance,
	/// Put on hold at posting: `most` and `fees`.
	#[serde(serialize_with = "smallest")]
	pub escrow: Balance,
	/// Put on hold at posting and returned with the lease.
	#[serde(serialize_with = "smallest")]
	pub deposit: Balance,
	/// Collateral of a worker that bids the maximum.
	#[serde(serialize_with = "smallest")]
	pub collateral: Balance,
	/// How the order is cleared, in words.
	pub clearing: String,
	/// Blocks until the job must be finished.
	pub deadline: u32,
}

/// What a cheat faces that spares the last segment of a milestone, which is always checked. Of milestones of one segment, which is
/// checked always, the one that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Detection {
	/// Wrong segments in the milestone.
	pub wrong: u32,
	/// Probability that this milestone is caught, parts per million.
	pub milestone_ppm: u32,
	/// Probability that one of the job's milestones is caught when each has as many wrong segments, parts per million.
	pub job_ppm: u32,
}

/// What the registered operators can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Network {
	/// Newest finalised block.
	pub block: u64,
	/// Every registered worker.
	pub workers: Vec<Bidder>,
	/// Verifiers that can be drawn now.
	pub verifiers_ready: usize,
	/// Distinct verifiers a checked segment needs.
	pub verifiers_needed: u32,
}

impl Estimate {
	/// Of a draft under the chain's parameters.
	///
	/// # Errors
	/// [`Error::Refused`] when the chain would refuse the job.
	pub fn of(draft: &Draft, parameters: &Parameters) -> Result<Self, Error> {
		let plan = draft.plan(parameters).map_err(|reason| refused(reason, draft, parameters))?;
		let spec = &draft.spec;
		let data_bytes: u64 =
			draft.data.iter().map(|(_, tensor)| tensor.spec().layout().map_or(0, |l| l.byte_len())).sum();
		let collateral = spec
			.collateral(spec.offer.max_price, parameters)
			.ok_or_else(|| refused(Reason::AmountTooLarge, draft, parameters))?;
		let fees = plan.escrow.saturating_sub(spec.offer.max_price);
		let (least, clearing) = match spec.offer.clearing {
			Clearing::BestBid { window } => {
				(Balance::from(plan.milestones), format!("the lowest bid within {window} blocks wins"))
			}
			Clearing::Ramp { start, duration } => {
				let text = format!(
					"it rises from {} over {duration} blocks, and the first bid at or below it wins",
					amount(start)
				);
				(start.max(plan.milestones.into()), text)
			}
		};
		Ok(Self {
			program_root: hex::encode(spec.program.root()),
			work: Work {
				steps: plan.steps,
				segments: plan.segments,
				segment_steps: plan.segment_steps,
				milestones: plan.milestones,
				milestone_segments: plan.milestone_segments,
				items: draft.items,
				unit: draft.outcome.unit(),
				held_out: draft.outcome.held_out(),
				flops: draft.program.step_cost().flops.saturating_mul(plan.steps),
				checked_segments: (0..plan.milestones).map(|m| plan.checked_segments(m) * plan.verifiers).sum(),
				memory_mib: spec.memory_mib,
				download_bytes: data_bytes + draft.program_bytes.len() as u64,
			},
			price: Price {
				least,
				most: spec.offer.max_price,
				fees,
				escrow: plan.escrow,
				deposit: parameters.order_deposit,
				collateral,
				clearing,
				deadline: spec.offer.deadline,
			},
			detection: detection(draft, &plan),
			notes: draft.notes.clone(),
			warnings: memory::warnings(spec.memory_mib, memory::free()),
			time: None,
			node: None,
			network: None,
		})
	}

	/// Adds how long it takes, and warns of what is too slow.
	pub fn take(&mut self, time: Time) {
		self.warnings.extend(time.warnings());
		self.time = Some(time);
	}

	/// Adds what the chain's registered operators can do.
	///
	/// # Errors
	/// [`Error::Chain`].
	pub async fn ask(&mut self, draft: &Draft, client: Option<&Account>, snapshot: &Snapshot) -> Result<(), Error> {
		let workers = snapshot.operators(Role::Worker).await?;
		let verifiers = snapshot.operators(Role::Verifier).await?;
		self.network = Some(Network {
			block: snapshot.number(),
			workers: bidders(&draft.spec, self.price.collateral, client, &workers),
			verifiers_ready: verifiers.iter().filter(|(_, operator)| operator.draw_weight().is_some()).count(),
			verifiers_needed: draft.spec.verify.verifiers,
		});
		Ok(())
	}
}

/// A refusal with the numbers that it is about.
fn refused(reason: Reason, draft: &Draft, parameters: &Parameters) -> Error {
	let (spec, header) = (&draft.spec, &draft.spec.program.header);
	let segments = header.steps.div_ceil(header.segment_steps.max(1).into());
	let detail = match reason {
		Reason::FeeTooSmall => {
			format!(
				"the fee is {}, the least {}",
				amount(spec.verify.fee_per_check),
				amount(parameters.min_fee_per_check)
			)
		}
		Reason::SegmentStepsOutOfRange => {
			format!("{} steps in {} a segment, at most {MAX_SEGMENT_STEPS}", header.steps, header.segment_steps)
		}
		Reason::TooManySegments => format!("{segments} segments, at most {MAX_SEGMENTS}"),
		Reason::MilestoneSegmentsOutOfRange => {
			format!("{} segments in a milestone, at most {MAX_MILESTONE_SEGMENTS}", spec.milestone_segments)
		}
		Reason::TooManyMilestones => {
			format!("{} milestones, at most {MAX_MILESTONES}", segments.div_ceil(spec.milestone_segments.max(1).into()))
		}
		Reason::DrawnOutOfRange => format!("{} drawn, at most {MAX_DRAWN}", spec.verify.drawn),
		Reason::VerifiersOutOfRange => format!(
			"{} verifiers for each of {} segments, at most {MAX_VERIFIERS} and {MAX_CHECKS} checks in all",
			spec.verify.verifiers,
			spec.verify.drawn.saturating_add(1)
		),
		_ => String::new(),
	};
	let detail = if detail.is_empty() { detail } else { format!(": {detail}") };
	Error::Refused { reason, detail }
}

fn detection(draft: &Draft, plan: &JobPlan) -> Vec<Detection> {
	let others = plan.milestone_segments.saturating_sub(1);
	if others == 0 {
		// The only segment of a milestone is its last.
		return vec![Detection { wrong: 1, milestone_ppm: PPM, job_ppm: PPM }];
	}
	let mut wrong: Vec<u32> = [1, 2, others / 2, others].into_iter().filter(|w| (1..=others).contains(w)).collect();
	wrong.sort_unstable();
	wrong.dedup();
	wrong
		.into_iter()
		.map(|wrong| {
			let milestone_ppm = draft.spec.detection(wrong);
			// The last milestone may be shorter, and have fewer that can be wrong, or none.
			let others = plan.segments_of(plan.milestones.saturating_sub(1)).count.saturating_sub(1);
			let last_ppm = economics::detection(others, wrong.min(others), plan.drawn);
			let last_ppm = if others == 0 { 0 } else { last_ppm };
			let missed = |ppm: u32| 1.0 - f64::from(ppm) / f64::from(PPM);
			let before = f64::from(plan.milestones.saturating_sub(1));
			let job = 1.0 - missed(milestone_ppm).powf(before) * missed(last_ppm);
			Detection { wrong, milestone_ppm, job_ppm: (job * f64::from(PPM)).floor() as u32 }
		})
		.collect()
}

/// Parts per million as per cent.
pub fn per_cent(ppm: u32) -> String {
	format!("{}.{:02} %", ppm / 10_000, ppm % 10_000 / 100)
}

impl fmt::Display for Estimate {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let (work, price) = (&self.work, &self.price);
		writeln!(f, "Program    {}", self.program_root)?;
		writeln!(
			f,
			"Work       {} steps in {} segments of {}, {} milestones of {} segments",
			work.steps, work.segments, work.segment_steps, work.milestones, work.milestone_segments
		)?;
		writeln!(
			f,
			"           {:.3} GFLOP, {} MiB of memory, {} KiB to fetch",
			work.flops as f64 / 1e9,
			work.memory_mib,
			work.download_bytes.div_ceil(1024)
		)?;
		match work.held_out {
			0 => writeln!(f, "Data       {} {}", work.items, work.unit)?,
			held_out => writeln!(f, "Data       {} {} to train on, {held_out} held out", work.items, work.unit)?,
		}
		if let Some(time) = &self.time {
			writeln!(f, "Time       {time}")?;
		}
		for note in &self.notes {
			writeln!(f, "Note       {note}")?;
		}
		for warning in &self.warnings {
			writeln!(f, "Warning    {warning}")?;
		}
		writeln!(f, "Price      at most {} for the worker; {}", amount(price.most), price.clearing)?;
		writeln!(
			f,
			"Escrow     {} ({} for the worker, up to {} for verifiers); unused money returns",
			amount(price.escrow),
			amount(price.most),
			amount(price.fees)
		)?;
		writeln!(f, "Deposit    {}, returned when a worker takes the job", amount(price.deposit))?;
		writeln!(f, "Collateral {} from a worker that bids the maximum", amount(price.collateral))?;
		writeln!(f, "Deadline   {} blocks after posting", price.deadline)?;
		writeln!(
			f,
			"Checks     {} segments are executed again; the last of each milestone always",
			work.checked_segments
		)?;
		let certain = work.milestone_segments == 1;
		match certain {
			true => writeln!(f, "Detection  100.00 %: each milestone is one segment, so every segment is checked")?,
			false => writeln!(f, "Detection  of a worker that spares the last segment of each milestone:")?,
		}
		for row in self.detection.iter().filter(|_| !certain) {
			writeln!(
				f,
				"           {} wrong in one milestone: {}; as many in each milestone: {}",
				row.wrong,
				per_cent(row.milestone_ppm),
				per_cent(row.job_ppm)
			)?;
		}
		match (&self.network, &self.node) {
			(Some(network), _) => write!(f, "{network}"),
			(None, Some(node)) => write!(
				f,
				"Network    no node answers at {node}: this is an offline estimate under a development chain's parameters.\n           \
				 Start a node there, or name another with --node ws://HOST:PORT, to see the chain's own and who could bid"
			),
			(None, None) => write!(
				f,
				"Network    not asked: this is an offline estimate under a development chain's parameters.\n           \
				 Leave --offline out to ask the node at --node for the chain's own and for who could bid"
			),
		}
	}
}

impl fmt::Display for Network {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let able = self.workers.iter().filter(|bidder| bidder.could_bid).count();
		write!(
			f,
			"Network    at block {}: {able} of {} workers could bid, {} verifiers ready, {} needed per segment",
			self.block,
			self.workers.len(),
			self.verifiers_ready,
			self.verifiers_needed
		)?;
		for bidder in &self.workers {
			let why: Vec<&str> = bidder.obstacles.iter().map(|obstacle| obstacle.text.as_str()).collect();
			let why = if why.is_empty() { "could bid".into() } else { why.join("; ") };
			write!(f, "\n           {}: {why}", bidder.worker)?;
		}
		if able == 0 {
			write!(f, "\n           nobody could take this job now: lower the insured value, or wait for workers")?;
		}
		if (self.verifiers_ready as u64) < u64::from(self.verifiers_needed) {
			write!(f, "\n           too few verifiers: lower verify.verifiers, or wait for more")?;
		}
		Ok(())
	}
}
