//! A chain of real pallets, a real program and both sides of every conflict. Shared with the tests of `pallet-disputes`.
#![allow(dead_code)]

pub(crate) mod players;
pub(crate) mod program;

use assay_commitment::{boundary, derive_salt, BlindAnswer, MilestoneTree, SegmentRange};
use assay_protocol::{
	dispute::{
		player::{next_move, Action},
		Side,
	},
	interfaces::LeaseView,
	job::{Clearing, JobSpec, Offer, Verify},
	parameters::{Parameters, UNIT},
	records::{disputes::DisputeRecord, verification::MilestoneRecord},
	round::{CheckState, Phase, SegmentOpening},
	Balance, Hash, JobId,
};
use assay_referee::Evidence;
use frame_support::{
	assert_ok, derive_impl, parameter_types,
	traits::{fungible::InspectHold, Get, OnFinalize, OnInitialize},
};
use program::{Run, MILESTONE_SEGMENTS};
use sp_runtime::{traits::IdentityLookup, AccountId32, BuildStorage, DispatchResult};
use std::collections::{BTreeMap, BTreeSet};

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
	#[runtime::pallet_index(42)]
	pub type Verification = pallet_verification;
	#[runtime::pallet_index(43)]
	pub type Disputes = pallet_disputes;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type AccountId = AccountId32;
	type Lookup = IdentityLookup<AccountId32>;
	type Block = frame_system::mocking::MockBlockU32<Test>;
	type AccountData = pallet_balances::AccountData<Balance>;
}

parameter_types! {
	pub const ExistentialDeposit: Balance = UNIT / 1_000;
	pub const MaxVerifiers: u32 = 64;
	pub const BeaconLength: u32 = 16;
	pub const MaxOpenPerJob: u32 = 64;
	/// Whether block authors give VRF outputs.
	pub static Authored: bool = true;
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

impl pallet_market::Config for Test {
	type Clock = System;
	type RuntimeHoldReason = RuntimeHoldReason;
	type NativeBalance = Balances;
	type Operators = Operators;
	type Rounds = Verification;
	type WeightInfo = pallet_market::weights::SubstrateWeight<Test>;
}

/// A VRF output for every block: BABE itself needs a chain.
pub struct Vrf;
impl Get<Option<Hash>> for Vrf {
	fn get() -> Option<Hash> {
		Authored::get().then(|| sp_io::hashing::blake2_256(&System::block_number().to_le_bytes()))
	}
}

impl pallet_verification::Config for Test {
	type VrfSource = Vrf;
	type Leases = Market;
	type Operators = Operators;
	type Court = Disputes;
	type Clock = System;
	type BeaconLength = BeaconLength;
	type WeightInfo = pallet_verification::weights::SubstrateWeight<Test>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Setting;
}

/// What the benchmarks start from.
#[cfg(feature = "runtime-benchmarks")]
pub struct Setting;

#[cfg(feature = "runtime-benchmarks")]
impl pallet_verification::types::BenchmarkHelper<Account> for Setting {
	fn lease(spec: JobSpec, verifiers: u32) -> (JobId, Account) {
		System::set_block_number(1);
		let fund = |who: &Account| {
			assert_ok!(<Balances as frame_support::traits::fungible::Mutate<_>>::mint_into(who, FUNDS));
		};
		fund(&CLIENT);
		fund(&WORKER);
		register_worker(&WORKER);
		for id in 0..verifiers {
			let who = account(100 + id as u8);
			fund(&who);
			register_verifier(&who);
		}
		let price = spec.offer.max_price;
		assert_ok!(Market::post_job(signed(&CLIENT), spec));
		assert_ok!(Market::bid(signed(&WORKER), JOB, price));
		(JOB, WORKER)
	}

	// Every block has one.
	fn author() {}
}

impl pallet_disputes::Config for Test {
	type Leases = Market;
	type OnVerdict = Verification;
	type Clock = System;
	type MaxOpenPerJob = MaxOpenPerJob;
	type WeightInfo = pallet_disputes::weights::SubstrateWeight<Test>;
}

pub(crate) type Account = AccountId32;

pub(crate) const fn account(id: u8) -> Account {
	AccountId32::new([id; 32])
}

/// Posts the job.
pub(crate) const CLIENT: Account = account(1);
/// Has the lease.
pub(crate) const WORKER: Account = account(2);
/// Another worker.
pub(crate) const RIVAL: Account = account(3);
/// Calls what anyone may.
pub(crate) const ANYONE: Account = account(4);
/// Registered verifiers.
pub(crate) const VERIFIERS: [Account; 6] =
	[account(10), account(11), account(12), account(13), account(14), account(15)];
/// What each account starts with.
pub(crate) const FUNDS: Balance = 10_000 * UNIT;
/// Bond of a worker.
pub(crate) const WORKER_BOND: Balance = 1_000 * UNIT;
/// Bond of a verifier.
pub(crate) const VERIFIER_BOND: Balance = 200 * UNIT;
/// Price of the whole job.
pub(crate) const PRICE: Balance = 80 * UNIT;
/// Fee of one check.
pub(crate) const FEE: Balance = UNIT;
/// The job of every test.
pub(crate) const JOB: JobId = 0;

pub(crate) fn signed(who: &Account) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.clone())
}

