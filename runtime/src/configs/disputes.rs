use crate::*;
use frame_support::traits::ConstU32;

impl pallet_disputes::Config for Runtime {
	type Leases = Market;
	type OnVerdict = Verification;
	type Clock = Clock;
	type MaxOpenPerJob = ConstU32<{ assay_protocol::plan::MAX_LIVE_CHECKS }>;
	type WeightInfo = pallet_disputes::weights::SubstrateWeight<Runtime>;
}
