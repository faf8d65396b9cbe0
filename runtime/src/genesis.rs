//! The states chains start from. A chain specification names one and may override parts of it.

use crate::{configs::BABE_GENESIS_EPOCH_CONFIG, constants::UNIT, *};
use alloc::{string::ToString, vec, vec::Vec};
use assay_protocol::parameters::Parameters;
use frame_support::build_struct_json_patch;
use serde_json::Value;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// What each well-known account of a test chain starts with.
pub const ENDOWMENT: Balance = 10_000_000 * UNIT;
/// What each first validator of a test chain has bonded.
pub const BOND: Balance = 100_000 * UNIT;

/// How fast a chain goes.
struct Speed {
	/// Milliseconds of a slot.
	slot: u64,
	/// Slots of an epoch.
	epoch: u64,
}

/// One validator, Alice, and a block every second.
fn development() -> Value {
	preset(
		&[(Sr25519Keyring::Alice, Ed25519Keyring::Alice)],
		Speed { slot: 1_000, epoch: 60 },
		Parameters::development(),
	)
}

/// Four validators, Alice to Dave, at the speed of a public network.
fn local_testnet() -> Value {
	preset(
		&[
			(Sr25519Keyring::Alice, Ed25519Keyring::Alice),
			(Sr25519Keyring::Bob, Ed25519Keyring::Bob),
			(Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
			(Sr25519Keyring::Dave, Ed25519Keyring::Dave),
		],
		Speed { slot: 6_000, epoch: 100 },
		Parameters::development(),
	)
}

/// A chain of well-known accounts whose `validators` bond from their stash; Alice has sudo.
fn preset(validators: &[(Sr25519Keyring, Ed25519Keyring)], speed: Speed, parameters: Parameters) -> Value {
	let stashes: Vec<_> = validators
		.iter()
		.filter_map(|(validator, finalizer)| Some((stash_of(*validator)?, session_keys(*validator, *finalizer))))
		.collect();
	build_struct_json_patch!(RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: Sr25519Keyring::well_known().map(|who| (who.to_account_id(), ENDOWMENT)).collect::<Vec<_>>(),
		},
		validator_set: pallet_validator_set::GenesisConfig {
			validators: stashes.iter().map(|(stash, _)| (stash.clone(), BOND)).collect::<Vec<_>>(),
			slot_duration: speed.slot,
			epoch_length: speed.epoch,
		},
		session: pallet_session::GenesisConfig {
			keys: stashes.into_iter().map(|(stash, keys)| (stash.clone(), stash, keys)).collect::<Vec<_>>(),
		},
		babe: pallet_babe::GenesisConfig { epoch_config: BABE_GENESIS_EPOCH_CONFIG },
		market: pallet_market::GenesisConfig { parameters: Some(parameters) },
		sudo: pallet_sudo::GenesisConfig { key: Some(Sr25519Keyring::Alice.to_account_id()) },
	})
}

/// The account that bonds for a validator, so that its everyday account holds nothing.
fn stash_of(validator: Sr25519Keyring) -> Option<AccountId> {
	let stash = match validator {
		Sr25519Keyring::Alice => Sr25519Keyring::AliceStash,
		Sr25519Keyring::Bob => Sr25519Keyring::BobStash,
		Sr25519Keyring::Charlie => Sr25519Keyring::CharlieStash,
		Sr25519Keyring::Dave => Sr25519Keyring::DaveStash,
		_ => return None,
	};
	Some(stash.to_account_id())
}

fn session_keys(validator: Sr25519Keyring, finalizer: Ed25519Keyring) -> SessionKeys {
	SessionKeys {
		babe: validator.public().into(),
		grandpa: finalizer.public().into(),
		authority_discovery: validator.public().into(),
	}
}

/// The preset of the given name as JSON.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
	let patch = match id.as_ref() {
		DEV_RUNTIME_PRESET => development(),
		LOCAL_TESTNET_RUNTIME_PRESET => local_testnet(),
		_ => return None,
	};
	Some(patch.to_string().into_bytes())
}

/// The names of the presets.
pub fn preset_names() -> Vec<PresetId> {
	vec![PresetId::from(DEV_RUNTIME_PRESET), PresetId::from(LOCAL_TESTNET_RUNTIME_PRESET)]
}
