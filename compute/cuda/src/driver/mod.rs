//! A GPU behind NVIDIA's driver.
//!
//! The driver's library is opened at run time, so a machine without one builds and starts like any other and gets a typed
//! error when it asks for a device.

mod context;
mod graph;
mod kernels;
mod memory;
mod probe;

use std::sync::Arc;

use cudarc::driver::sys;

use crate::{
	backend::Backend,
	device::{Buffer, Device},
	launch::{Profile, Value, Work},
	CudaError,
};
use context::{check, Context};
pub use graph::DriverGraph;
use kernels::Kernels;
pub use memory::DriverBuffer;

/// The oldest compute capability that the kernels are compiled for.
const OLDEST: (u32, u32) = (6, 1);

/// What the driver tells of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
	/// Its number, from 0.
	pub ordinal: u32,
	/// Product name.
	pub name: String,
	/// Major and minor compute capability.
	pub capability: (u32, u32),
	/// Bytes of memory.
	pub memory: u64,
	/// Processors that run thread blocks.
	pub multiprocessors: u32,
	/// CUDA version of the driver: 1000 * major + 10 * minor.
	pub driver: u32,
}

/// A device that the driver has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
	/// What the driver tells of it.
	pub info: DeviceInfo,
	/// Why it cannot be used; `None` if nothing is known against it.
	pub refused: Option<CudaError>,
}

/// Every device of the driver, in its order (`CUDA_VISIBLE_DEVICES`), also those that cannot be used. Opens none of them.
///
/// # Errors
/// [`CudaError::NoDriver`], [`CudaError::DriverTooOld`], or [`CudaError::NoDevice`] where there is none.
pub fn devices() -> Result<Vec<Listed>, CudaError> {
	let driver = probe::driver_version()?;
	let count = probe::count()?;
	if count == 0 {
		return Err(CudaError::NoDevice { ordinal: 0, count });
	}
	let listed = (0..count).map(|ordinal| {
		let info = probe::info(ordinal, probe::device(ordinal)?, driver)?;
		let refused = refusal(&info);
		Ok(Listed { info, refused })
	});
	listed.collect()
}

/// What is against a device.
fn refusal(info: &DeviceInfo) -> Option<CudaError> {
	(info.capability < OLDEST).then_some(CudaError::DeviceTooOld { capability: info.capability })
}

/// One GPU: a stream on its primary context, and the kernels.
#[derive(Debug)]
pub struct Driver {
	// Unloaded before the context is released.
	kernels: Kernels,
	context: Arc<Context>,
	info: DeviceInfo,
}

impl Backend<Driver> {
	/// The backend of device number `ordinal`, from 0, in the order of the driver (`CUDA_VISIBLE_DEVICES`).
	pub fn new(ordinal: u32) -> Result<Self, CudaError> {
		Self::on(Driver::open(ordinal)?)
	}
}

impl Driver {
	/// Opens a device and loads the kernels, which the driver compiles the first time.
	pub fn open(ordinal: u32) -> Result<Self, CudaError> {
		let (driver, refused) = Self::open_in_part(ordinal)?;
		refused.into_iter().next().map_or(Ok(driver), Err)
	}

	/// The same also where the driver refuses some kernels, and why it does: to look at the others. Launching one that is not
	/// there is an error.
	///
	/// # Errors
	/// [`CudaError::Ptx`] if there are none at all.
	pub fn open_in_part(ordinal: u32) -> Result<(Self, Vec<CudaError>), CudaError> {
		let driver = probe::driver_version()?;
		let device = probe::device(ordinal)?;
		let info = probe::info(ordinal, device, driver)?;
		if let Some(refused) = refusal(&info) {
			return Err(refused);
		}
		let context = Arc::new(Context::new(device)?);
		let (kernels, refused) = Kernels::load(&context, info.capability)?;
		Ok((Self { kernels, context, info }, refused))
	}

	/// What the driver tells of the device.
	pub fn info(&self) -> &DeviceInfo {
		&self.info
	}

	/// The driver's handle of the stream that work is queued on, for other libraries. It lives as long as the device is open.
	pub fn stream(&self) -> *mut core::ffi::c_void {
		self.context.stream().cast()
	}

