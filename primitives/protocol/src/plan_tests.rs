use super::*;
use crate::job::{Offer, Verify};
use alloc::vec::Vec;
use assay_program::{commitment::ProgramCommitment, Header, Lane};
use proptest::prelude::*;

/// Above the least of the chain.
const FEE: Balance = crate::parameters::UNIT / 100 + 7;

fn spec(steps: u64, segment_steps: u32, milestone_segments: u32, drawn: u32) -> JobSpec {
	JobSpec {
		program: ProgramCommitment {
			header: Header { version: 1, lane: Lane::F32, seed: [1; 32], steps, batch: 4, segment_steps },
			n_tensors: 5,
			n_ops: 3,
			n_updates: 1,
			n_state: 1,
			tensors_root: [2; 32],
			ops_root: [3; 32],
			updates_root: [4; 32],
		},
		program_blob: [5; 32],
		initial_root: [6; 32],
		milestone_segments,
		offer: Offer { max_price: 1_000_003, clearing: Clearing::BestBid { window: 5 }, deadline: 1000 },
		verify: Verify { drawn, verifiers: 2, insured_value: 10, fee_per_check: FEE },
		memory_mib: 64,
		endpoint: b"/ip4/127.0.0.1/tcp/1".to_vec(),
	}
}

fn refusal(change: impl FnOnce(&mut JobSpec)) -> Option<Reason> {
	let mut spec = spec(100, 5, 4, 2);
	change(&mut spec);
	spec.validate(&Parameters::development()).err()
}

#[test]
fn success_basic() {
	let plan = spec(103, 5, 4, 2).validate(&Parameters::development()).unwrap();
	assert_eq!((plan.segments, plan.milestones), (21, 6));
	assert_eq!(plan.steps_of(20), 100..103);
	assert_eq!(plan.steps_of(21), 103..103);
	assert_eq!(plan.segments_of(5), SegmentRange { first: 20, count: 1 });
	assert_eq!(plan.segments_of(6).count, 0);
	assert_eq!(plan.checked_segments(0), 3);
	assert_eq!(plan.checked_segments(5), 1);
	// Five milestones of 3 checked segments and one of 1, and 3 for a failed one, each by 2 verifiers.
	assert_eq!(plan.escrow, 1_000_003 + (5 * 3 + 1 + 3) * 2 * FEE);
}

#[test]
fn collateral_covers_checks_and_deposit() {
	let parameters = Parameters::development();
	let mut spec = spec(103, 5, 4, 2);
	// Three checked segments of a milestone by 2 verifiers, twice; above the price of 5.
	assert_eq!(spec.collateral(5, &parameters), Some(3 * 2 * FEE * 2));
	spec.verify.fee_per_check = 1;
	assert_eq!(spec.collateral(5, &parameters), Some(parameters.bid_deposit));
	assert_eq!(spec.collateral(parameters.bid_deposit, &parameters), Some(2 * parameters.bid_deposit));
}

#[test]
fn refusals_name_their_field() {
	assert_eq!(refusal(|_| ()), None);
	assert_eq!(refusal(|s| s.program.header.version = 2), Some(Reason::VersionUnknown));
	assert_eq!(refusal(|s| s.program.n_ops = 0), Some(Reason::ProgramEmpty));
	assert_eq!(refusal(|s| s.program.n_ops = u32::MAX), Some(Reason::ProgramEmpty));
	assert_eq!(refusal(|s| s.program.n_state = 0), Some(Reason::ProgramEmpty));
	assert_eq!(refusal(|s| s.program.n_state = MAX_TENSORS), None);
	assert_eq!(refusal(|s| s.program.n_state = MAX_TENSORS + 1), Some(Reason::ProgramEmpty));
	assert_eq!(refusal(|s| s.program.header.steps = 0), Some(Reason::StepsOutOfRange));
	assert_eq!(refusal(|s| s.program.header.steps = u64::MAX), Some(Reason::StepsOutOfRange));
	assert_eq!(refusal(|s| s.program.header.segment_steps = 0), Some(Reason::SegmentStepsOutOfRange));
	assert_eq!(refusal(|s| s.program.header.segment_steps = 101), Some(Reason::SegmentStepsOutOfRange));
	let long = |s: &mut JobSpec| (s.program.header.steps, s.program.header.segment_steps) = (MAX_STEPS, 1);
	assert_eq!(refusal(long), Some(Reason::TooManySegments));
	assert_eq!(refusal(|s| s.milestone_segments = 0), Some(Reason::MilestoneSegmentsOutOfRange));
	assert_eq!(refusal(|s| s.milestone_segments = 21), Some(Reason::MilestoneSegmentsOutOfRange));
	assert_eq!(refusal(|s| s.verify.drawn = 0), Some(Reason::DrawnOutOfRange));
	assert_eq!(refusal(|s| s.verify.drawn = 4), Some(Reason::DrawnOutOfRange));
	assert_eq!(refusal(|s| s.verify.verifiers = 0), Some(Reason::VerifiersOutOfRange));
	assert_eq!(refusal(|s| s.verify.verifiers = MAX_VERIFIERS + 1), Some(Reason::VerifiersOutOfRange));
	let least = Parameters::development().min_fee_per_check;
	assert_eq!(refusal(|s| s.verify.fee_per_check = least - 1), Some(Reason::FeeTooSmall));
	assert_eq!(refusal(|s| s.verify.fee_per_check = least), None);
	assert_eq!(refusal(|s| s.verify.fee_per_check = Balance::MAX), Some(Reason::AmountTooLarge));
	assert_eq!(refusal(|s| s.verify.insured_value = Balance::MAX), Some(Reason::AmountTooLarge));
	assert_eq!(refusal(|s| s.offer.max_price = 4), Some(Reason::PriceTooSmall));
	assert_eq!(refusal(|s| s.offer.max_price = Balance::MAX), Some(Reason::AmountTooLarge));
	assert_eq!(refusal(|s| s.offer.clearing = Clearing::BestBid { window: 0 }), Some(Reason::WindowInvalid));
	assert_eq!(refusal(|s| s.offer.clearing = Clearing::BestBid { window: 1000 }), Some(Reason::WindowInvalid));
	let ramp = |start, duration| move |s: &mut JobSpec| s.offer.clearing = Clearing::Ramp { start, duration };
	assert_eq!(refusal(ramp(1_000_004, 10)), Some(Reason::RampInvalid));
	assert_eq!(refusal(ramp(1, 0)), Some(Reason::RampInvalid));
	assert_eq!(refusal(ramp(1, 10)), None);
	assert_eq!(refusal(|s| s.offer.deadline = 6), Some(Reason::DeadlineTooSoon));
	assert_eq!(refusal(|s| s.offer.deadline = (1 << 22) + 1), Some(Reason::DeadlineTooLate));
	assert_eq!(refusal(|s| s.endpoint.clear()), Some(Reason::EndpointInvalid));
	assert_eq!(refusal(|s| s.endpoint = alloc::vec![b'x'; 129]), Some(Reason::EndpointInvalid));
	assert_eq!(refusal(|s| s.memory_mib = 0), Some(Reason::MemoryInvalid));
}

