use super::mock::*;
use crate::{types::*, Error};
use frame_support::{assert_noop, assert_ok};

#[test]
fn success_replaces_the_contact() {
	run(|| {
		worker(1, MIN);
		let moved = Contact { endpoint: b"/dns4/example.org/tcp/1".to_vec().try_into().expect("short"), ..contact() };
		assert_ok!(Operators::update_endpoint(signed(1), Role::Worker, moved.clone()));
		assert_eq!(record(Role::Worker, 1).contact, moved);
	});
}

#[test]
fn fails_when_not_registered() {
	run(|| {
		assert_noop!(Operators::update_endpoint(signed(1), Role::Worker, contact()), Error::<Test>::NotRegistered);
	});
}

#[test]
fn fails_when_incomplete() {
	run(|| {
		worker(1, MIN);
		let nowhere = Contact { endpoint: Default::default(), ..contact() };
		assert_noop!(Operators::update_endpoint(signed(1), Role::Worker, nowhere), Error::<Test>::ContactIncomplete);
	});
}

#[test]
fn boundary_longest_endpoint() {
	assert!(
		crate::types::Contact { endpoint: vec![b'a'; 128].try_into().expect("128 fit"), ..contact() }.endpoint.len()
			== 128
	);
	let over: Result<frame_support::BoundedVec<u8, frame_support::traits::ConstU32<128>>, _> =
		vec![b'a'; 129].try_into();
	assert!(over.is_err());
}
