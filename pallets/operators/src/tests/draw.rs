use super::mock::*;
use crate::types::Role;
use assay_protocol::interfaces::Operators as _;
use frame_support::assert_ok;
use std::collections::BTreeSet;

fn seed(n: u32) -> [u8; 32] {
	let mut seed = [0; 32];
	seed[..4].copy_from_slice(&n.to_le_bytes());
	seed
}

#[test]
fn success_distinct_and_not_excluded() {
	run(|| {
		(1..=4).for_each(|who| verifier(who, MIN));
		for n in 0..50 {
			let drawn = Operators::draw_verifiers(&seed(n), 1, 3, &[2]);
			assert_eq!(drawn.len(), 3);
			assert_eq!(drawn.iter().copied().collect::<BTreeSet<_>>(), BTreeSet::from([1, 3, 4]));
		}
	});
}

#[test]
fn success_is_a_function_of_the_seed() {
	run(|| {
		(1..=4).for_each(|who| verifier(who, MIN));
		let draws: BTreeSet<_> = (0..50).map(|n| Operators::draw_verifiers(&seed(n), 1, 2, &[])).collect();
		assert!(draws.len() > 4, "{draws:?}");
		assert_eq!(Operators::draw_verifiers(&seed(3), 1, 2, &[]), Operators::draw_verifiers(&seed(3), 1, 2, &[]));
	});
}

#[test]
fn success_weighs_stake() {
	run(|| {
		verifier(1, MIN);
		verifier(2, 9 * MIN);
		let heavy = (0..1_000).filter(|n| Operators::draw_verifiers(&seed(*n), 1, 1, &[]) == [2]).count();
		assert!((850..950).contains(&heavy), "{heavy} of 1000, expected about 900");
	});
}

#[test]
fn boundary_fewer_than_asked() {
	run(|| {
		assert!(Operators::draw_verifiers(&seed(0), 1, 3, &[]).is_empty());
		verifier(1, MIN);
		assert_eq!(Operators::draw_verifiers(&seed(0), 1, u32::MAX, &[]), [1]);
		assert!(Operators::draw_verifiers(&seed(0), 1, 0, &[]).is_empty());
		assert!(Operators::draw_verifiers(&seed(0), 1, 1, &[1]).is_empty());
	});
}

#[test]
fn boundary_bonds_count_from_the_block_they_grew_in() {
	run(|| {
		verifier(1, MIN);
		System::set_block_number(5);
		verifier(2, 9 * MIN);
		assert_eq!(Operators::draw_verifiers(&seed(0), 4, 2, &[]), [1]);
		assert_eq!(Operators::draw_verifiers(&seed(0), 5, 2, &[]).len(), 2);
		System::set_block_number(9);
		assert_ok!(Operators::bond_more(signed(1), Role::Verifier, 1));
		assert_eq!(Operators::draw_verifiers(&seed(0), 8, 2, &[]), [2]);
		assert_eq!(Operators::draw_verifiers(&seed(0), 9, 2, &[]).len(), 2);
	});
}

#[test]
fn success_leaving_and_coming_back_keeps_the_age() {
	run(|| {
		verifier(1, MIN);
		System::set_block_number(5);
		assert_ok!(Operators::set_draining(signed(1), Role::Verifier));
		assert!(Operators::draw_verifiers(&seed(0), 1, 1, &[]).is_empty());
		assert_ok!(Operators::set_ready(signed(1), Role::Verifier));
		assert_eq!(Operators::draw_verifiers(&seed(0), 1, 1, &[]), [1]);
	});
}

/// Half of the bond at work must be ready and drawable.
#[test]
fn a_draw_is_fair_while_half_of_the_bond_is_ready() {
	run(|| {
		let fair = |barred: &[u64], checking: &[u64]| Operators::is_fair(1, 0, barred, checking);
		assert!(fair(&[], &[]));
		(1..=3).for_each(|who| verifier(who, MIN));
		assert_eq!(Operators::bond_at_work(), 3 * MIN);
		let fill = |who: u64| while Operators::lock_check(&who).is_ok() {};
		fill(1);
		assert!(fair(&[], &[]));
		fill(2);
		assert!(!fair(&[], &[]));
		// Those who check already, or may not, count on neither side.
		assert!(fair(&[], &[2]) && fair(&[1, 1], &[]));
		assert!(!fair(&[3], &[]) && !fair(&[], &[3]) && !fair(&[], &[3, 1]));
		// Who takes no work is not waited for, unless it did before.
		assert_ok!(Operators::set_draining(signed(1), Role::Verifier));
		assert!(fair(&[], &[]));
		assert!(!Operators::is_fair(1, 3 * MIN, &[], &[]));
		// Nor does a bond count that is too young to be drawn.
		Operators::release_check(&2, true);
		assert!(Operators::is_fair(1, 3 * MIN, &[], &[]));
		System::set_block_number(5);
		verifier(4, MIN);
		fill(2);
		assert!(!Operators::is_fair(1, 4 * MIN, &[], &[]) && Operators::is_fair(5, 4 * MIN, &[], &[]));
	});
}
