//! Each call at its dearest: full orders, leases with collateral, longest fields.

use super::*;
use crate::types::{Bid, MAX_ATTEMPTS, MAX_BIDS};
use alloc::vec;
use assay_program::{commitment::ProgramCommitment, Header, Lane};
use assay_protocol::{
	interfaces::Operators,
	job::{Clearing, JobSpec, Offer, Verify, MAX_ENDPOINT},
	parameters::{Parameters, UNIT},
	Balance, JobId, Reason,
};
use frame_benchmarking::v2::*;
use frame_support::traits::{fungible::Unbalanced, tokens::Precision};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};

const MONEY: Balance = 1_000_000 * UNIT;
const WINDOW: u32 = 10;
const DEADLINE: u32 = 1_000_000;

fn funded<T: Config>(seed: u32) -> T::AccountId {
	let who: T::AccountId = account("party", seed, 0);
	let _ = T::NativeBalance::increase_balance(&who, MONEY, Precision::BestEffort);
	who
}

/// A worker with a bond that covers every lease here; the first one is a verifier too.
fn able<T: Config>(seed: u32) -> T::AccountId {
	registered::<T>(seed, MONEY / 2)
}

/// A worker whose bond covers none.
fn unable<T: Config>(seed: u32) -> T::AccountId {
	registered::<T>(seed, CurrentParameters::<T>::get().min_worker_bond)
}

fn registered<T: Config>(seed: u32, bond: Balance) -> T::AccountId {
	let who = funded::<T>(seed);
	T::Operators::enlist(&who, bond);
	who
}

