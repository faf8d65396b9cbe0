use super::mock::*;
use assay_protocol::interfaces::Operators as _;
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
			let drawn = Operators::draw_verifiers(&seed(n), 3, &[2]);
			assert_eq!(drawn.len(), 3);
			assert_eq!(drawn.iter().copied().collect::<BTreeSet<_>>(), BTreeSet::from([1, 3, 4]));
		}
	});
}

#[test]
fn success_is_a_function_of_the_seed() {
	run(|| {
		(1..=4).for_each(|who| verifier(who, MIN));
		let draws: BTreeSet<_> = (0..50).map(|n| Operators::draw_verifiers(&seed(n), 2, &[])).collect();
		assert!(draws.len() > 4, "{draws:?}");
		assert_eq!(Operators::draw_verifiers(&seed(3), 2, &[]), Operators::draw_verifiers(&seed(3), 2, &[]));
	});
}

#[test]
fn success_weighs_stake() {
	run(|| {
		verifier(1, MIN);
		verifier(2, 9 * MIN);
		let heavy = (0..1_000).filter(|n| Operators::draw_verifiers(&seed(*n), 1, &[]) == [2]).count();
		assert!((850..950).contains(&heavy), "{heavy} of 1000, expected about 900");
	});
}

#[test]
fn boundary_fewer_than_asked() {
	run(|| {
		assert!(Operators::draw_verifiers(&seed(0), 3, &[]).is_empty());
		verifier(1, MIN);
		assert_eq!(Operators::draw_verifiers(&seed(0), u32::MAX, &[]), [1]);
		assert!(Operators::draw_verifiers(&seed(0), 0, &[]).is_empty());
		assert!(Operators::draw_verifiers(&seed(0), 1, &[1]).is_empty());
	});
}