/// The state before block 1: funded accounts, development parameters.
pub(crate) fn ext() -> sp_io::TestExternalities {
	let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().expect("builds");
	let balances = (1..=20).map(|id| (account(id), FUNDS)).collect();
	pallet_balances::GenesisConfig::<Test> { balances, ..Default::default() }
		.assimilate_storage(&mut storage)
		.expect("balances fit");
	pallet_market::GenesisConfig::<Test> { parameters: Some(Parameters::development()), ..Default::default() }
		.assimilate_storage(&mut storage)
		.expect("parameters fit");
	storage.into()
}

/// Runs a test on a chain with two workers and all verifiers; checks the invariants of all pallets after it.
pub(crate) fn run(test: impl FnOnce()) {
	ext().execute_with(|| {
		System::set_block_number(1);
		register_worker(&WORKER);
		register_worker(&RIVAL);
		VERIFIERS.iter().for_each(register_verifier);
		let issued = Balances::total_issuance();
		test();
		check();
		assert!(Balances::total_issuance() <= issued, "money was made");
	});
}

/// The invariants of all pallets, and those between them.
pub(crate) fn check() {
	Operators::do_try_state().expect("operators");
	Market::do_try_state().expect("market");
	Verification::do_try_state().expect("verification");
	Disputes::do_try_state().expect("disputes");
	let mut pending: BTreeMap<Account, u32> = BTreeMap::new();
	let mut disputed = BTreeSet::new();
	for (job, index, record) in pallet_verification::Milestones::<Test>::iter() {
		for entry in record.round.phase.segments() {
			for check in entry.checks.iter().filter(|check| check.state.is_live()) {
				*pending.entry(check.verifier.clone()).or_default() += 1;
				if let CheckState::Disputed { found_root } = check.state {
					disputed.insert((job, index, entry.segment, check.verifier.clone(), found_root));
				}
			}
		}
	}
	for verifier in &VERIFIERS {
		let operator = pallet_operators::Registry::<Test>::get(pallet_operators::Role::Verifier, verifier);
		let duties = operator.map_or(0, |operator| operator.state.duties());
		assert_eq!(duties, pending.get(verifier).copied().unwrap_or(0), "every live check is one duty");
	}
	let open: BTreeSet<_> = pallet_disputes::Disputes::<Test>::iter_values()
		.map(|record| record.accusation)
		.map(|a| (a.job, a.milestone, a.segment, a.challenger, a.found_root))
		.collect();
	assert_eq!(open, disputed, "every disputed check has its dispute");
}

fn contact() -> pallet_operators::Contact {
	pallet_operators::Contact {
		endpoint: b"/ip4/127.0.0.1/tcp/4001".to_vec().try_into().expect("short"),
		peer_id: vec![7; 38].try_into().expect("short"),
	}
}

fn register_worker(who: &Account) {
	let capabilities =
		pallet_operators::Capabilities { slots: 4, cores: 2, memory_mib: 1_024, devices: Default::default() };
	assert_ok!(Operators::register_worker(signed(who), WORKER_BOND, contact(), capabilities));
}

fn register_verifier(who: &Account) {
	assert_ok!(Operators::register_verifier(signed(who), VERIFIER_BOND, contact()));
}

/// A call's result without its weight.
pub(crate) fn bare(result: frame_support::dispatch::DispatchResultWithPostInfo) -> sp_runtime::DispatchResult {
	result.map(|_| ()).map_err(|refused| refused.error)
}

/// Keeps all of a verifier's bond busy, as checks of other jobs would.
pub(crate) fn fill(verifiers: &[Account]) {
	use assay_protocol::interfaces::Operators as _;
	verifiers.iter().for_each(|who| while Operators::lock_check(who).is_ok() {});
}

/// Undoes [`fill`].
pub(crate) fn vacate(verifiers: &[Account]) {
	use assay_protocol::interfaces::Operators as _;
	for who in verifiers {
		let operator = pallet_operators::Registry::<Test>::get(pallet_operators::Role::Verifier, who);
		for _ in 0..operator.map_or(0, |operator| operator.state.duties()) {
			Operators::release_check(who, true);
		}
	}
}

