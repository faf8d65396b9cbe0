//! The code that talks to NVIDIA's driver, with a library in the driver's place that runs kernels in the emulation.
//!
//! The loader's path is read when a process starts, so each test runs itself again with the path set.
#![cfg(target_os = "linux")]

#[path = "../../cuda/conformance/mod.rs"]
mod conformance;

use std::process::Command;

use assay_cuda::{Cuda, CudaError, Device, Driver};
use assay_cuda_emulation::EMULATED_DRIVER;
use assay_program::TensorSpec;

/// Runs the ignored test `name` of this file where the emulated driver plays the device that `settings` describe.
fn with_driver(name: &str, settings: &[(&str, &str)]) {
	let driver = EMULATED_DRIVER.expect("the emulated driver needs a C++ compiler; install g++ and build again");
	let program = std::env::current_exe().expect("a test runs");
	let output = Command::new(program)
		.args(["--exact", name, "--ignored", "--nocapture"])
		.env("LD_LIBRARY_PATH", driver)
		.envs(settings.iter().copied())
		.output()
		.expect("it starts");
	let text = String::from_utf8_lossy(&output.stdout);
	assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_suite_through_the_driver() {
	with_driver("inside::every_suite", &[]);
}

#[test]
fn a_device_with_tensor_cores_uses_them() {
	with_driver("inside::tensor_cores", &[("ASSAY_EMULATED_CAPABILITY", "80")]);
}

#[test]
fn an_old_driver_is_named() {
	with_driver("inside::old_driver", &[("ASSAY_EMULATED_VERSION", "11080")]);
}

#[test]
fn no_device_is_named() {
	with_driver("inside::no_device", &[("ASSAY_EMULATED_DEVICES", "0")]);
}

#[test]
fn an_answer_that_the_bindings_do_not_know_is_an_error() {
	with_driver("inside::unknown_answer", &[("ASSAY_EMULATED_DEVICES", "-1")]);
}

#[test]
fn a_number_too_high_is_named() {
	with_driver("inside::number_too_high", &[("ASSAY_EMULATED_DEVICES", "2")]);
}

#[test]
fn an_old_device_is_named() {
	with_driver("inside::old_device", &[("ASSAY_EMULATED_CAPABILITY", "52")]);
}

#[test]
fn memory_that_does_not_suffice_is_named() {
	with_driver("inside::too_little_memory", &[("ASSAY_EMULATED_MEMORY", "1000000")]);
}

#[test]
fn kernels_that_the_driver_refuses_are_named() {
	with_driver("inside::bad_ptx", &[("ASSAY_EMULATED_BAD_PTX", "1")]);
	with_driver("inside::missing_kernel", &[("ASSAY_EMULATED_REFUSES", "sum_fold")]);
}

/// Each is run by the test above that has its settings.
mod inside {
	use super::*;

	fn refused(ordinal: u32) -> CudaError {
		Cuda::new(ordinal).map(|_| ()).expect_err("refused")
	}

	#[test]
	#[ignore = "run by every_suite_through_the_driver"]
	fn every_suite() {
		let devices = [Cuda::new(0).expect("the emulated driver")];
		let info = devices[0].device().info();
		assert_eq!((info.name.as_str(), info.capability, info.driver), ("emulated", (6, 1), 12010));
		// Their kernels and launches are among the random ops too; without them the driver is asked the same.
		let long = ["matrix_products", "block_products", "reductions", "int8_products"];
		for (name, suite) in conformance::suites::<Driver>().into_iter().filter(|(name, _)| !long.contains(name)) {
			if let Err(error) = suite(&devices) {
				panic!("{name}: {error}");
			}
		}
		let total = devices[0].device().info().memory;
		assert!(devices[0].device().free_memory().expect("answers") > total / 2, "memory was not given back");
	}

	/// The older device, above, could not have loaded their kernels.
	#[test]
	#[ignore = "run by a_device_with_tensor_cores_uses_them"]
	fn tensor_cores() {
		let devices = [Cuda::new(0).expect("the emulated driver")];
		assert!(devices[0].device().profile().int8_tiles);
		let suite = conformance::suites::<Driver>().into_iter().find(|(name, _)| *name == "training_in_int8");
		assert_eq!(suite.expect("a suite").1(&devices), Ok(()));
	}

	#[test]
	#[ignore = "run by an_old_driver_is_named"]
	fn old_driver() {
		assert_eq!(refused(0), CudaError::DriverTooOld { have: 11080, need: 12010 });
	}

	#[test]
	#[ignore = "run by no_device_is_named"]
	fn no_device() {
		assert_eq!(refused(0), CudaError::NoDevice { ordinal: 0, count: 0 });
	}

	#[test]
	#[ignore = "run by an_answer_that_the_bindings_do_not_know_is_an_error"]
	fn unknown_answer() {
		assert_eq!(refused(0), CudaError::NoDriver { reason: "cuInit: error 4321".to_owned() });
	}

	#[test]
	#[ignore = "run by a_number_too_high_is_named"]
	fn number_too_high() {
		assert_eq!(refused(2), CudaError::NoDevice { ordinal: 2, count: 2 });
		assert!(Cuda::new(1).is_ok());
	}

	#[test]
	#[ignore = "run by an_old_device_is_named"]
	fn old_device() {
		assert_eq!(refused(0), CudaError::DeviceTooOld { capability: (5, 2) });
	}

	#[test]
	#[ignore = "run by memory_that_does_not_suffice_is_named"]
	fn too_little_memory() {
		let cuda = Cuda::new(0).expect("the emulated driver");
		let free = cuda.device().free_memory().expect("answers");
		let error = cuda.allocate(TensorSpec::f32(1000, 1000)).map(|_| ()).expect_err("too large");
		assert_eq!(error, CudaError::OutOfMemory { needed: 4_000_000, free });
		assert!(cuda.allocate(TensorSpec::f32(100, 100)).is_ok(), "the backend goes on");
	}

	#[test]
	#[ignore = "run by kernels_that_the_driver_refuses_are_named"]
	fn bad_ptx() {
		let CudaError::Ptx { reason, .. } = refused(0) else { panic!("another error") };
		assert!(
			reason.contains("line 1: not understood") && reason.contains("CUDA_ERROR_INVALID_PTX (218)"),
			"{reason}"
		);
	}

	#[test]
	#[ignore = "run by kernels_that_the_driver_refuses_are_named"]
	fn missing_kernel() {
		let CudaError::Ptx { module: "reduce", reason } = refused(0) else { panic!("another error") };
		assert!(reason.contains("sum_fold"), "{reason}");
	}
}
