//! The pallet over real balances.

use crate::{self as pallet_operators, types::*, HoldReason};
use assay_protocol::{
	parameters::{Parameters, UNIT},
	Balance,
};
use frame_support::{derive_impl, parameter_types, traits::fungible::InspectHold};
use sp_runtime::{traits::IdentityLookup, BuildStorage};

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeTask,
		RuntimeHoldReason,
		RuntimeFreezeReason
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(2)]
	pub type Operators = pallet_operators;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type AccountId = u64;
	type Lookup = IdentityLookup<u64>;
	type Block = frame_system::mocking::MockBlock<Test>;
	type AccountData = pallet_balances::AccountData<Balance>;
}

parameter_types! {
	pub const ExistentialDeposit: Balance = UNIT / 1_000;
	pub const MaxVerifiers: u32 = 4;
	pub static Current: Parameters = Parameters::development();
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ExistentialDeposit;
	type AccountStore = System;
}

impl crate::Config for Test {
	type Clock = System;
	type RuntimeHoldReason = RuntimeHoldReason;
	type NativeBalance = Balances;
	type Parameters = Current;
	type MaxVerifiers = MaxVerifiers;
	type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

/// Free balance that accounts 0 to 19 start with.
pub(crate) const FUNDS: Balance = 10_000 * UNIT;
/// Least bond of either role in the tests.
pub(crate) const MIN: Balance = 100 * UNIT;

/// Externalities for benchmarks and tests.
pub(crate) fn ext() -> sp_io::TestExternalities {
	let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().expect("test storage builds");
	pallet_balances::GenesisConfig::<Test> {
		balances: (0..20).map(|who| (who, FUNDS)).collect(),
		..Default::default()
	}
	.assimilate_storage(&mut storage)
	.expect("balances fit");
	storage.into()
}

/// Runs a test and checks the invariants after it.
pub(crate) fn run(test: impl FnOnce()) {
	ext().execute_with(|| {
		System::set_block_number(1);
		test();
		Operators::do_try_state().expect("invariants hold after the test");
	});
}

pub(crate) fn signed(who: u64) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

pub(crate) fn contact() -> Contact {
	Contact {
		endpoint: b"/ip4/127.0.0.1/udp/4001/quic-v1".to_vec().try_into().expect("short"),
		peer_id: vec![7; 38].try_into().expect("short"),
	}
}

pub(crate) fn capabilities(slots: u32) -> Capabilities {
	Capabilities { slots, cores: 2, memory_mib: 1_024, devices: Default::default() }
}

/// Registers `who` as a worker with `bond` and two slots.
pub(crate) fn worker(who: u64, bond: Balance) {
	frame_support::assert_ok!(Operators::register_worker(signed(who), bond, contact(), capabilities(2)));
}

/// Registers `who` as a verifier with `bond`.
pub(crate) fn verifier(who: u64, bond: Balance) {
	frame_support::assert_ok!(Operators::register_verifier(signed(who), bond, contact()));
}

/// The record of an operator.
pub(crate) fn record(role: Role, who: u64) -> Operator {
	crate::Registry::<Test>::get(role, who).expect("registered")
}

pub(crate) fn held(role: Role, who: u64) -> Balance {
	Balances::balance_on_hold(&HoldReason::of(role).into(), &who)
}
