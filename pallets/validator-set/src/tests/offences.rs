use super::*;
use sp_runtime::Perbill;
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

fn report(offenders: &[u64], percent: u32, session: u32) {
	let details: Vec<_> =
		offenders.iter().map(|who| OffenceDetails { offender: (*who, ()), reporters: vec![] }).collect();
	let fractions = vec![Perbill::from_percent(percent); offenders.len()];
	ValidatorSet::on_offence(&details, &fractions, session);
}

#[test]
fn burns_disables_and_ejects() {
	run(|| {
		// Three validators can spare none; four can spare one.
		assert_ok!(ValidatorSet::register(signed(4), 500));
		rotate(2);
		let before = Balances::total_issuance();
		report(&[2], 25, 2);
		assert_eq!(held(2), 1_500);
		assert_eq!(Balances::total_issuance(), before - 500);
		assert_eq!(Session::disabled_validators(), vec![1]);
		assert!(!is_candidate(2));
		assert_eq!(ValidatorSet::bond_of(&2), Some(1_500));
		rotate(2);
		assert_eq!(Session::validators(), vec![1, 3, 4]);
	});
}

#[test]
fn boundary_least_slash() {
	run(|| {
		report(&[2], 1, 0);
		assert_eq!(held(2), 1_800, "one in a hundred is raised to one in ten");
	});
}

#[test]
fn a_zero_fraction_costs_nothing() {
	run(|| {
		report(&[2], 0, 0);
		assert_eq!(held(2), 2_000);
		assert!(is_candidate(2));
	});
}

/// Every report of a slot names the earlier offenders again.
#[test]
fn a_session_is_paid_for_once_at_its_worst() {
	run(|| {
		report(&[2], 20, 0);
		assert_eq!(held(2), 1_600);
		report(&[2], 20, 0);
		assert_eq!(held(2), 1_600);
		report(&[2, 3], 50, 0);
		assert_eq!(held(2), 1_000);
		assert_eq!(held(3), 1_500);
		report(&[2, 3], 30, 0);
		assert_eq!((held(2), held(3)), (1_000, 1_500));
	});
}

#[test]
fn another_session_is_paid_for_again() {
	run(|| {
		report(&[2], 50, 0);
		report(&[2], 50, 1);
		assert_eq!(held(2), 500);
	});
}

#[test]
fn a_leaver_answers_with_what_is_held() {
	run(|| {
		assert_ok!(ValidatorSet::leave(signed(2)));
		report(&[2], 100, 0);
		assert_eq!(held(2), 0);
		rotate(7);
		assert_ok!(ValidatorSet::withdraw(signed(2)));
	});
}

#[test]
fn strangers_are_passed_over() {
	run(|| {
		report(&[7], 100, 0);
		assert_eq!(Balances::free_balance(7), 10_000);
	});
}
