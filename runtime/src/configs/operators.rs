use crate::*;
use frame_support::traits::ConstU32;

impl pallet_operators::Config for Runtime {
	type RuntimeHoldReason = RuntimeHoldReason;
	type NativeBalance = Balances;
	type Parameters = Market;
	type MaxVerifiers = ConstU32<1_024>;
	type Clock = Clock;
	type WeightInfo = pallet_operators::weights::SubstrateWeight<Runtime>;
}
