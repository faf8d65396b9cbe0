use crate::{constants::*, *};
use frame_support::{parameter_types, traits::ConstU32};
use sp_runtime::Perbill;

parameter_types! {
	pub const MinBond: Balance = 1_000 * UNIT;
	pub const MinSlash: Perbill = Perbill::from_percent(10);
}

impl pallet_validator_set::Config for Runtime {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Session = Session;
	type MaxValidators = ConstU32<MAX_VALIDATORS>;
	type MinValidators = ConstU32<1>;
	type MinBond = MinBond;
	type BondingSessions = ConstU32<BONDING_SESSIONS>;
	type MinSlash = MinSlash;
	type WeightInfo = pallet_validator_set::weights::SubstrateWeight<Runtime>;
}