fn spec(clearing: Clearing) -> JobSpec {
	JobSpec {
		program: ProgramCommitment {
			header: Header { version: 1, lane: Lane::F32, seed: [1; 32], steps: 100, batch: 8, segment_steps: 10 },
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
		milestone_segments: 4,
		offer: Offer { max_price: 100 * UNIT, clearing, deadline: DEADLINE },
		verify: Verify { drawn: 1, verifiers: 2, insured_value: 50 * UNIT, fee_per_check: UNIT },
		memory_mib: 64,
		endpoint: vec![b'a'; MAX_ENDPOINT as usize],
	}
}

fn skip<T: Config>(blocks: u32) {
	let now = frame_system::Pallet::<T>::block_number();
	frame_system::Pallet::<T>::set_block_number(now + BlockNumberFor::<T>::from(blocks));
}

fn posted<T: Config>() -> (T::AccountId, JobId) {
	let client = funded::<T>(0);
	let id = NextJob::<T>::get();
	Pallet::<T>::do_post_job(client.clone(), spec(Clearing::BestBid { window: WINDOW })).expect("a valid order");
	(client, id)
}

/// An order with a full list of bids; only the worker with the highest price is able.
fn full_order<T: Config>() -> (T::AccountId, JobId, T::AccountId) {
	let (client, id) = posted::<T>();
	let last = able::<T>(MAX_BIDS);
	let mut job = Jobs::<T>::get(id).expect("posted");
	for at in 1..=MAX_BIDS {
		let worker = if at == MAX_BIDS { last.clone() } else { unable::<T>(at) };
		let bid = Bid { worker, price: Balance::from(at) * UNIT, at: 1 };
		Pallet::<T>::place_bid(id, &mut job, bid).expect("a funded bidder");
	}
	Jobs::<T>::insert(id, job);
	(client, id, last)
}

/// A running lease, the last that the job can have: with it the job ends.
fn leased<T: Config>() -> (T::AccountId, JobId, T::AccountId) {
	let (client, id) = posted::<T>();
	Jobs::<T>::mutate(id, |job| job.as_mut().expect("posted").attempt = MAX_ATTEMPTS - 1);
	let worker = able::<T>(1);
	Pallet::<T>::do_bid(worker.clone(), id, UNIT).expect("an able bidder");
	skip::<T>(WINDOW);
	Pallet::<T>::do_close_auction(id).expect("an able bidder");
	(client, id, worker)
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn post_job() {
		let client = funded::<T>(0);
		#[extrinsic_call]
		_(RawOrigin::Signed(client), spec(Clearing::BestBid { window: WINDOW }));
		assert_eq!(NextJob::<T>::get(), 1);
	}

	#[benchmark]
	fn bid() {
		let (_, id, _) = full_order::<T>();
		let worker = able::<T>(MAX_BIDS + 1);
		#[extrinsic_call]
		_(RawOrigin::Signed(worker.clone()), id, UNIT);
		assert!(matches!(
			Jobs::<T>::get(id).map(|job| job.state),
			Some(JobState::Order(order)) if order.bids.iter().any(|entry| entry.worker == worker)
		));
	}

	/// On a ramp: the lease begins at once.
	#[benchmark]
	fn bid_on_ramp() {
		let client = funded::<T>(0);
		let id = NextJob::<T>::get();
		let ramp = Clearing::Ramp { start: 100 * UNIT, duration: WINDOW };
		Pallet::<T>::do_post_job(client, spec(ramp)).expect("a valid order");
		let worker = able::<T>(1);
		#[extrinsic_call]
		bid(RawOrigin::Signed(worker), id, UNIT);
		assert!(matches!(Jobs::<T>::get(id).map(|job| job.state), Some(JobState::Running(_))));
	}

	#[benchmark]
	fn withdraw_bid() {
		let (_, id, worker) = full_order::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(worker), id);
	}

	#[benchmark]
	fn close_auction() {
		let (client, id, worker) = full_order::<T>();
		skip::<T>(WINDOW);
		#[extrinsic_call]
		_(RawOrigin::Signed(client), id);
		assert!(matches!(
			Jobs::<T>::get(id).map(|job| job.state),
			Some(JobState::Running(lease)) if lease.worker == worker
		));
	}

	#[benchmark]
	fn cancel_job() {
		let (client, id, _) = full_order::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(client), id);
		assert!(Pallet::<T>::view_receipt(id).is_some());
	}

	/// In a lease: the worker is paid its milestone.
	#[benchmark]
	fn cancel_lease() {
		let (client, id, _) = leased::<T>();
		#[extrinsic_call]
		cancel_job(RawOrigin::Signed(client), id);
		assert!(Pallet::<T>::view_receipt(id).is_some());
	}

	#[benchmark]
	fn fail_job() {
		let (_, id, worker) = leased::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(worker), id, Reason::GaveUp);
		assert!(Pallet::<T>::view_receipt(id).is_some());
	}

	#[benchmark]
	fn expire() {
		let (client, id, _) = full_order::<T>();
		skip::<T>(DEADLINE + 1);
		#[extrinsic_call]
		_(RawOrigin::Signed(client), id);
		assert!(Pallet::<T>::view_receipt(id).is_some());
	}

	#[benchmark]
	fn declare_absent() {
		let (client, id, _) = leased::<T>();
		skip::<T>(CurrentParameters::<T>::get().progress_window + 1);
		#[extrinsic_call]
		_(RawOrigin::Signed(client), id);
		assert!(Pallet::<T>::view_receipt(id).is_some());
	}

	#[benchmark]
	fn forget_job() {
		let (client, id) = posted::<T>();
		Pallet::<T>::do_cancel_job(client.clone(), id).expect("an open order");
		skip::<T>(CurrentParameters::<T>::get().unbonding + 1);
		#[extrinsic_call]
		_(RawOrigin::Signed(client), id);
		assert!(!Jobs::<T>::contains_key(id));
	}

	#[benchmark]
	fn set_parameters() {
		#[extrinsic_call]
		_(RawOrigin::Root, Parameters::public());
		assert_eq!(CurrentParameters::<T>::get(), Parameters::public());
	}

	impl_benchmark_test_suite!(Pallet, crate::tests::mock::ext(), crate::tests::mock::Test);
}
