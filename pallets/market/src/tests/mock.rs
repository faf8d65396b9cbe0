//! The pallet over real balances and real operators.

use crate::{self as pallet_market, Job, JobState};
use assay_protocol::{
	interfaces::Rounds,
	job::{Clearing, JobSpec, Offer, Verify},
	parameters::{Parameters, UNIT},
	Balance, JobId,
};
use frame_support::{assert_ok, derive_impl, parameter_types, traits::fungible::InspectHold};
use pallet_operators::{Capabilities, Contact};
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
	#[runtime::pallet_index(40)]
	pub type Operators = pallet_operators;
	#[runtime::pallet_index(41)]
	pub type Market = pallet_market;
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
	pub const MaxVerifiers: u32 = 64;
	/// What `verification` would say.
	pub static Undecided: bool = false;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ExistentialDeposit;
	type AccountStore = System;
}

impl pallet_operators::Config for Test {
	type Clock = System;
	type RuntimeHoldReason = RuntimeHoldReason;
	type NativeBalance = Balances;
	type Parameters = Market;
	type MaxVerifiers = MaxVerifiers;
	type WeightInfo = pallet_operators::weights::SubstrateWeight<Test>;
}

/// The rounds of a chain without `verification`, which sits above this pallet.
pub struct Switch;
impl Rounds for Switch {
	fn undecided(_: JobId, _: u32) -> bool {
		Undecided::get()
	}
}

impl crate::Config for Test {
	type Clock = System;
	type RuntimeHoldReason = RuntimeHoldReason;
	type NativeBalance = Balances;
	type Operators = Operators;
	type Rounds = Switch;
	type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

/// Free balance that accounts 0 to 59 start with.
pub(crate) const FUNDS: Balance = 10_000 * UNIT;
/// Account that posts jobs.
pub(crate) const CLIENT: u64 = 1;
/// Worker with a bond of [`BOND`] and four slots.
pub(crate) const ALICE: u64 = 10;
/// Another.
pub(crate) const BOB: u64 = 11;
/// Bond of the workers.
pub(crate) const BOND: Balance = 1_000 * UNIT;
/// Accounts that check.
pub(crate) const CHECKERS: [u64; 2] = [20, 21];
/// Blocks of the bidding window.
pub(crate) const WINDOW: u32 = 5;
/// Blocks of the job.
pub(crate) const DEADLINE: u32 = 500;

/// Externalities for benchmarks and tests.
pub(crate) fn ext() -> sp_io::TestExternalities {
	let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().expect("test storage builds");
	pallet_balances::GenesisConfig::<Test> {
		balances: (0..60).map(|who| (who, FUNDS)).collect(),
		..Default::default()
	}
	.assimilate_storage(&mut storage)
	.expect("balances fit");
	crate::GenesisConfig::<Test> { parameters: Some(Parameters::development()), ..Default::default() }
		.assimilate_storage(&mut storage)
		.expect("parameters fit");
	storage.into()
}

/// Runs a test with two workers, and checks the invariants of both pallets after it.
pub(crate) fn run(test: impl FnOnce()) {
	ext().execute_with(|| {
		Undecided::set(false);
		System::set_block_number(1);
		worker(ALICE);
		worker(BOB);
		let issued = Balances::total_issuance();
		test();
		check();
		assert!(Balances::total_issuance() <= issued, "money was made");
	});
}

/// The invariants of both pallets.
pub(crate) fn check() {
	Market::do_try_state().expect("market invariants hold");
	Operators::do_try_state().expect("operators invariants hold");
}

pub(crate) fn signed(who: u64) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

/// Registers a worker.
pub(crate) fn worker(who: u64) {
	let contact = Contact {
		endpoint: b"/ip4/127.0.0.1/tcp/4001".to_vec().try_into().expect("short"),
		peer_id: vec![7; 38].try_into().expect("short"),
	};
	let capabilities = Capabilities { slots: 4, cores: 2, memory_mib: 1_024, devices: Default::default() };
	assert_ok!(Operators::register_worker(signed(who), BOND, contact, capabilities));
}

/// Ten segments in milestones of 4, 4 and 2; one drawn and the last checked, by two verifiers.
pub(crate) fn spec() -> JobSpec {
	crate::tests::spec::spec(Clearing::BestBid { window: WINDOW })
}

/// The same, sold on a ramp from 10 to 100 units in 90 blocks.
pub(crate) fn ramp() -> JobSpec {
	crate::tests::spec::spec(Clearing::Ramp { start: 10 * UNIT, duration: 90 })
}

/// The offer of [`spec`].
pub(crate) fn offer() -> Offer {
	spec().offer
}

/// The verification of [`spec`].
pub(crate) fn verify() -> Verify {
	spec().verify
}

/// Posts a job by [`CLIENT`].
pub(crate) fn post(spec: JobSpec) -> JobId {
	let id = crate::NextJob::<Test>::get();
	assert_ok!(Market::post_job(signed(CLIENT), spec));
	id
}

/// Posts [`spec`] and gives the lease to `who` for `price`.
pub(crate) fn leased(who: u64, price: Balance) -> JobId {
	let id = post(spec());
	lease(id, who, price);
	id
}

/// Gives the lease of an order to `who` for `price`.
pub(crate) fn lease(id: JobId, who: u64, price: Balance) {
	assert_ok!(Market::bid(signed(who), id, price));
	skip(WINDOW);
	assert_ok!(Market::close_auction(signed(0), id));
}

/// Lets blocks pass.
pub(crate) fn skip(blocks: u32) {
	System::set_block_number(System::block_number() + u64::from(blocks));
}

/// A job's record.
pub(crate) fn job(id: JobId) -> Job<u64> {
	crate::Jobs::<Test>::get(id).expect("posted")
}

/// Why a job was closed.
pub(crate) fn closed(id: JobId) -> Option<assay_protocol::Reason> {
	match job(id).state {
		JobState::Closed(closing) => Some(closing.reason),
		_ => None,
	}
}

/// All that an account has on hold.
pub(crate) fn on_hold(who: u64) -> Balance {
	Balances::total_balance_on_hold(&who)
}

/// Everything an account owns.
pub(crate) fn wealth(who: u64) -> Balance {
	Balances::free_balance(who) + on_hold(who)
}
