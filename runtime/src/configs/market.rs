use crate::*;

impl pallet_market::Config for Runtime {
	type RuntimeHoldReason = RuntimeHoldReason;
	type NativeBalance = Balances;
	type Operators = Operators;
	type Rounds = Verification;
	type Clock = Clock;
	type WeightInfo = pallet_market::weights::SubstrateWeight<Runtime>;
}
