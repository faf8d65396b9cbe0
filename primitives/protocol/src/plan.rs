//! The division of a job: steps into segments, segments into milestones, the price into milestone payments.

use crate::{
	economics,
	job::{Clearing, JobSpec, MAX_ENDPOINT},
	parameters::{self, Parameters},
	Balance, BlockNumber, MilestoneIndex, Reason, SegmentIndex,
};
use assay_commitment::SegmentRange;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::ops::Range;
use scale_info::TypeInfo;

/// Program format that this protocol executes.
pub const PROGRAM_VERSION: u16 = 1;
/// Most steps of a job.
pub const MAX_STEPS: u64 = 1 << 40;
/// Most steps of a segment.
pub const MAX_SEGMENT_STEPS: u32 = 1 << 20;
/// Most blocks from posting to the deadline.
pub const MAX_DEADLINE: BlockNumber = 1 << 22;
/// Most segments of a job.
pub const MAX_SEGMENTS: u32 = 1 << 20;
/// Most segments of a milestone.
pub const MAX_MILESTONE_SEGMENTS: u32 = 1 << 12;
/// Most milestones of a job.
pub const MAX_MILESTONES: u32 = 1 << 12;
/// Most segments drawn per milestone besides its last.
pub const MAX_DRAWN: u32 = 31;
/// Most verifiers per segment.
pub const MAX_VERIFIERS: u32 = 8;
/// Most checks of a milestone: checked segments times verifiers.
pub const MAX_CHECKS: u32 = 64;
/// Most live checks of a milestone: each checked segment may get one more in each later tranche.
pub const MAX_LIVE_CHECKS: u32 = MAX_CHECKS + (MAX_DRAWN + 1) * (parameters::MAX_TRANCHES - 1);
/// Most ops of a program.
pub const MAX_OPS: u32 = 1 << 16;
/// Most tensors of a program.
pub const MAX_TENSORS: u32 = 1 << 16;

/// How a valid job is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct JobPlan {
	/// Steps of the job.
	pub steps: u64,
	/// Steps of each segment; the last may be shorter.
	pub segment_steps: u32,
	/// Segments of each milestone; the last may be shorter.
	pub milestone_segments: u32,
	/// Segments of the job.
	pub segments: u32,
	/// Milestones of the job.
	pub milestones: u32,
	/// Segments drawn per milestone besides its last.
	pub drawn: u32,
	/// Verifiers per checked segment.
	pub verifiers: u32,
	/// Paid per honest check.
	pub fee_per_check: Balance,
	/// Held from the client for the worker and the verifiers.
	pub escrow: Balance,
}

