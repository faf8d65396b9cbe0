//! Weights are wired, the brakes cannot stop what keeps the chain alive, and the clock rules hold together.

use assay_runtime::{configs::*, constants::*, *};
use frame_support::{
	dispatch::GetDispatchInfo,
	traits::{Contains, InstanceFilter},
};
use sp_keyring::Sr25519Keyring;

fn alice() -> Address {
	Sr25519Keyring::Alice.to_account_id().into()
}

/// A call whose weight is still `()` would be free of computation.
#[test]
fn weights_are_wired() {
	let transfer = RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive { dest: alice(), value: UNIT });
	let calls = [
		RuntimeCall::System(frame_system::Call::remark { remark: vec![] }),
		RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: 0 }),
		transfer.clone(),
		RuntimeCall::ValidatorSet(pallet_validator_set::Call::register { bond: UNIT }),
		RuntimeCall::ValidatorSet(pallet_validator_set::Call::raise_bond { extra: UNIT }),
		RuntimeCall::ValidatorSet(pallet_validator_set::Call::leave {}),
		RuntimeCall::ValidatorSet(pallet_validator_set::Call::withdraw {}),
		RuntimeCall::Session(pallet_session::Call::purge_keys {}),
		RuntimeCall::Utility(pallet_utility::Call::batch { calls: vec![] }),
		RuntimeCall::Multisig(pallet_multisig::Call::as_multi_threshold_1 {
			other_signatories: vec![],
			call: Box::new(transfer.clone()),
		}),
		RuntimeCall::Proxy(pallet_proxy::Call::remove_proxies {}),
		RuntimeCall::Sudo(pallet_sudo::Call::remove_key {}),
		RuntimeCall::SafeMode(pallet_safe_mode::Call::force_exit {}),
	];
	for call in calls {
		assert!(call.get_dispatch_info().call_weight.ref_time() > 100_000, "{call:?} weighs nothing");
	}
}

#[test]
fn fees_are_what_a_second_of_computation_and_a_byte_cost() {
	sp_io::TestExternalities::default().execute_with(|| {
		assert_eq!(TransactionPayment::weight_to_fee(MAXIMUM_BLOCK_WEIGHT), 2 * UNIT);
		assert_eq!(TransactionPayment::length_to_fee(1_000_000), UNIT);
	});
}

#[test]
fn safe_mode_lets_through_what_keeps_the_chain_alive() {
	let inherent = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: 0 });
	let way_out = RuntimeCall::SafeMode(pallet_safe_mode::Call::force_exit {});
	let transfer = RuntimeCall::Balances(pallet_balances::Call::transfer_all { dest: alice(), keep_alive: true });
	assert!(NeverFiltered::contains(&inherent));
	assert!(NeverFiltered::contains(&way_out));
	assert!(!NeverFiltered::contains(&transfer));
}

#[test]
fn the_way_out_cannot_be_paused() {
	let name = |pallet: &str| {
		(pallet.as_bytes().to_vec().try_into().expect("short"), b"any".to_vec().try_into().expect("short"))
	};
	assert!(NeverPaused::contains(&name("TxPause")));
	assert!(NeverPaused::contains(&name("Timestamp")));
	assert!(!NeverPaused::contains(&name("Balances")));
}

#[test]
fn a_validation_proxy_moves_no_money() {
	let transfer = RuntimeCall::Balances(pallet_balances::Call::transfer_all { dest: alice(), keep_alive: true });
	let leave = RuntimeCall::ValidatorSet(pallet_validator_set::Call::leave {});
	assert!(ProxyType::Validation.filter(&leave));
	assert!(!ProxyType::Validation.filter(&transfer));
	assert!(!ProxyType::NonTransfer.filter(&transfer));
	assert!(ProxyType::Any.is_superset(&ProxyType::Validation));
	assert!(!ProxyType::Validation.is_superset(&ProxyType::NonTransfer));
}

#[test]
fn a_block_fits_its_weights_and_the_runtime_its_limits() {
	let weights = BlockWeights::get();
	weights.clone().validate().expect("the block's weights are consistent");
	assert_eq!(weights.max_block, MAXIMUM_BLOCK_WEIGHT);
	// The hooks must find a block's VRF output recorded: Babe comes before every pallet that reads it.
	let order = AllPalletsWithSystem::names();
	let position = |name: &str| order.iter().position(|found| *found == name);
	assert!(position("Babe") < position("ValidatorSet"));
	assert!(position("Balances") < position("ValidatorSet"));
	assert!(position("ValidatorSet") < position("Session"));
}

/// The pallets in the order in which their hooks run.
trait Names {
	fn names() -> Vec<&'static str>;
}

impl<T: frame_support::traits::PalletsInfoAccess> Names for T {
	fn names() -> Vec<&'static str> {
		T::infos().into_iter().map(|info| info.name).collect()
	}
}
