//! Is there a driver, is it new enough, is there a device: asked so that nothing but a typed error can come of it.

use core::ffi::{c_char, c_int};

use cudarc::driver::sys;
use libloading::Library;

use super::{
	context::{check, is, name},
	DeviceInfo,
};
use crate::{ptx::MODULES, CudaError};

/// What this crate calls. `cudarc` looks a function up when it is first called and panics if it is missing, so all are looked
/// up here before the first call.
const FUNCTIONS: [&str; 27] = [
	"cuInit",
	"cuDriverGetVersion",
	"cuGetErrorName",
	"cuDeviceGet",
	"cuDeviceGetCount",
	"cuDeviceGetName",
	"cuDeviceGetAttribute",
	"cuDeviceTotalMem_v2",
	"cuDevicePrimaryCtxRetain",
	"cuDevicePrimaryCtxRelease_v2",
	"cuCtxSetCurrent",
	"cuStreamCreate",
	"cuStreamSynchronize",
	"cuStreamDestroy_v2",
	"cuStreamBeginCapture_v2",
	"cuStreamEndCapture",
	"cuGraphInstantiateWithFlags",
	"cuGraphLaunch",
	"cuGraphDestroy",
	"cuGraphExecDestroy",
	"cuModuleLoadDataEx",
	"cuModuleGetFunction",
	"cuModuleUnload",
	"cuLaunchKernel",
	"cuMemAlloc_v2",
	"cuMemFree_v2",
	"cuMemGetInfo_v2",
];

/// Further ones that move memory.
const COPIES: [&str; 4] = ["cuMemcpyHtoDAsync_v2", "cuMemcpyDtoHAsync_v2", "cuMemcpyDtoDAsync_v2", "cuMemsetD32Async"];

/// The library that `cudarc` will open: the first of its names that loads.
fn library() -> Result<Library, CudaError> {
	let mut first_error = None;
	for name in ["cuda", "nvcuda"].into_iter().flat_map(cudarc::get_lib_name_candidates) {
		// SAFETY: NVIDIA's driver library; its initialisers run like those of any program that uses a GPU.
		match unsafe { Library::new(&name) } {
			Ok(library) => return Ok(library),
			Err(error) => first_error = first_error.or(Some(reason(&error))),
		}
	}
	Err(CudaError::NoDriver { reason: first_error.unwrap_or_else(|| "the library has no name here".to_owned()) })
}

/// What went wrong, with what the loader said of it.
fn reason(error: &libloading::Error) -> String {
	match std::error::Error::source(error) {
		Some(source) => format!("{error}: {source}"),
		None => error.to_string(),
	}
}

/// The driver's CUDA version, once the driver is known to have all that is needed of it. Initialises the driver.
pub(super) fn driver_version() -> Result<u32, CudaError> {
	let library = library()?;
	let mut version: c_int = 0;
	{
		type Version = unsafe extern "C" fn(*mut c_int) -> c_int;
		// SAFETY: the function's type, from NVIDIA's header.
		let ask = unsafe { library.get::<Version>(b"cuDriverGetVersion\0") }
			.map_err(|error| CudaError::NoDriver { reason: reason(&error) })?;
		// SAFETY: writes one integer.
		let status = unsafe { ask(&mut version) };
		if status != 0 {
			return Err(CudaError::NoDriver { reason: format!("cuDriverGetVersion returns error {status}") });
		}
	}
	let have = u32::try_from(version).unwrap_or(0);
	let need = MODULES.iter().filter_map(|module| module.needs_driver()).max().unwrap_or(u32::MAX);
	if have < need {
		return Err(CudaError::DriverTooOld { have, need });
	}
	for function in FUNCTIONS.into_iter().chain(COPIES) {
		// SAFETY: looked up, not called.
		if unsafe { library.get::<unsafe extern "C" fn()>(function.as_bytes()) }.is_err() {
			return Err(CudaError::NoDriver { reason: format!("the driver's library has no {function}") });
		}
	}
	// SAFETY: needs nothing; calling it again does nothing.
	let status = unsafe { sys::cuInit(0) };
	if is(status, sys::CUresult::CUDA_SUCCESS) {
		Ok(have)
	} else if is(status, sys::CUresult::CUDA_ERROR_NO_DEVICE) {
		Err(CudaError::NoDevice { ordinal: 0, count: 0 })
	} else {
		Err(CudaError::NoDriver { reason: format!("cuInit: {}", name(status)) })
	}
}

/// How many devices there are. The driver is initialised.
pub(super) fn count() -> Result<u32, CudaError> {
	let mut count = 0;
	// SAFETY: writes one integer.
	check("cuDeviceGetCount", unsafe { sys::cuDeviceGetCount(&mut count) })?;
	Ok(u32::try_from(count).unwrap_or(0))
}

/// The device of that number. The driver is initialised.
pub(super) fn device(ordinal: u32) -> Result<sys::CUdevice, CudaError> {
	let (count, mut device) = (count()?, 0);
	let absent = CudaError::NoDevice { ordinal, count };
	let number = c_int::try_from(ordinal).ok().filter(|_| ordinal < count).ok_or(absent)?;
	// SAFETY: writes one integer.
	check("cuDeviceGet", unsafe { sys::cuDeviceGet(&mut device, number) })?;
	Ok(device)
}

/// What the driver tells of a device.
pub(super) fn info(ordinal: u32, device: sys::CUdevice, driver: u32) -> Result<DeviceInfo, CudaError> {
	use sys::CUdevice_attribute as Attribute;
	let attribute = |attribute: Attribute| {
		let mut value = 0;
		// SAFETY: writes one integer; the device exists.
		let status = unsafe { sys::cuDeviceGetAttribute(&mut value, attribute, device) };
		check("cuDeviceGetAttribute", status).map(|()| u32::try_from(value).unwrap_or(0))
	};
	let mut name = [0u8; 256];
	// SAFETY: writes at most 256 bytes, the last of them 0; the device exists.
	let status = unsafe { sys::cuDeviceGetName(name.as_mut_ptr().cast::<c_char>(), 256, device) };
	check("cuDeviceGetName", status)?;
	let mut memory = 0usize;
	// SAFETY: writes one number; the device exists.
	check("cuDeviceTotalMem", unsafe { sys::cuDeviceTotalMem_v2(&mut memory, device) })?;
	let name = name.split(|byte| *byte == 0).next().unwrap_or(&[]);
	Ok(DeviceInfo {
		ordinal,
		name: String::from_utf8_lossy(name).into_owned(),
		capability: (
			attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?,
			attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?,
		),
		memory: memory as u64,
		multiprocessors: attribute(Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?,
		driver,
	})
}
