//! What can go wrong, and what to do about it.

use assay_program::OpKind;

/// Why there is no CUDA backend, or why it stopped working.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CudaError {
	/// The driver's library cannot be loaded.
	#[error("no NVIDIA driver: {reason}; install the driver, or use the CPU backend")]
	NoDriver {
		/// What the loader said.
		reason: String,
	},
	/// The driver has no device, or none of this number.
	#[error("no CUDA device {ordinal}: the driver knows {count}; check nvidia-smi and CUDA_VISIBLE_DEVICES")]
	NoDevice {
		/// Device asked for, from 0.
		ordinal: u32,
		/// Devices there are.
		count: u32,
	},
	/// The driver cannot load the PTX that this crate ships.
	#[error("the NVIDIA driver supports CUDA {}.{}, the kernels need {}.{}; update the driver", have / 1000, have % 1000 / 10, need / 1000, need % 1000 / 10)]
	DriverTooOld {
		/// CUDA version of the driver: 1000 * major + 10 * minor.
		have: u32,
		/// CUDA version needed.
		need: u32,
	},
	/// The device is older than the kernels are compiled for.
	#[error("the device has compute capability {}.{}, the kernels need 6.1; use a newer device", capability.0, capability.1)]
	DeviceTooOld {
		/// Major and minor compute capability.
		capability: (u32, u32),
	},
	/// The device's memory does not suffice.
	#[error("{needed} bytes of device memory are needed and {free} are free; close other programs on the device, or take a smaller batch")]
	OutOfMemory {
		/// Bytes asked for.
		needed: u64,
		/// Bytes that were free.
		free: u64,
	},
	/// The driver refused the kernels.
	#[error("the driver refused the kernels `{module}`: {reason}")]
	Ptx {
		/// Name of the module.
		module: &'static str,
		/// What the driver said.
		reason: String,
	},
	/// A kernel could not be launched.
	#[error("kernel `{kernel}` could not be launched: {reason}")]
	Launch {
		/// Name of the kernel.
		kernel: &'static str,
		/// What the driver said.
		reason: String,
	},
	/// A read, a write or a copy was given the wrong number of words.
	#[error("{given} words for device memory of {holds}")]
	Length {
		/// Words given.
		given: u64,
		/// Words that the memory holds.
		holds: u64,
	},
	/// The driver reported a failure, perhaps of earlier work: the device's state is unknown.
	#[error("{call} failed: {reason}; start again from the last checkpoint")]
	Driver {
		/// The driver call.
		call: &'static str,
		/// What the driver said.
		reason: String,
	},
}

/// Why an op has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpError {
	/// An output element is infinite or NaN.
	#[error("an output element is infinite or NaN; lower the learning rate or rescale the data")]
	NonFinite,
	/// Number, type or shape of inputs and output do not fit the op.
	#[error("inputs and output do not fit the op: {0}")]
	Shape(&'static str),
	/// There is no kernel for the op yet.
	#[error("the CUDA backend does not run {0:?} yet; use the CPU backend")]
	Unsupported(OpKind),
	/// The device failed.
	#[error(transparent)]
	Device(#[from] CudaError),
}
