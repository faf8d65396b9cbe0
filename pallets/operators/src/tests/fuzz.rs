//! Random sequences of every call and every duty: no coin appears or vanishes but by a reported burn.

use super::mock::*;
use crate::{types::*, Registry};
use assay_protocol::{
	interfaces::{Operators as _, VerifierFault},
	Balance,
};
use sp_runtime::Saturating;

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

	fn amount(&mut self) -> Balance {
		match self.below(4) {
			0 => MIN / 4,
			1 => Balance::from(self.next()) % MIN,
			2 => MIN,
			_ => 2 * MIN + Balance::from(self.next()) % MIN,
		}
	}
}

/// One random step; returns what it burned and whether it did something.
fn step(random: &mut Random) -> (Balance, bool) {
	let who = random.below(8);
	let other = random.below(8);
	let job = random.below(6);
	let role = if random.below(2) == 0 { Role::Worker } else { Role::Verifier };
	let amount = random.amount();
	let mut burned = 0;
	let done = match random.below(16) {
		0 => Operators::register_worker(signed(who), amount, contact(), capabilities(3)).is_ok(),
		1 => Operators::register_verifier(signed(who), amount, contact()).is_ok(),
		2 => Operators::bond_more(signed(who), role, amount).is_ok(),
		3 => Operators::set_draining(signed(who), role).is_ok(),
		4 | 5 => Operators::set_ready(signed(who), role).is_ok(),
		6 => Operators::unbond(signed(who), role, amount).is_ok(),
		7 => Operators::withdraw(signed(who), role).is_ok(),
		8 | 9 => Operators::lock_collateral(&who, job, amount / 4).is_ok(),
		10 => {
			burned = Operators::release_collateral(&who, job, random.below(2) == 0, random.amount() / 8);
			true
		}
		11 => {
			let split = Operators::slash_collateral(&who, job, &other, amount, (other > 3).then_some(&other));
			burned = split.burned;
			burned > 0
		}
		12 | 13 => Operators::lock_check(&who).is_ok(),
		14 => {
			if random.below(3) == 0 {
				burned = Operators::slash_check(&who, VerifierFault::LostDispute, Some(&other)).burned;
			} else {
				Operators::release_check(&who, random.below(2) == 0);
			}
			true
		}
		_ => {
			Operators::note_absence(&who);
			let blocks = random.below(12);
			System::set_block_number(System::block_number().saturating_add(blocks));
			true
		}
	};
	(burned, done)
}

#[test]
fn success_money_is_conserved() {
	let (mut done, mut burned_in_all) = (0u32, 0);
	for seed in 0..12 {
		run(|| {
			let mut random = Random(seed);
			let issued = Balances::total_issuance();
			let mut burned: Balance = 0;
			for at in 0..5_000 {
				let (more, did) = step(&mut random);
				burned.saturating_accrue(more);
				done += u32::from(did);
				assert_eq!(Balances::total_issuance(), issued - burned, "seed {seed} step {at}");
				if at % 50 == 0 {
					Operators::do_try_state().unwrap_or_else(|error| panic!("seed {seed} step {at}: {error:?}"));
					System::reset_events();
				}
			}
			burned_in_all += burned;
			assert!(Registry::<Test>::iter().count() > 0);
		});
	}
	assert!(done > 20_000, "only {done} steps did something");
	assert!(burned_in_all > 0, "nothing was ever slashed");
}
