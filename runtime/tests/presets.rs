//! The genesis presets build, and the chains they make have the promised properties.

use assay_runtime::{constants::*, *};
use frame_support::traits::{fungible::InspectHold, Get};
use pallet_validator_set::HoldReason;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::Sr25519Keyring;

mod chain;

use chain::of_preset as genesis_of;

#[test]
fn every_named_preset_builds() {
	for name in genesis::preset_names() {
		genesis_of(name.as_ref()).execute_with(|| {
			assert!(!Babe::authorities().is_empty());
			assert_eq!(Babe::authorities().len(), Grandpa::grandpa_authorities().len());
		});
	}
	assert!(genesis::get_preset(&PresetId::from("no such preset")).is_none());
}

#[test]
fn development_is_one_validator_and_a_block_a_second() {
	genesis_of(DEV_RUNTIME_PRESET).execute_with(|| {
		assert_eq!(Session::validators(), vec![Sr25519Keyring::AliceStash.to_account_id()]);
		assert_eq!(Babe::slot_duration(), 1_000);
		assert_eq!(<Runtime as pallet_timestamp::Config>::MinimumPeriod::get(), 500);
		for who in [Sr25519Keyring::Alice, Sr25519Keyring::Bob, Sr25519Keyring::Ferdie] {
			assert_eq!(Balances::free_balance(who.to_account_id()), genesis::ENDOWMENT);
		}
		assert_eq!(pallet_sudo::Key::<Runtime>::get(), Some(Sr25519Keyring::Alice.to_account_id()));
	});
}

#[test]
fn local_testnet_is_four_bonded_validators_at_public_speed() {
	genesis_of(LOCAL_TESTNET_RUNTIME_PRESET).execute_with(|| {
		assert_eq!(Session::validators().len(), 4);
		assert_eq!(Babe::slot_duration(), 6_000);
		for validator in Session::validators() {
			assert_eq!(Balances::balance_on_hold(&HoldReason::Bond.into(), &validator), genesis::BOND);
		}
	});
}

#[test]
fn every_block_carries_a_vrf_output() {
	genesis_of(DEV_RUNTIME_PRESET).execute_with(|| {
		let slots = Babe::epoch_config().map(|config| config.allowed_slots);
		assert_eq!(slots, Some(sp_consensus_babe::AllowedSlots::PrimaryAndSecondaryVRFSlots));
	});
}

#[test]
fn token_and_address_properties() {
	assert_eq!(UNIT, 10u128.pow(DECIMALS.into()));
	assert_eq!(<Runtime as frame_system::Config>::SS58Prefix::get(), SS58_PREFIX);
	assert_eq!(
		sp_core::crypto::Ss58Codec::to_ss58check_with_version(
			&Sr25519Keyring::Alice.to_account_id(),
			sp_core::crypto::Ss58AddressFormat::custom(SS58_PREFIX),
		),
		"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
	);
	assert!(<Runtime as pallet_balances::Config>::ExistentialDeposit::get() > 0);
}
