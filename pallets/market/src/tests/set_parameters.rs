use super::mock::*;
use crate::{CurrentParameters, Error};
use assay_protocol::parameters::Parameters;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

#[test]
fn success_by_root() {
	run(|| {
		assert_ok!(Market::set_parameters(RuntimeOrigin::root(), Parameters::public()));
		assert_eq!(CurrentParameters::<Test>::get(), Parameters::public());
	});
}

#[test]
fn fails_when_not_root() {
	run(|| {
		let call = Market::set_parameters(signed(CLIENT), Parameters::public());
		assert_noop!(call, DispatchError::BadOrigin);
	});
}

#[test]
fn boundary_zero_window() {
	run(|| {
		let zero = Parameters { blind_window: 0, ..Parameters::public() };
		assert_noop!(Market::set_parameters(RuntimeOrigin::root(), zero), Error::<Test>::ParametersInvalid);
	});
}
