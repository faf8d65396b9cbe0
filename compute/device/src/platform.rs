//! Where CUDA devices come from.

use assay_cuda::{devices, CudaAccelerator, CudaError, DeviceAccelerator, DeviceInfo, Driver, Listed, SharedDevice};

/// What lists devices and opens them.
pub trait Platform {
	/// Its devices.
	type Device: SharedDevice;

	/// Every device, in the order of their numbers, also those that cannot be used.
	///
	/// # Errors
	/// [`CudaError`] if there is none, and why.
	fn devices(&self) -> Result<Vec<Listed>, CudaError>;

	/// Opens a device.
	///
	/// # Errors
	/// [`CudaError`] if it cannot be used.
	fn open(&self, info: &DeviceInfo) -> Result<DeviceAccelerator<Self::Device>, CudaError>;
}

/// NVIDIA's driver.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cuda;

impl Platform for Cuda {
	type Device = Driver;

	fn devices(&self) -> Result<Vec<Listed>, CudaError> {
		devices()
	}

	fn open(&self, info: &DeviceInfo) -> Result<CudaAccelerator, CudaError> {
		CudaAccelerator::new(describe(info), Driver::open(info.ordinal)?)
	}
}

/// A device in a few words.
pub fn describe(info: &DeviceInfo) -> String {
	let DeviceInfo { ordinal, name, capability: (major, minor), memory, driver, .. } = info;
	let (gib, version) = (*memory as f64 / f64::from(1u32 << 30), (driver / 1000, driver % 1000 / 10));
	format!(
		"CUDA device {ordinal}: {name}, compute capability {major}.{minor}, {gib:.1} GiB, driver for CUDA {}.{}",
		version.0, version.1
	)
}