#[test]
fn one_segment_milestones_need_no_draw() {
	assert_eq!(refusal(|s| (s.milestone_segments, s.verify.drawn) = (1, 0)), None);
	assert_eq!(refusal(|s| (s.milestone_segments, s.verify.drawn) = (1, 1)), Some(Reason::DrawnOutOfRange));
}

proptest! {
	#[test]
	fn ranges_partition_the_job(steps in 1u64..5000, segment_steps in 1u32..40, per in 1u32..20) {
		let spec = spec(steps, segment_steps, per, u32::from(per > 1));
		let Ok(plan) = spec.validate(&Parameters::development()) else { return Ok(()) };
		let mut at = 0;
		for segment in 0..plan.segments {
			let steps = plan.steps_of(segment);
			prop_assert!(steps.start == at && steps.end > at);
			prop_assert_eq!(plan.segment_of(steps.start), Some(segment));
			prop_assert_eq!(plan.segment_of(steps.end - 1), Some(segment));
			let milestone = plan.milestone_of(segment).unwrap();
			prop_assert!(plan.segments_of(milestone).end_of(segment).is_some());
			at = steps.end;
		}
		prop_assert_eq!(at, plan.steps);
		prop_assert_eq!(plan.segment_of(steps), None);
		prop_assert_eq!(plan.milestone_of(plan.segments), None);
		let counts: u32 = (0..plan.milestones).map(|m| plan.segments_of(m).count).sum();
		prop_assert_eq!(counts, plan.segments);
	}

	#[test]
	fn payments_sum_to_the_price(
		steps in 1u64..5000, segment_steps in 1u32..40, per in 1u32..20, price: u128, first in 0u32..50,
	) {
		let spec = spec(steps, segment_steps, per, u32::from(per > 1));
		let Ok(plan) = spec.validate(&Parameters::development()) else { return Ok(()) };
		let first = first % plan.milestones;
		let payments: Vec<u128> = (0..plan.milestones + 3).map(|m| plan.milestone_price(price, first, m)).collect();
		prop_assert_eq!(payments.iter().sum::<u128>(), price);
		prop_assert!(payments[..first as usize].iter().all(|p| *p == 0));
		prop_assert!(payments[plan.milestones as usize..].iter().all(|p| *p == 0));
		let fees: u128 = (first..plan.milestones).map(|m| plan.fees_of(m).unwrap()).sum();
		prop_assert_eq!(plan.fees_from(first), Some(fees));
	}

	#[test]
	fn ramp_rises_from_start_to_maximum(a: u128, b: u128, duration in 1u32.., x: u32, y: u32) {
		let (start, max) = (a.min(b), a.max(b));
		let (x, y) = (x.min(y), x.max(y));
		prop_assert_eq!(ramp_price(start, max, duration, 0), start);
		prop_assert_eq!(ramp_price(start, max, duration, duration), max);
		prop_assert!(ramp_price(start, max, duration, x) <= ramp_price(start, max, duration, y));
		prop_assert!(ramp_price(start, max, duration, y) <= max);
	}

	#[test]
	fn best_bid_is_the_first_lowest(prices in prop::collection::vec(0u128..10, 0..12)) {
		let expected = prices.iter().min().and_then(|least| prices.iter().position(|price| price == least));
		prop_assert_eq!(best_bid(&prices), expected);
	}

	#[test]
	fn any_specification_is_judged_without_panic(
		steps: u64, segment_steps: u32, per: u32, drawn: u32, verifiers: u32, price: u128, fee: u128, value: u128,
		start: u128, duration: u32, deadline: u32, ramp: bool,
	) {
		let mut spec = spec(steps, segment_steps, per, drawn);
		let clearing =
			if ramp { Clearing::Ramp { start, duration } } else { Clearing::BestBid { window: duration } };
		spec.offer = Offer { max_price: price, clearing, deadline };
		spec.verify = Verify { drawn, verifiers, insured_value: value, fee_per_check: fee };
		let _ = spec.validate(&Parameters::public());
	}
}