/// Ends this block and the next `count - 1`.
pub(crate) fn skip(count: u32) {
	for _ in 0..count {
		let block = System::block_number();
		AllPalletsWithSystem::on_finalize(block);
		System::set_block_number(block + 1);
		AllPalletsWithSystem::on_initialize(block + 1);
	}
}

/// Two milestones of four segments; one drawn and the last checked, each by `verifiers`.
pub(crate) fn spec(run: &Run, verifiers: u32) -> JobSpec {
	JobSpec {
		program: run.trees.commitment().clone(),
		program_blob: [1; 32],
		initial_root: run.roots[0],
		milestone_segments: MILESTONE_SEGMENTS,
		offer: Offer { max_price: PRICE, clearing: Clearing::Ramp { start: PRICE, duration: 10 }, deadline: 1_000 },
		verify: Verify { drawn: 1, verifiers, insured_value: 10 * UNIT, fee_per_check: FEE },
		memory_mib: 64,
		endpoint: b"/ip4/127.0.0.1/tcp/4000".to_vec(),
	}
}

/// Posts the job with `verifiers` per segment and gives its lease to [`WORKER`].
pub(crate) fn lease(honest: &Run, verifiers: u32) {
	assert_ok!(Market::post_job(signed(&CLIENT), spec(honest, verifiers)));
	assert_ok!(Market::bid(signed(&WORKER), JOB, PRICE));
}

/// The lease as verification sees it.
pub(crate) fn view() -> LeaseView<Account> {
	<Market as assay_protocol::interfaces::Leases<Account>>::lease(JOB).expect("a running lease")
}

pub(crate) fn range(index: u32) -> SegmentRange {
	SegmentRange { first: index * MILESTONE_SEGMENTS, count: MILESTONE_SEGMENTS }
}

fn salt(segment: u32) -> Hash {
	derive_salt(&[3; 32], JOB, segment + 1)
}

/// The worker's tree over a milestone's boundaries.
pub(crate) fn milestone_tree(run: &Run, index: u32) -> MilestoneTree {
	let range = range(index);
	let boundaries = (range.first..range.first + range.count)
		.map(|segment| boundary(&salt(segment), JOB, segment + 1, &run.root_after(segment + 1)))
		.collect();
	MilestoneTree::build(boundaries).expect("segments")
}

pub(crate) fn boundary_opening(run: &Run, index: u32, segment: u32) -> assay_commitment::BoundaryOpening {
	milestone_tree(run, index)
		.open(range(index), segment, salt(segment), run.root_after(segment + 1))
		.expect("in the milestone")
}

/// The opening of a drawn segment: the state before it and after it.
pub(crate) fn opening(run: &Run, index: u32, segment: u32) -> SegmentOpening {
	let pre = (segment > range(index).first).then(|| boundary_opening(run, index, segment - 1));
	SegmentOpening { pre, post: boundary_opening(run, index, segment) }
}

pub(crate) fn commit(run: &Run, index: u32) -> DispatchResult {
	Verification::commit_milestone(signed(&WORKER), JOB, index, milestone_tree(run, index).root())
}

/// Waits for the beacon and draws.
pub(crate) fn draw(index: u32) {
	skip(Parameters::development().beacon_blocks + 1);
	assert_ok!(Verification::draw(signed(&ANYONE), JOB, index));
}

/// Commits, waits for the beacon and draws.
pub(crate) fn commit_and_draw(run: &Run, index: u32) {
	assert_ok!(commit(run, index));
	draw(index);
}

pub(crate) fn record(index: u32) -> MilestoneRecord<Account> {
	pallet_verification::Milestones::<Test>::get(JOB, index).expect("a milestone in verification")
}

/// Pending assignments: segment and verifier.
pub(crate) fn assigned(index: u32) -> Vec<(u32, Account)> {
	let mut assigned = Vec::new();
	for entry in record(index).round.phase.segments() {
		for check in entry.checks.iter().filter(|check| check.state.is_live()) {
			assigned.push((entry.segment, check.verifier.clone()));
		}
	}
	assigned
}

/// A verifier's answer from its own run, which starts where the worker's does.
pub(crate) fn answer(run: &Run, index: u32, segment: u32, verifier: &Account) -> BlindAnswer {
	BlindAnswer {
		verifier: verifier.clone().into(),
		nonce: [segment as u8; 32],
		job: JOB,
		milestone: index,
		segment,
		pre_root: run.root_after(segment),
		post_root: run.root_after(segment + 1),
	}
}

pub(crate) fn commit_blind(index: u32, segment: u32, verifier: &Account, answer: &BlindAnswer) -> DispatchResult {
	Verification::commit_blind(signed(verifier), JOB, index, segment, answer.commitment())
}

