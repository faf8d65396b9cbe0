//! Random sequences of every call of both pallets and of everything `verification` reports: money is conserved, the
//! invariants hold, and whatever is left open can be closed with nothing on hold.

use super::mock::*;
use crate::{Job, JobState, Jobs, NextJob};
use assay_protocol::{
	interfaces::{Leases, Operators as _, VerifierFault, WorkerFault},
	job::{Clearing, JobSpec},
	parameters::UNIT,
	Balance, JobId, Reason,
};
use frame_support::assert_ok;
use pallet_operators::{Capabilities, Contact, Role};

/// A small generator, so that a failing seed reproduces itself.
struct Random(u64);

impl Random {
	/// SplitMix64.
	fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	fn below(&mut self, n: u64) -> u64 {
		self.next() % n
	}

	fn chance(&mut self, one_in: u64) -> bool {
		self.below(one_in) == 0
	}

	fn pick<T: Copy>(&mut self, from: &[T]) -> T {
		from[self.below(from.len() as u64) as usize]
	}

	fn amount(&mut self, below: Balance) -> Balance {
		Balance::from(self.next()) * Balance::from(self.next()) % below
	}
}

const CLIENTS: [u64; 2] = [1, 2];
const WORKERS: [u64; 4] = [ALICE, BOB, 12, 13];

fn random_spec(random: &mut Random) -> JobSpec {
	let mut spec = if random.chance(2) { spec() } else { ramp() };
	spec.program.header.steps = 1 + random.below(200);
	spec.program.header.segment_steps = 1 + random.below(20) as u32;
	spec.milestone_segments = 1 + random.below(6) as u32;
	spec.offer.max_price = 1 + random.amount(200 * UNIT);
	spec.offer.deadline = 20 + random.below(300) as u32;
	spec.verify.drawn = random.below(4) as u32;
	spec.verify.verifiers = 1 + random.below(3) as u32;
	spec.verify.fee_per_check = random.amount(2 * UNIT);
	spec.verify.insured_value = random.amount(60 * UNIT);
	if let Clearing::Ramp { start, .. } = &mut spec.offer.clearing {
		*start = (*start).min(spec.offer.max_price);
	}
	spec
}

/// What happened of note, so that a fuzzer that reaches nothing fails.
#[derive(Default, Debug)]
struct Reached {
	posted: u32,
	leases: u32,
	milestones: u32,
	faults: u32,
	refused: u32,
}

struct Run {
	random: Random,
	reached: Reached,
	/// Burned so far, by the records of the jobs and by slashes of verifiers.
	burned: Balance,
}

impl Run {
	fn step(&mut self) {
		let random = &mut self.random;
		let next = NextJob::<Test>::get();
		// Recent jobs, so that sequences go deep.
		let id: JobId = next.saturating_sub(1 + random.below(6));
		let worker = random.pick(&WORKERS);
		let client = random.pick(&CLIENTS);
		let before = Jobs::<Test>::get(id);
		let running = match &before {
			Some(Job { state: JobState::Running(lease), .. }) => Some(lease.worker),
			_ => None,
		};
		let checkers: Vec<u64> = (0..random.below(6)).map(|_| random.pick(&[20, 21, 22, 777])).collect();
		let ok = match random.below(26) {
			0 => {
				let spec = random_spec(random);
				let ok = Market::post_job(signed(client), spec).is_ok();
				self.reached.posted += u32::from(ok);
				ok
			}
			1..=4 => {
				let price = match Market::highest_bid(id) {
					Some(most) if !random.chance(8) => 1 + random.amount(most.max(1)),
					_ => random.amount(300 * UNIT),
				};
				Market::bid(signed(worker), id, price).is_ok()
			}
			5 => Market::withdraw_bid(signed(worker), id).is_ok(),
			6..=8 => Market::close_auction(signed(0), id).is_ok(),
			9 => random.chance(6) && Market::cancel_job(signed(client), id).is_ok(),
			10 => {
				let reason = random.pick(&[Reason::GaveUp, Reason::DrainedAway, Reason::NonFinite, Reason::Absent]);
				let by = running.unwrap_or(worker);
				random.chance(3) && Market::fail_job(signed(by), id, reason).is_ok()
			}
			11 => Market::expire(signed(0), id).is_ok(),
			12 => Market::declare_absent(signed(0), id).is_ok(),
			13 => Market::forget_job(signed(0), random.below(next.max(1))).is_ok(),
			14..=16 => {
				let index = Market::lease(id).map_or(0, |lease| lease.next_milestone) + u32::from(random.chance(10));
				let ok = Market::milestone_verified(id, index, [index as u8; 32], &checkers).is_ok();
				self.reached.milestones += u32::from(ok);
				ok
			}
			17 => {
				let fault = random.pick(&[WorkerFault::LostDispute, WorkerFault::NotOpened, WorkerFault::NotServed]);
				let challenger = random.pick(&[None, Some(20), Some(777)]);
				let ok = random.chance(2) && Market::worker_fault(id, fault, challenger.as_ref(), &checkers).is_ok();
				self.reached.faults += u32::from(ok);
				ok
			}
			18 => {
				let reason = random.pick(&[Reason::NoVerifiers, Reason::Unserved]);
				random.chance(3) && Market::lease_failed(id, reason, 0, random.below(20) as u32, &[20, 21]).is_ok()
			}
			19 => {
				Market::progressed(id);
				true
			}
			20 => {
				Undecided::set(random.chance(4));
				skip(random.below(30) as u32);
				true
			}
			21 => Operators::set_ready(signed(worker), Role::Worker).is_ok(),
			22 => {
				let contact = Contact {
					endpoint: b"/ip4/1.2.3.4/tcp/1".to_vec().try_into().expect("short"),
					peer_id: vec![1].try_into().expect("short"),
				};
				let capabilities = Capabilities { slots: 3, cores: 1, memory_mib: 1, devices: Default::default() };
				Operators::register_worker(signed(worker), BOND, contact, capabilities).is_ok()
					|| Operators::bond_more(signed(worker), Role::Worker, random.amount(200 * UNIT)).is_ok()
			}
			23 => match random.below(3) {
				0 => Operators::unbond(signed(worker), Role::Worker, random.amount(BOND)).is_ok(),
				1 => Operators::withdraw(signed(worker), Role::Worker).is_ok(),
				_ => Operators::set_draining(signed(worker), Role::Worker).is_ok(),
			},
			24 => Operators::lock_check(&20).is_ok(),
			_ => {
				if random.chance(8) {
					self.burned += Operators::slash_check(&20, VerifierFault::NotRevealed, Some(&21)).burned;
				} else {
					Operators::release_check(&20, true);
				}
				true
			}
		};
		// No step changes another job; a job is forgotten only after it burned what it burned.
		let after = Jobs::<Test>::get(id);
		self.burned += after.as_ref().map_or(0, |after| burned(after) - before.as_ref().map_or(0, burned));
		let leased = matches!(after.map(|job| job.state), Some(JobState::Running(_)));
		self.reached.leases += u32::from(running.is_none() && leased);
		self.reached.refused += u32::from(!ok);
	}
}

