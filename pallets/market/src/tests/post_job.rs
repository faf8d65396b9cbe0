use super::mock::*;
use crate::{Error, Event, HoldReason, JobState, NextJob};
use assay_protocol::{
	job::{Clearing, Offer, Verify},
	parameters::UNIT,
	Reason,
};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use sp_runtime::{DispatchError, TokenError};

/// Checks of milestones of 4, 4 and 2 segments: (2 + 2 + 2) x 2, and 2 x 2 for a first failed milestone; one unit each.
const FEES: u128 = 16 * UNIT;

#[test]
fn success_holds_escrow_and_deposit() {
	run(|| {
		let id = post(spec());
		assert_eq!(Balances::balance_on_hold(&HoldReason::Escrow.into(), &CLIENT), 100 * UNIT + FEES);
		assert_eq!(Balances::balance_on_hold(&HoldReason::OrderDeposit.into(), &CLIENT), UNIT);
		assert_eq!(Market::escrow_for(spec()), Ok(100 * UNIT + FEES));
		let job = job(id);
		assert_eq!((job.segments, job.milestones, job.attempt), (10, 3, 0));
		assert!(matches!(job.state, JobState::Order(_)));
		assert_eq!(job.verified.root, spec().initial_root);
		System::assert_last_event(Event::JobPosted { job: id, client: CLIENT, escrow: 100 * UNIT + FEES }.into());
	});
}

#[test]
fn success_jobs_are_numbered() {
	run(|| {
		assert_eq!((post(spec()), post(ramp())), (0, 1));
		assert_eq!(NextJob::<Test>::get(), 2);
	});
}

#[test]
fn success_later_parameters_do_not_change_a_job() {
	run(|| {
		let id = post(spec());
		let before = job(id).parameters;
		let changed = assay_protocol::parameters::Parameters { bid_deposit: 7, progress_window: 1, ..before };
		assert_ok!(Market::set_parameters(RuntimeOrigin::root(), changed));
		assert_eq!(job(id).parameters, before);
		assert_ok!(Market::bid(signed(ALICE), id, UNIT));
		assert_eq!(Balances::balance_on_hold(&HoldReason::BidDeposit.into(), &ALICE), before.bid_deposit);
	});
}

#[test]
fn fails_when_the_specification_is_refused() {
	run(|| {
		let refused = |spec, reason: Reason| {
			assert_noop!(Market::post_job(signed(CLIENT), spec), Error::<Test>::SpecRefused(reason.into()));
		};
		let mut zero_steps = spec();
		zero_steps.program.header.steps = 0;
		refused(zero_steps, Reason::StepsOutOfRange);
		refused(assay_protocol::job::JobSpec { endpoint: vec![b'a'; 129], ..spec() }, Reason::EndpointInvalid);
		let verify = Verify { fee_per_check: u128::MAX, ..verify() };
		refused(assay_protocol::job::JobSpec { verify, ..spec() }, Reason::AmountTooLarge);
		let offer = Offer { clearing: Clearing::BestBid { window: 0 }, ..offer() };
		refused(assay_protocol::job::JobSpec { offer, ..spec() }, Reason::WindowInvalid);
	});
}

#[test]
fn fails_when_the_escrow_is_not_covered() {
	run(|| {
		let offer = Offer { max_price: FUNDS, ..offer() };
		let call = Market::post_job(signed(CLIENT), assay_protocol::job::JobSpec { offer, ..spec() });
		assert_noop!(call, TokenError::FundsUnavailable);
	});
}

#[test]
fn fails_when_unsigned() {
	run(|| {
		assert_noop!(Market::post_job(RuntimeOrigin::none(), spec()), DispatchError::BadOrigin);
	});
}

#[test]
fn boundary_all_but_the_existential_deposit() {
	run(|| {
		let most = FUNDS - FEES - UNIT - ExistentialDeposit::get();
		let with = |max_price| assay_protocol::job::JobSpec { offer: Offer { max_price, ..offer() }, ..spec() };
		assert_noop!(Market::post_job(signed(CLIENT), with(most + 1)), TokenError::FundsUnavailable);
		assert_ok!(Market::post_job(signed(CLIENT), with(most)));
	});
}

#[test]
fn boundary_a_refusal_fits_a_dispatch_error() {
	use frame_support::traits::PalletError;
	const { assert!(<Error<Test> as PalletError>::MAX_ENCODED_SIZE <= frame_support::MAX_MODULE_ERROR_ENCODED_SIZE) };
}