impl JobSpec {
	/// Checks the order and divides the job. Nothing of an order that fails here may be held or stored.
	pub fn validate(&self, parameters: &Parameters) -> Result<JobPlan, Reason> {
		let (program, verify, offer) = (&self.program, &self.verify, &self.offer);
		let header = &program.header;
		if header.version != PROGRAM_VERSION {
			return Err(Reason::VersionUnknown);
		}
		let counts = [
			(program.n_ops, MAX_OPS),
			(program.n_tensors, MAX_TENSORS),
			(program.n_updates, MAX_TENSORS),
			(program.n_state, MAX_TENSORS),
		];
		if counts.iter().any(|(count, most)| *count == 0 || count > most) {
			return Err(Reason::ProgramEmpty);
		}
		if header.steps == 0 || header.steps > MAX_STEPS {
			return Err(Reason::StepsOutOfRange);
		}
		let segment_steps = header.segment_steps;
		if segment_steps == 0 || segment_steps > MAX_SEGMENT_STEPS || u64::from(segment_steps) > header.steps {
			return Err(Reason::SegmentStepsOutOfRange);
		}
		let segments = u32::try_from(header.steps.div_ceil(segment_steps.into()))
			.ok()
			.filter(|segments| *segments <= MAX_SEGMENTS)
			.ok_or(Reason::TooManySegments)?;
		let per_milestone = self.milestone_segments;
		if per_milestone == 0 || per_milestone > MAX_MILESTONE_SEGMENTS || per_milestone > segments {
			return Err(Reason::MilestoneSegmentsOutOfRange);
		}
		let milestones = segments.div_ceil(per_milestone);
		if milestones > MAX_MILESTONES {
			return Err(Reason::TooManyMilestones);
		}
		// Where a segment is left unchecked, at least one must be drawn: otherwise sparing the last is never detected.
		let least = u32::from(per_milestone > 1);
		if verify.drawn < least || verify.drawn > MAX_DRAWN || verify.drawn >= per_milestone {
			return Err(Reason::DrawnOutOfRange);
		}
		let checks = (verify.drawn + 1).saturating_mul(verify.verifiers);
		if verify.verifiers == 0 || verify.verifiers > MAX_VERIFIERS || checks > MAX_CHECKS {
			return Err(Reason::VerifiersOutOfRange);
		}
		if verify.fee_per_check < parameters.min_fee_per_check.max(1) {
			return Err(Reason::FeeTooSmall);
		}
		if offer.max_price < Balance::from(milestones) {
			return Err(Reason::PriceTooSmall);
		}
		validate_clearing(self, parameters)?;
		if self.endpoint.is_empty() || self.endpoint.len() > MAX_ENDPOINT as usize {
			return Err(Reason::EndpointInvalid);
		}
		if self.memory_mib == 0 {
			return Err(Reason::MemoryInvalid);
		}
		let mut plan = JobPlan {
			steps: header.steps,
			segment_steps,
			milestone_segments: per_milestone,
			segments,
			milestones,
			drawn: verify.drawn,
			verifiers: verify.verifiers,
			fee_per_check: verify.fee_per_check,
			escrow: 0,
		};
		let fees = plan.fee_budget().ok_or(Reason::AmountTooLarge)?;
		plan.escrow = offer.max_price.checked_add(fees).ok_or(Reason::AmountTooLarge)?;
		// The collateral of the dearest bid must be expressible too.
		self.collateral(offer.max_price, parameters).ok_or(Reason::AmountTooLarge)?;
		Ok(plan)
	}

	/// Collateral that a lease at `price` locks; `None` if it does not fit.
	pub fn collateral(&self, price: Balance, parameters: &Parameters) -> Option<Balance> {
		let verify = &self.verify;
		let by_stake = economics::collateral(price, verify.insured_value, self.milestone_segments, verify.drawn)?;
		let checks = verify.drawn.saturating_add(1).min(self.milestone_segments).checked_mul(verify.verifiers)?;
		let fees = verify.fee_per_check.checked_mul(checks.into())?;
		Some(by_stake.max(economics::least_collateral(fees, parameters.bid_deposit)))
	}

	/// Probability, in parts per million, that a milestone with `bad` wrong segments, the last not among them, is caught.
	pub fn detection(&self, bad: u32) -> u32 {
		economics::detection(self.milestone_segments.saturating_sub(1), bad, self.verify.drawn)
	}
}

fn validate_clearing(spec: &JobSpec, parameters: &Parameters) -> Result<(), Reason> {
	let offer = &spec.offer;
	let auction = match offer.clearing {
		Clearing::BestBid { window } => {
			if window == 0 || window >= offer.deadline {
				return Err(Reason::WindowInvalid);
			}
			window
		}
		Clearing::Ramp { start, duration } => {
			if start > offer.max_price || duration == 0 || duration > offer.deadline {
				return Err(Reason::RampInvalid);
			}
			// The first bid can come at once.
			0
		}
	};
	let least = auction.saturating_add(parameters.beacon_blocks).saturating_add(1);
	if offer.deadline <= least {
		return Err(Reason::DeadlineTooSoon);
	}
	if offer.deadline > MAX_DEADLINE {
		return Err(Reason::DeadlineTooLate);
	}
	Ok(())
}