	/// Waits for all work that was queued.
	pub fn synchronize(&self) -> Result<(), CudaError> {
		self.context.synchronize()
	}

	/// # Safety
	///
	/// As for [`Device::submit`].
	unsafe fn queue(&self, work: &Work) -> Result<(), CudaError> {
		let stream = self.context.stream();
		match work {
			Work::Launch { kernel, grid, block, args } => {
				// Arguments in place, and pointers to them, as the driver wants them; it copies them before it returns.
				let mut words: Vec<u64> = args
					.iter()
					.map(|value| match *value {
						Value::Address(word) | Value::U64(word) => word,
						// The first four of the eight bytes are read.
						Value::U32(word) => u64::from(word).to_le(),
					})
					.collect();
				let mut pointers: Vec<*mut core::ffi::c_void> =
					words.iter_mut().map(|word| core::ptr::from_mut(word).cast()).collect();
				let function = self.kernels.function(kernel)?;
				// SAFETY: function and stream are alive, the pointers are to as many arguments as the kernel takes, and the
				// caller vouches for the addresses among them.
				let status = unsafe {
					sys::cuLaunchKernel(
						function,
						grid[0],
						grid[1],
						grid[2],
						block[0],
						block[1],
						block[2],
						0,
						stream,
						pointers.as_mut_ptr(),
						core::ptr::null_mut(),
					)
				};
				check("cuLaunchKernel", status).map_err(|error| match error {
					CudaError::Driver { reason, .. } => CudaError::Launch { kernel, reason },
					error => error,
				})
			}
			Work::Copy { from, to, words } => {
				let bytes = bytes(*words)?;
				// SAFETY: the caller vouches for both ranges.
				check("cuMemcpyDtoDAsync", unsafe { sys::cuMemcpyDtoDAsync_v2(*to, *from, bytes, stream) })
			}
			Work::Clear { to, words } => {
				let count = bytes(*words)? / 4;
				// SAFETY: the caller vouches for the range.
				check("cuMemsetD32Async", unsafe { sys::cuMemsetD32Async(*to, 0, count, stream) })
			}
		}
	}
}

/// Bytes of so many words.
fn bytes(words: u64) -> Result<usize, CudaError> {
	let too_many = CudaError::Length { given: words, holds: 0 };
	words.checked_mul(4).and_then(|bytes| usize::try_from(bytes).ok()).ok_or(too_many)
}

impl Device for Driver {
	type Buffer = DriverBuffer;
	type Graph = DriverGraph;

	fn profile(&self) -> Profile {
		Profile { multiprocessors: self.info.multiprocessors, int8_tiles: self.info.capability >= (8, 0) }
	}

	fn free_memory(&self) -> Result<u64, CudaError> {
		self.context.free_memory()
	}

	fn allocate(&self, words: u64) -> Result<DriverBuffer, CudaError> {
		DriverBuffer::new(&self.context, words)
	}

	fn upload(&self, bits: &[u32], to: &DriverBuffer) -> Result<(), CudaError> {
		to.write(bits)
	}

	fn download(&self, from: &DriverBuffer, bits: &mut [u32]) -> Result<(), CudaError> {
		from.read(bits)
	}

	unsafe fn submit(&self, work: &[Work]) -> Result<(), CudaError> {
		self.context.enter()?;
		// SAFETY: the caller's word.
		work.iter().try_for_each(|work| unsafe { self.queue(work) })
	}

	unsafe fn record(&self, work: &[Work]) -> Result<DriverGraph, CudaError> {
		// SAFETY: the caller's word.
		DriverGraph::capture(&self.context, || work.iter().try_for_each(|work| unsafe { self.queue(work) }))
	}

	unsafe fn replay(&self, graph: &DriverGraph) -> Result<(), CudaError> {
		// SAFETY: the caller's word.
		unsafe { graph.launch() }
	}
}

impl Buffer for DriverBuffer {
	fn address(&self) -> u64 {
		self.place()
	}

	fn words(&self) -> u64 {
		self.len()
	}
}
