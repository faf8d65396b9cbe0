//! A machine without a GPU gets a typed error that says what is missing, and nothing else.

use assay_cuda::{Cuda, CudaError};

/// On a machine that has a GPU, the one device that is not there.
const NO_SUCH_DEVICE: u32 = 1000;

#[test]
fn a_device_that_is_not_there_is_a_typed_error() {
	match Cuda::new(NO_SUCH_DEVICE).map(|_| ()) {
		Err(CudaError::NoDriver { reason }) => assert!(!reason.is_empty()),
		Err(CudaError::NoDevice { ordinal, count }) => assert!(count == 0 || ordinal == NO_SUCH_DEVICE),
		Err(CudaError::DriverTooOld { have, need }) => assert!(have < need),
		other => panic!("{other:?}"),
	}
}

#[test]
fn asking_twice_gives_the_same_answer() {
	let ask = || Cuda::new(NO_SUCH_DEVICE).map(|_| ()).expect_err("no such device");
	assert_eq!(ask(), ask());
}

#[test]
fn every_error_says_what_to_do() {
	let errors = [
		CudaError::NoDriver { reason: "libcuda.so: cannot open".to_owned() },
		CudaError::NoDevice { ordinal: 1, count: 1 },
		CudaError::DriverTooOld { have: 11080, need: 12010 },
		CudaError::DeviceTooOld { capability: (5, 2) },
		CudaError::OutOfMemory { needed: 1 << 40, free: 1 << 30 },
	];
	for error in errors {
		assert!(error.to_string().contains("; "), "{error}");
	}
	let error = CudaError::DriverTooOld { have: 11080, need: 12010 };
	assert!(error.to_string().contains("CUDA 11.8, the kernels need 12.1"), "{error}");
}

#[test]
fn a_backend_can_be_shared_between_threads() {
	fn shared<T: Send + Sync>() {}
	shared::<Cuda>();
}
