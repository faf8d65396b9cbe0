//! What the benchmarks of our pallets start from. No chain's runtime has this.

use crate::*;
use alloc::vec;
use assay_protocol::{job::JobSpec, parameters::UNIT, JobId};
use frame_support::traits::{fungible::Mutate, Get};
use pallet_operators::{Capabilities, Contact};

/// VRF outputs that a draw reads: far above those of any preset.
const BEACON_BLOCKS: u32 = 256;
/// What every account starts with.
const FUNDS: Balance = 100_000 * UNIT;

/// A chain with a full index of verifiers.
pub struct Setting;

impl pallet_verification::types::BenchmarkHelper<AccountId> for Setting {
	fn lease(spec: JobSpec, verifiers: u32) -> (JobId, AccountId) {
		System::set_block_number(1);
		pallet_market::CurrentParameters::<Runtime>::mutate(|parameters| parameters.beacon_blocks = BEACON_BLOCKS);
		let parameters = pallet_market::CurrentParameters::<Runtime>::get();
		let (client, worker) = (funded("client", 0), funded("worker", 0));
		let capabilities = Capabilities { slots: 1, cores: 1, memory_mib: 1 << 20, devices: Default::default() };
		Operators::register_worker(RuntimeOrigin::signed(worker.clone()), FUNDS / 2, contact(), capabilities)
			.expect("a funded worker registers");
		let most: u32 = <Runtime as pallet_operators::Config>::MaxVerifiers::get();
		for at in 0..most.max(verifiers) {
			// Of differing weight.
			let bond = parameters.min_verifier_bond + UNIT * Balance::from(at);
			let who = funded("verifier", at);
			Operators::register_verifier(RuntimeOrigin::signed(who), bond, contact())
				.expect("a funded verifier registers");
		}
		let (job, price) = (pallet_market::NextJob::<Runtime>::get(), spec.offer.max_price);
		Market::post_job(RuntimeOrigin::signed(client), spec).expect("a valid order");
		Market::bid(RuntimeOrigin::signed(worker.clone()), job, price).expect("an able worker");
		(job, worker)
	}

	fn author() {
		pallet_babe::AuthorVrfRandomness::<Runtime>::put(Some([7; 32]));
	}
}

fn funded(name: &'static str, index: u32) -> AccountId {
	let who = frame_benchmarking::account(name, index, 0);
	Balances::mint_into(&who, FUNDS).expect("far from the greatest balance");
	who
}

fn contact() -> Contact {
	Contact { endpoint: vec![b'a'; 64].try_into().expect("short"), peer_id: vec![7; 38].try_into().expect("short") }
}
