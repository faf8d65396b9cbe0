use crate::*;
use frame_support::traits::{ConstU32, Get};

/// The VRF output of the author of the block that is being finalised. BABE takes it up in its own `on_finalize`, and BABE
/// stands before `Verification`.
pub struct AuthorVrf;

impl Get<Option<assay_protocol::Hash>> for AuthorVrf {
	fn get() -> Option<assay_protocol::Hash> {
		pallet_babe::AuthorVrfRandomness::<Runtime>::get()
	}
}

impl pallet_verification::Config for Runtime {
	type VrfSource = AuthorVrf;
	type Leases = Market;
	type Operators = Operators;
	type Court = Disputes;
	type Clock = Clock;
	type BeaconLength = ConstU32<4_096>;
	type WeightInfo = pallet_verification::weights::SubstrateWeight<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = super::benchmarks::Setting;
}
