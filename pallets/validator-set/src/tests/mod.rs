mod genesis;
mod leave;
mod offences;
mod raise_bond;
mod register;
mod sessions;
mod withdraw;

use crate::{mock::*, Candidates, Error, HoldReason, Leaving};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};

fn held(who: u64) -> u64 {
	Balances::balance_on_hold(&HoldReason::Bond.into(), &who)
}

fn is_candidate(who: u64) -> bool {
	Candidates::<Test>::get().iter().any(|candidate| candidate.account == who)
}

fn signed(who: u64) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}
