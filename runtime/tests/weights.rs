//! Every call fits a block, and of ours the largest of their kinds: a round with all its openings, the longest move, the
//! largest evidence.

use std::collections::BTreeSet;

use assay_runtime::{configs::BlockWeights, *};
use codec::Decode;
use frame_support::{
	dispatch::{DispatchClass, DispatchInfo, GetDispatchInfo},
	traits::GetCallMetadata,
	weights::Weight,
};
use pallet_disputes::{
	weights::{MAX_BYTES, MAX_OPS},
	WeightInfo as _,
};
use pallet_verification::{types::MAX_CHECKED, WeightInfo as _};

type Disputes = <Runtime as pallet_disputes::Config>::WeightInfo;
type Verification = <Runtime as pallet_verification::Config>::WeightInfo;

/// Calls that carry their weight; only root may make them.
const TOLD: [(&str, &str); 2] = [("Utility", "with_weight"), ("Sudo", "sudo_unchecked_weight")];

/// Most that one transaction of a class may take.
fn most(class: DispatchClass) -> Weight {
	BlockWeights::get().get(class).max_extrinsic.unwrap_or(BlockWeights::get().max_block)
}

/// Bytes of the longest ordinary transaction.
fn longest() -> u32 {
	*<Runtime as frame_system::Config>::BlockLength::get().max.get(DispatchClass::Normal)
}

/// Every call of the runtime, each with the arguments that zeros decode to, or a one and zeros: some enums begin there.
fn calls() -> impl Iterator<Item = RuntimeCall> {
	let indices = (0..=u8::MAX).flat_map(|pallet| (0..=u8::MAX).map(move |call| [pallet, call]));
	indices.filter_map(|index| {
		[0, 1].into_iter().find_map(|first| {
			let bytes: Vec<u8> = index.into_iter().chain([first]).chain([0; 4_096]).collect();
			RuntimeCall::decode(&mut bytes.as_slice()).ok()
		})
	})
}

#[test]
fn every_call_weighs_something_and_fits_a_block() {
	let mut seen = BTreeSet::new();
	for call in calls() {
		let name = call.get_call_metadata();
		let DispatchInfo { call_weight, class, .. } = call.get_dispatch_info();
		let told = TOLD.contains(&(name.pallet_name, name.function_name));
		assert!(told || call_weight.ref_time() > 100_000, "{name:?} weighs nothing");
		assert!(call_weight.all_lte(most(class)), "{name:?} weighs {call_weight:?}");
		seen.insert((name.pallet_name, name.function_name));
	}
	for pallet in RuntimeCall::get_module_names() {
		for call in RuntimeCall::get_call_names(pallet) {
			assert!(seen.contains(&(*pallet, *call)), "{pallet}::{call} was not looked at");
		}
	}
}

#[test]
fn the_largest_round_fits_a_block() {
	assert!(Verification::open(MAX_CHECKED).all_lte(most(DispatchClass::Normal)));
	assert!(Verification::open(MAX_CHECKED).any_gt(Verification::open(1)));
}

#[test]
fn the_longest_move_fits_a_block() {
	let weight = Disputes::play(longest()).saturating_add(Disputes::verdict());
	assert!(weight.all_lte(most(DispatchClass::Normal)), "{weight:?}");
}

/// Whoever refutes a lie must be able to: the referee's largest leaf, and what follows from its verdict, in one transaction.
#[test]
fn the_largest_evidence_fits_a_block() {
	for bytes in [MAX_BYTES, longest()] {
		let weight = Disputes::submit_evidence(bytes, MAX_OPS).saturating_add(Disputes::verdict());
		assert!(weight.all_lte(most(DispatchClass::Normal)), "{bytes} bytes: {weight:?}");
	}
	// More work is dearer, be it operations or bytes, and what is not known is as dear as anything.
	let evidence = Disputes::submit_evidence;
	assert!(evidence(MAX_BYTES, 2).any_gt(evidence(MAX_BYTES, 1)));
	assert!(evidence(MAX_BYTES, 1).any_gt(evidence(1, 1)));
	assert!(evidence(MAX_BYTES, 0).any_gt(evidence(1, 0)));
	for known in [0, 1, MAX_OPS - 1] {
		assert!(evidence(MAX_BYTES, MAX_OPS).all_gte(evidence(MAX_BYTES, known)));
	}
}