impl JobPlan {
	/// Steps of a segment; empty past the last.
	pub fn steps_of(&self, segment: SegmentIndex) -> Range<u64> {
		let steps = u64::from(self.segment_steps);
		let start = u64::from(segment).saturating_mul(steps).min(self.steps);
		start..start.saturating_add(steps).min(self.steps)
	}

	/// The segment of a step; `None` past the last.
	pub fn segment_of(&self, step: u64) -> Option<SegmentIndex> {
		let segment = step.checked_div(self.segment_steps.into())?;
		u32::try_from(segment).ok().filter(|_| step < self.steps)
	}

	/// Segments of a milestone; of count 0 past the last.
	pub fn segments_of(&self, milestone: MilestoneIndex) -> SegmentRange {
		let first = milestone.saturating_mul(self.milestone_segments).min(self.segments);
		SegmentRange { first, count: (self.segments - first).min(self.milestone_segments) }
	}

	/// The milestone of a segment; `None` past the last.
	pub fn milestone_of(&self, segment: SegmentIndex) -> Option<MilestoneIndex> {
		segment.checked_div(self.milestone_segments).filter(|_| segment < self.segments)
	}

	/// Segments of a milestone that are checked: its last and the drawn ones.
	pub fn checked_segments(&self, milestone: MilestoneIndex) -> u32 {
		let count = self.segments_of(milestone).count;
		count.min(self.drawn.saturating_add(1))
	}

	/// Most that the checks of one milestone cost.
	pub fn fees_of(&self, milestone: MilestoneIndex) -> Option<Balance> {
		let checks = self.checked_segments(milestone).checked_mul(self.verifiers)?;
		self.fee_per_check.checked_mul(checks.into())
	}

	/// Most that the checks of milestone `first` and all after it cost.
	pub fn fees_from(&self, first: MilestoneIndex) -> Option<Balance> {
		let last = self.milestones.checked_sub(1)?;
		if first > last {
			return Some(0);
		}
		// All milestones but the last are full.
		let full = Balance::from(last - first).checked_mul(self.fees_of(0)?)?;
		full.checked_add(self.fees_of(last)?)
	}

	/// What is held for verifiers: the fees of every check, and those of one milestone more, so that a first failed milestone
	/// can be checked again whatever its worker's slash brings in.
	pub fn fee_budget(&self) -> Option<Balance> {
		self.fees_from(0)?.checked_add(self.fees_of(0)?)
	}

	/// What milestone `index` pays of a lease at `price` that covers milestones `first` to the last, by its share of the
	/// segments. The payments of a lease sum exactly to `price`; 0 outside the lease.
	pub fn milestone_price(&self, price: Balance, first: MilestoneIndex, index: MilestoneIndex) -> Balance {
		if index < first {
			return 0;
		}
		let start = self.segments_of(first).first;
		let total = self.segments - start;
		let range = self.segments_of(index);
		let until = |segment: SegmentIndex| match total {
			0 => 0,
			_ => economics::mul_div_floor(price, segment.saturating_sub(start), total),
		};
		until(range.first.saturating_add(range.count)).saturating_sub(until(range.first))
	}
}

/// Price of a ramp `elapsed` blocks after it began: from `start` linearly to `max_price`, rounded down, then constant.
pub fn ramp_price(start: Balance, max_price: Balance, duration: BlockNumber, elapsed: BlockNumber) -> Balance {
	let rise = max_price.saturating_sub(start);
	if elapsed >= duration {
		return max_price.max(start);
	}
	start.saturating_add(economics::mul_div_floor(rise, elapsed, duration))
}

/// Index of the best bid: the lowest price, of equal ones the first. Bids are in the order in which they came.
pub fn best_bid<'a>(prices: impl IntoIterator<Item = &'a Balance>) -> Option<usize> {
	let best = |best: Option<(usize, &'a Balance)>, bid: (usize, &'a Balance)| match best {
		Some(best) if best.1 <= bid.1 => Some(best),
		_ => Some(bid),
	};
	prices.into_iter().enumerate().fold(None, best).map(|(index, _)| index)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