/// What the record of a job says was burned.
fn burned(job: &Job<u64>) -> Balance {
	job.account.slashed.burned + job.account.deposit_burned + job.account.fees_burned
}

/// Closes everything that is open.
fn wind_up() {
	Undecided::set(false);
	skip(1_000);
	for id in 0..NextJob::<Test>::get() {
		if Jobs::<Test>::get(id).is_some_and(|job| !matches!(job.state, JobState::Closed(_))) {
			assert_ok!(Market::expire(signed(0), id));
		}
	}
	for client in CLIENTS {
		assert_eq!(on_hold(client), 0, "client {client} still has money on hold");
	}
	for worker in WORKERS {
		let bonded = Operators::operator(Role::Worker, worker).map_or(0, |operator| operator.held());
		assert_eq!(on_hold(worker), bonded, "worker {worker} has more than its bond on hold");
		assert_eq!(Operators::operator(Role::Worker, worker).map_or(0, |operator| operator.locked), 0);
	}
}

#[test]
fn success_money_is_conserved() {
	let mut reached = Reached::default();
	for seed in 0..12 {
		ext().execute_with(|| {
			System::set_block_number(1);
			worker(ALICE);
			worker(BOB);
			let contact = Contact {
				endpoint: b"/ip4/1.2.3.4/tcp/1".to_vec().try_into().expect("short"),
				peer_id: vec![1].try_into().expect("short"),
			};
			assert_ok!(Operators::register_verifier(signed(20), BOND, contact));
			let issued = Balances::total_issuance();
			let mut run = Run { random: Random(seed), reached: Reached::default(), burned: 0 };
			for at in 0..10_000u32 {
				run.step();
				assert_eq!(Balances::total_issuance(), issued - run.burned, "seed {seed} step {at}");
				if at % 100 == 0 {
					let checked = Market::do_try_state().and_then(|()| Operators::do_try_state());
					checked.unwrap_or_else(|error| panic!("seed {seed} step {at}: {error:?}"));
					System::reset_events();
					// Keeps the set of records small; those too young stay.
					for id in Jobs::<Test>::iter_keys().collect::<Vec<_>>() {
						let _ = Market::forget_job(signed(0), id);
					}
				}
			}
			wind_up();
			check();
			reached.posted += run.reached.posted;
			reached.leases += run.reached.leases;
			reached.milestones += run.reached.milestones;
			reached.faults += run.reached.faults;
			reached.refused += run.reached.refused;
		});
	}
	assert!(reached.posted > 500 && reached.leases > 500, "{reached:?}");
	assert!(reached.milestones > 500 && reached.faults > 50, "{reached:?}");
}
