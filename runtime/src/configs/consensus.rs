use crate::{constants::*, *};
use frame_support::{
	parameter_types,
	traits::{ConstU32, ConstU64, Get},
};
use pallet_session::{disabling::UpToLimitWithReEnablingDisablingStrategy, historical};
use sp_consensus_babe::{AllowedSlots, BabeEpochConfiguration};
use sp_runtime::traits::{ConvertInto, OpaqueKeys};

/// One slot in four has a drawn author on average; the others fall to an author in turn. Either way the author signs a
/// VRF, so every block carries randomness that nobody could choose.
pub const BABE_GENESIS_EPOCH_CONFIG: BabeEpochConfiguration =
	BabeEpochConfiguration { c: (1, 4), allowed_slots: AllowedSlots::PrimaryAndSecondaryVRFSlots };

/// Slots of an epoch, fixed at genesis.
pub struct EpochLength;

impl Get<u64> for EpochLength {
	fn get() -> u64 {
		pallet_validator_set::EpochLength::<Runtime>::get()
	}
}

/// Milliseconds of a slot, fixed at genesis.
pub struct SlotDuration;

impl Get<u64> for SlotDuration {
	fn get() -> u64 {
		pallet_validator_set::SlotDuration::<Runtime>::get()
	}
}

/// Blocks are half a slot apart at least.
pub struct MinimumPeriod;

impl Get<u64> for MinimumPeriod {
	fn get() -> u64 {
		SlotDuration::get() / 2
	}
}

/// For how many blocks a report of an equivocation is worth keeping.
pub struct EquivocationReportPeriod;

impl Get<u64> for EquivocationReportPeriod {
	fn get() -> u64 {
		EpochLength::get().saturating_mul(BONDING_SESSIONS.into())
	}
}

type MaxAuthorities = ConstU32<MAX_VALIDATORS>;

impl pallet_babe::Config for Runtime {
	type EpochDuration = EpochLength;
	type ExpectedBlockTime = SlotDuration;
	type EpochChangeTrigger = pallet_babe::ExternalTrigger;
	type DisabledValidators = Session;
	type WeightInfo = ();
	type MaxAuthorities = MaxAuthorities;
	type MaxNominators = ConstU32<0>;
	type KeyOwnerProof = sp_session::MembershipProof;
	type EquivocationReportSystem =
		pallet_babe::EquivocationReportSystem<Self, Offences, Historical, EquivocationReportPeriod>;
}

impl pallet_grandpa::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
	type MaxAuthorities = MaxAuthorities;
	type MaxNominators = ConstU32<0>;
	type MaxSetIdSessionEntries = ConstU64<{ BONDING_SESSIONS as u64 }>;
	type KeyOwnerProof = sp_session::MembershipProof;
	type EquivocationReportSystem =
		pallet_grandpa::EquivocationReportSystem<Self, Offences, Historical, EquivocationReportPeriod>;
}

impl pallet_authorship::Config for Runtime {
	type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Babe>;
	type EventHandler = ();
}

parameter_types! {
	pub const KeyDeposit: Balance = deposit(4, 32 * 6);
}

impl pallet_session::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = Babe;
	type NextSessionRotation = Babe;
	type SessionManager = historical::NoteHistoricalRoot<Self, ValidatorSet>;
	type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
	type Keys = SessionKeys;
	type DisablingStrategy = UpToLimitWithReEnablingDisablingStrategy;
	type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
	type Currency = Balances;
	type KeyDeposit = KeyDeposit;
}

impl historical::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type FullIdentification = ();
	type FullIdentificationOf = pallet_validator_set::Identification;
}

impl pallet_offences::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type IdentificationTuple = historical::IdentificationTuple<Self>;
	type OnOffenceHandler = ValidatorSet;
}

impl pallet_authority_discovery::Config for Runtime {
	type MaxAuthorities = MaxAuthorities;
}