pub(crate) fn reveal(index: u32, segment: u32, verifier: &Account, answer: &BlindAnswer) -> DispatchResult {
	let BlindAnswer { nonce, pre_root, post_root, .. } = *answer;
	Verification::reveal(signed(verifier), JOB, index, segment, nonce, pre_root, post_root)
}

pub(crate) fn open(run: &Run, index: u32) -> DispatchResult {
	let openings: Vec<_> =
		record(index).round.phase.segments().iter().map(|entry| opening(run, index, entry.segment)).collect();
	Verification::open(signed(&WORKER), JOB, index, openings.try_into().expect("few"))
}

/// All assigned verifiers commit what `answer_of` says.
pub(crate) fn commit_all(index: u32, answer_of: impl Fn(u32, &Account) -> BlindAnswer) {
	for (segment, verifier) in assigned(index) {
		assert_ok!(commit_blind(index, segment, &verifier, &answer_of(segment, &verifier)));
	}
}

/// All assigned verifiers reveal what `answer_of` says.
pub(crate) fn reveal_all(index: u32, answer_of: impl Fn(u32, &Account) -> BlindAnswer) {
	for (segment, verifier) in assigned(index) {
		assert_ok!(reveal(index, segment, &verifier, &answer_of(segment, &verifier)));
	}
}

/// A drawn milestone goes through blind commitments and opening: verifiers compute by `verifiers`, the worker by `worker`.
pub(crate) fn until_reveal(worker: &Run, verifiers: &Run, index: u32) {
	commit_all(index, |segment, verifier| answer(verifiers, index, segment, verifier));
	assert_ok!(open(worker, index));
}

/// An honest milestone from commitment to payment.
pub(crate) fn verify(run: &Run, index: u32) {
	commit_and_draw(run, index);
	until_reveal(run, run, index);
	reveal_all(index, |segment, verifier| answer(run, index, segment, verifier));
	assert_ok!(Verification::settle(signed(&ANYONE), JOB, index));
}

/// A lie in the segment of milestone 0 that is always checked: its last.
pub(crate) const LAST: u32 = MILESTONE_SEGMENTS - 1;

/// Milestone 0 is committed by `worker`, checked by `verifiers`, and every verifier of the last segment has revealed its
/// difference. Returns the first dispute's number.
pub(crate) fn disputed(worker: &Run, verifiers: &Run) -> u64 {
	commit_and_draw(worker, 0);
	until_reveal(worker, verifiers, 0);
	reveal_all(0, |segment, verifier| answer(verifiers, 0, segment, verifier));
	0
}

pub(crate) fn dispute(id: u64) -> DisputeRecord<Account> {
	pallet_disputes::Disputes::<Test>::get(id).expect("a running dispute")
}

/// The next action of the side to move.
pub(crate) fn next_action(id: u64, worker: &Run, verifier: &Run) -> (Account, Action) {
	let DisputeRecord { accusation, state, context, .. } = dispute(id);
	let side = state.phase.to_move();
	let (who, by) = match side {
		Side::Defender => (accusation.defender, worker),
		Side::Challenger => (accusation.challenger, verifier),
	};
	let Ok(action) = next_move(&state, &context, side, &mut players::By(by));
	(who, action.expect("it is this side's turn"))
}

/// Plays a dispute to its leaf, one move per block.
pub(crate) fn play_to_leaf(id: u64, worker: &Run, verifier: &Run) -> Evidence {
	loop {
		match next_action(id, worker, verifier) {
			(who, Action::Move(played)) => {
				assert_ok!(Disputes::play(signed(&who), id, Box::new(played)));
			}
			(_, Action::Evidence(evidence)) => return *evidence,
		}
		skip(1);
	}
}

/// Plays a dispute to the referee's verdict.
pub(crate) fn play_out(id: u64, worker: &Run, verifier: &Run) {
	let evidence = play_to_leaf(id, worker, verifier);
	assert_ok!(Disputes::submit_evidence(signed(&ANYONE), id, Box::new(evidence)));
}

/// Free balance.
pub(crate) fn free(who: &Account) -> Balance {
	Balances::free_balance(who)
}

/// Bond on hold of an operator, any role.
pub(crate) fn bond(who: &Account) -> Balance {
	Balances::total_balance_on_hold(who)
}

pub(crate) fn events() -> Vec<RuntimeEvent> {
	System::events().into_iter().map(|entry| entry.event).collect()
}

/// Whether the round is in its opening phase.
pub(crate) fn is_opening(index: u32) -> bool {
	matches!(record(index).round.phase, Phase::Opening { .. })
}
