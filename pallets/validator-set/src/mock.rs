use crate as pallet_validator_set;
use crate::Identification;
use frame_support::{derive_impl, parameter_types};
use pallet_session::{disabling::UpToLimitWithReEnablingDisablingStrategy, historical, PeriodicSessions};
use sp_runtime::{
	impl_opaque_keys,
	testing::UintAuthorityId,
	traits::{ConstU32, ConstU64, ConvertInto, IdentityLookup},
	BuildStorage, Perbill,
};

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(2)]
	pub type ValidatorSet = pallet_validator_set;
	#[runtime::pallet_index(3)]
	pub type Historical = pallet_session::historical;
	#[runtime::pallet_index(4)]
	pub type Session = pallet_session;
}

type Block = frame_system::mocking::MockBlock<Test>;

impl_opaque_keys! {
	pub struct Keys {
		pub dummy: UintAuthorityId,
	}
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = u64;
	type Lookup = IdentityLookup<u64>;
	type AccountData = pallet_balances::AccountData<u64>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
}

impl pallet_session::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = u64;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = PeriodicSessions<ConstU64<10>, ConstU64<0>>;
	type NextSessionRotation = PeriodicSessions<ConstU64<10>, ConstU64<0>>;
	type SessionManager = historical::NoteHistoricalRoot<Test, ValidatorSet>;
	type SessionHandler = pallet_session::TestSessionHandler;
	type Keys = Keys;
	type DisablingStrategy = UpToLimitWithReEnablingDisablingStrategy;
	type WeightInfo = ();
	type Currency = Balances;
	type KeyDeposit = ConstU64<0>;
}

impl historical::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type FullIdentification = ();
	type FullIdentificationOf = Identification;
}

parameter_types! {
	pub const MinSlash: Perbill = Perbill::from_percent(10);
}

impl pallet_validator_set::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Session = Session;
	type MaxValidators = ConstU32<4>;
	type MinValidators = ConstU32<2>;
	type MinBond = ConstU64<100>;
	type BondingSessions = ConstU32<4>;
	type MinSlash = MinSlash;
	type WeightInfo = ();
}

pub(crate) const FIRST_BONDS: [(u64, u64); 3] = [(1, 1_000), (2, 2_000), (3, 3_000)];

/// Accounts 1 to 3 validate from genesis; 4 to 6 have keys and money, 7 money alone.
pub(crate) fn storage() -> sp_runtime::Storage {
	let keys = |who: u64| (who, who, Keys { dummy: UintAuthorityId(who) });
	RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: (1..=7).map(|who| (who, 10_000)).collect(),
			..Default::default()
		},
		validator_set: pallet_validator_set::GenesisConfig {
			validators: FIRST_BONDS.to_vec(),
			slot_duration: 1_000,
			epoch_length: 20,
		},
		session: pallet_session::GenesisConfig {
			keys: (1..=3).map(keys).collect(),
			non_authority_keys: (4..=6).map(keys).collect(),
		},
		..Default::default()
	}
	.build_storage()
	.expect("the genesis configuration is consistent")
}

/// Runs `test` on the genesis state, then checks the invariants.
pub(crate) fn run(test: impl FnOnce()) {
	sp_io::TestExternalities::new(storage()).execute_with(|| {
		System::set_block_number(1);
		test();
		ValidatorSet::do_try_state().expect("the invariants hold");
	});
}

/// Ends `count` sessions.
pub(crate) fn rotate(count: u32) {
	(0..count).for_each(|_| Session::rotate_session());
}
