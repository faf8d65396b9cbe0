//! An author that signs two blocks for one slot loses part of its bond: proof, ownership, offence and slash together.

mod chain;

use assay_runtime::*;
use frame_support::{
	assert_noop, assert_ok,
	traits::{fungible::InspectHold, KeyOwnerProofSystem, OnInitialize},
};
use pallet_validator_set::HoldReason;
use sp_consensus_babe::{
	digests::{CompatibleDigestItem, PreDigest, SecondaryVRFPreDigest},
	AuthorityPair, EquivocationProof, Slot,
};
use sp_core::{crypto::VrfSecret, Pair};
use sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::Header as _, Digest, DigestItem};

const SLOT: u64 = 1_000;

fn local_testnet() -> sp_io::TestExternalities {
	chain::of_preset(LOCAL_TESTNET_RUNTIME_PRESET)
}

/// A header of the given slot by Bob, with a seal.
fn sealed(slot: Slot, authority_index: u32, state_root: u8) -> Header {
	let pair = AuthorityPair::from_string("//Bob", None).expect("a well-known key");
	let sign_data = sp_consensus_babe::make_vrf_sign_data(&Babe::randomness(), slot, Babe::epoch_index());
	let vrf_signature = pair.as_ref().vrf_sign(&sign_data);
	let pre = PreDigest::SecondaryVRF(SecondaryVRFPreDigest { authority_index, slot, vrf_signature });
	let digest = Digest { logs: vec![<DigestItem as CompatibleDigestItem>::babe_pre_digest(pre)] };
	let mut header = Header::new(1, Hash::default(), Hash::repeat_byte(state_root), Hash::default(), digest);
	let seal = pair.sign(header.hash().as_ref());
	header.digest_mut().push(<DigestItem as CompatibleDigestItem>::babe_seal(seal));
	header
}

#[test]
fn two_blocks_in_a_slot_burn_part_of_the_bond() {
	local_testnet().execute_with(|| {
		let stash = Sr25519Keyring::BobStash.to_account_id();
		let offender = AuthorityPair::from_string("//Bob", None).expect("a well-known key").public();
		let index = Babe::authorities().iter().position(|(id, _)| *id == offender).expect("Bob validates") as u32;
		// The first block of the chain fixes the slot from which epochs count.
		let first = sealed(Slot::from(SLOT), index, 0);
		System::initialize(&1, &Hash::default(), &Digest { logs: vec![first.digest().logs[0].clone()] });
		Babe::on_initialize(1);

		let proof = EquivocationProof {
			offender: offender.clone(),
			slot: Slot::from(SLOT),
			first_header: sealed(Slot::from(SLOT), index, 1),
			second_header: sealed(Slot::from(SLOT), index, 2),
		};
		assert!(sp_consensus_babe::check_equivocation_proof(proof.clone()));
		let owner = Historical::prove((sp_consensus_babe::KEY_TYPE, offender)).expect("Bob's key has an owner");

		let held = |who: &AccountId| Balances::balance_on_hold(&HoldReason::Bond.into(), who);
		let report = || {
			Babe::report_equivocation(
				RuntimeOrigin::signed(Sr25519Keyring::Ferdie.to_account_id()),
				Box::new(proof.clone()),
				owner.clone(),
			)
		};
		let supply = Balances::total_issuance();
		assert_ok!(report());
		// One of four: the square of three quarters.
		assert_eq!(held(&stash), genesis::BOND - genesis::BOND * 9 / 16);
		assert_eq!(supply - Balances::total_issuance(), genesis::BOND - held(&stash));
		assert!(!pallet_validator_set::Candidates::<Runtime>::get().iter().any(|c| c.account == stash));
		assert_eq!(Session::disabled_validators().len(), 1);

		assert_noop!(report(), pallet_babe::Error::<Runtime>::DuplicateOffenceReport);
		assert_eq!(held(&stash), genesis::BOND - genesis::BOND * 9 / 16);
	});
}
