//! Who may stop what: sudo for the time of the first networks, a safe mode, single calls paused, and migrations that
//! take several blocks. Neither brake can stop what brings the chain back or keeps it alive.

use crate::{constants::*, *};
use frame_support::{
	migrations::{EnterSafeModeOnFailedMigration, FreezeChainOnFailedMigration, MultiStepMigrator},
	parameter_types,
	traits::{ConstU32, Contains, Get},
	weights::Weight,
};
use frame_system::{EnsureRoot, EnsureRootWithSuccess};
use pallet_tx_pause::RuntimeCallNameOf;
use sp_runtime::Perbill;

impl pallet_sudo::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}

/// Calls that pass in safe mode: inherents, reports of equivocations, validators' keys and the way out.
pub struct NeverFiltered;

impl Contains<RuntimeCall> for NeverFiltered {
	fn contains(call: &RuntimeCall) -> bool {
		matches!(
			call,
			RuntimeCall::System(..)
				| RuntimeCall::Timestamp(..)
				| RuntimeCall::Babe(..)
				| RuntimeCall::Grandpa(..)
				| RuntimeCall::Session(..)
				| RuntimeCall::Sudo(..)
				| RuntimeCall::SafeMode(..)
				| RuntimeCall::TxPause(..)
				| RuntimeCall::MultiBlockMigrations(..)
		)
	}
}

/// Calls that cannot be paused, by pallet name: the same ones.
pub struct NeverPaused;

impl Contains<RuntimeCallNameOf<Runtime>> for NeverPaused {
	fn contains((pallet, _): &RuntimeCallNameOf<Runtime>) -> bool {
		const PALLETS: [&[u8]; 9] = [
			b"System",
			b"Timestamp",
			b"Babe",
			b"Grandpa",
			b"Session",
			b"Sudo",
			b"SafeMode",
			b"TxPause",
			b"MultiBlockMigrations",
		];
		PALLETS.contains(&pallet.as_slice())
	}
}

parameter_types! {
	pub const SafeModeDuration: BlockNumber = DAYS;
	pub const NoDeposit: Option<Balance> = None;
	pub const NoRelease: Option<BlockNumber> = None;
}

impl pallet_safe_mode::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type WhitelistedCalls = NeverFiltered;
	type EnterDuration = SafeModeDuration;
	type ExtendDuration = SafeModeDuration;
	// Nobody can buy a stop of the chain.
	type EnterDepositAmount = NoDeposit;
	type ExtendDepositAmount = NoDeposit;
	type ForceEnterOrigin = EnsureRootWithSuccess<AccountId, SafeModeDuration>;
	type ForceExtendOrigin = EnsureRootWithSuccess<AccountId, SafeModeDuration>;
	type ForceExitOrigin = EnsureRoot<AccountId>;
	type ForceDepositOrigin = EnsureRoot<AccountId>;
	type Notify = ();
	type ReleaseDelay = NoRelease;
	type WeightInfo = pallet_safe_mode::weights::SubstrateWeight<Runtime>;
}

impl pallet_tx_pause::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PauseOrigin = EnsureRoot<AccountId>;
	type UnpauseOrigin = EnsureRoot<AccountId>;
	type WhitelistedCalls = NeverPaused;
	type MaxNameLen = ConstU32<256>;
	type WeightInfo = pallet_tx_pause::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	/// Half a block a step.
	pub MigrationServiceWeight: Weight = Perbill::from_percent(50) * MAXIMUM_BLOCK_WEIGHT;
}

impl pallet_migrations::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	#[cfg(not(feature = "runtime-benchmarks"))]
	type Migrations = ();
	#[cfg(feature = "runtime-benchmarks")]
	type Migrations = pallet_migrations::mock_helpers::MockedMigrations;
	type CursorMaxLen = ConstU32<65_536>;
	type IdentifierMaxLen = ConstU32<256>;
	type MigrationStatusHandler = ();
	type FailedMigrationHandler = EnterSafeModeOnFailedMigration<SafeMode, FreezeChainOnFailedMigration>;
	type MaxServiceWeight = MigrationServiceWeight;
	type WeightInfo = pallet_migrations::weights::SubstrateWeight<Runtime>;
}

/// Whether users cannot do what the protocol asks of them in time: in safe mode, during a migration, or while a call of one of
/// its pallets is paused.
pub struct CannotTransact;

impl Get<bool> for CannotTransact {
	fn get() -> bool {
		SafeMode::is_entered()
			|| <MultiBlockMigrations as MultiStepMigrator>::ongoing()
			|| pallet_tx_pause::PausedCalls::<Runtime>::iter_keys().any(|(pallet, _)| is_timed(&pallet))
	}
}

/// Whether calls of this pallet have to be made in time.
fn is_timed(pallet: &[u8]) -> bool {
	// The last three carry calls of operators that act through them.
	[&b"Operators"[..], b"Market", b"Verification", b"Disputes", b"Utility", b"Proxy", b"Multisig"].contains(&pallet)
}

impl pallet_clock::Config for Runtime {
	type IsPaused = CannotTransact;
}
