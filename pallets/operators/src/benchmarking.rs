//! Each call at its dearest: with a full index of verifiers and longest fields.

use super::*;
use crate::types::{Device, MAX_DEVICES, MAX_DEVICE_NAME, MAX_PEER_ID, MAX_SLOTS};
use alloc::vec;
use assay_protocol::{job::MAX_ENDPOINT, Balance};
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{fungible::Unbalanced, tokens::Precision, Get},
	BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};

/// An account with money for many bonds.
fn funded<T: Config>(seed: u32) -> T::AccountId {
	let who: T::AccountId = account("operator", seed, 0);
	let amount = Pallet::<T>::min_bond(Role::Worker).max(Pallet::<T>::min_bond(Role::Verifier)).saturating_mul(100);
	let _ = T::NativeBalance::increase_balance(&who, amount, Precision::BestEffort);
	who
}

fn contact() -> Contact {
	Contact {
		endpoint: BoundedVec::truncate_from(vec![b'a'; MAX_ENDPOINT as usize]),
		peer_id: BoundedVec::truncate_from(vec![7; MAX_PEER_ID as usize]),
	}
}

fn capabilities() -> Capabilities {
	let model = BoundedVec::truncate_from(vec![b'a'; MAX_DEVICE_NAME as usize]);
	let device = Device { model, count: 8, memory_mib: 81_920 };
	Capabilities {
		slots: MAX_SLOTS,
		cores: 64,
		memory_mib: 1 << 20,
		devices: BoundedVec::truncate_from(vec![device; MAX_DEVICES as usize]),
	}
}

/// Fills the index but for one entry.
fn fill_index<T: Config>() {
	let mut ready: alloc::vec::Vec<_> = (1..T::MaxVerifiers::get())
		.map(|at| Drawable { who: account("filler", at, 0), weight: Balance::from(at), since: 0 })
		.collect();
	ready.sort_by(|a: &Drawable<T::AccountId>, b| a.who.cmp(&b.who));
	ReadyVerifiers::<T>::put(BoundedVec::truncate_from(ready));
	VerifierCount::<T>::put(T::MaxVerifiers::get().saturating_sub(1));
}

/// A registered verifier in a full index.
fn verifier<T: Config>() -> T::AccountId {
	fill_index::<T>();
	let who = funded::<T>(0);
	let bond = Pallet::<T>::min_bond(Role::Verifier);
	Pallet::<T>::do_register_verifier(who.clone(), bond, contact()).expect("a funded account registers");
	who
}

fn worker<T: Config>() -> T::AccountId {
	let who = funded::<T>(0);
	let bond = Pallet::<T>::min_bond(Role::Worker);
	Pallet::<T>::do_register_worker(who.clone(), bond, contact(), capabilities()).expect("a funded account registers");
	who
}

/// Registers a funded account as a worker. The first one becomes a verifier too, in an index that is full with it: what
/// counts in every role of an operator is then at its dearest.
pub(crate) fn enlist<T: Config>(who: &T::AccountId, bond: Balance) {
	Pallet::<T>::do_register_worker(who.clone(), bond, contact(), capabilities()).expect("a funded account registers");
	if VerifierCount::<T>::get() == 0 {
		fill_index::<T>();
		let bond = Pallet::<T>::min_bond(Role::Verifier);
		Pallet::<T>::do_register_verifier(who.clone(), bond, contact()).expect("a funded account registers");
	}
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register_worker() {
		let who = funded::<T>(0);
		let bond = Pallet::<T>::min_bond(Role::Worker);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), bond, contact(), capabilities());
		assert!(Registry::<T>::contains_key(Role::Worker, who));
	}

	#[benchmark]
	fn register_verifier() {
		fill_index::<T>();
		let who = funded::<T>(0);
		let bond = Pallet::<T>::min_bond(Role::Verifier);
		#[extrinsic_call]
		_(RawOrigin::Signed(who), bond, contact());
		assert_eq!(VerifierCount::<T>::get(), T::MaxVerifiers::get());
	}

	#[benchmark]
	fn bond_more() {
		let who = verifier::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), Role::Verifier, 1_000);
		assert_eq!(
			Registry::<T>::get(Role::Verifier, who).map(|operator| operator.bond),
			Some(Pallet::<T>::min_bond(Role::Verifier) + 1_000)
		);
	}

	#[benchmark]
	fn update_endpoint() {
		let who = worker::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(who), Role::Worker, contact());
	}

	#[benchmark]
	fn update_capabilities() {
		let who = worker::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(who), capabilities());
	}

	#[benchmark]
	fn set_draining() {
		let who = verifier::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), Role::Verifier);
		assert!(Registry::<T>::get(Role::Verifier, who).is_some_and(|operator| !operator.state.takes_work()));
	}

	#[benchmark]
	fn set_ready() {
		let who = verifier::<T>();
		Pallet::<T>::do_set_draining(who.clone(), Role::Verifier).expect("it is ready");
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), Role::Verifier);
		assert!(Registry::<T>::get(Role::Verifier, who).is_some_and(|operator| operator.state.takes_work()));
	}

	#[benchmark]
	fn unbond() {
		let who = verifier::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(who), Role::Verifier, Pallet::<T>::min_bond(Role::Verifier));
		assert_eq!(ReadyVerifiers::<T>::get().len() as u32, T::MaxVerifiers::get().saturating_sub(1));
	}

	#[benchmark]
	fn withdraw() {
		let who = verifier::<T>();
		Pallet::<T>::do_unbond(who.clone(), Role::Verifier, Pallet::<T>::min_bond(Role::Verifier)).expect("it is free");
		let at = T::Parameters::get().unbonding.saturating_add(1);
		frame_system::Pallet::<T>::set_block_number(
			BlockNumberFor::<T>::from(at) + frame_system::Pallet::<T>::block_number(),
		);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), Role::Verifier);
		assert!(!Registry::<T>::contains_key(Role::Verifier, who));
	}

	impl_benchmark_test_suite!(Pallet, crate::tests::mock::ext(), crate::tests::mock::Test);
}
