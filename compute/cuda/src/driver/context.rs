//! The primary context of a device, and one stream on it.

use core::ffi::CStr;

use cudarc::driver::sys;

use crate::CudaError;

/// What the driver calls an answer. By number first: a driver newer than the bindings has answers that they do not name.
pub(super) fn name(status: sys::CUresult) -> String {
	let number = status as u32;
	let mut text = core::ptr::null();
	// SAFETY: writes a pointer to a static string, or leaves null.
	let _ = unsafe { sys::cuGetErrorName(status, &mut text) };
	if text.is_null() {
		return format!("error {number}");
	}
	// SAFETY: a static string with its end.
	let text = unsafe { CStr::from_ptr(text) };
	format!("{} ({number})", text.to_string_lossy())
}

/// Whether the driver's answer is this one.
pub(super) fn is(status: sys::CUresult, answer: sys::CUresult) -> bool {
	status as u32 == answer as u32
}

/// The driver's answer as a result.
pub(super) fn check(call: &'static str, status: sys::CUresult) -> Result<(), CudaError> {
	if is(status, sys::CUresult::CUDA_SUCCESS) {
		Ok(())
	} else {
		Err(CudaError::Driver { call, reason: name(status) })
	}
}

/// A retained primary context with a stream of our own.
#[derive(Debug)]
pub(super) struct Context {
	device: sys::CUdevice,
	context: sys::CUcontext,
	stream: sys::CUstream,
}

// SAFETY: the driver's functions may be called from any thread, and every use makes the context current first.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
	/// The device's primary context. The driver is initialised.
	pub(super) fn new(device: sys::CUdevice) -> Result<Self, CudaError> {
		let mut context = Self { device, context: core::ptr::null_mut(), stream: core::ptr::null_mut() };
		// SAFETY: writes a handle; the device exists.
		check("cuDevicePrimaryCtxRetain", unsafe { sys::cuDevicePrimaryCtxRetain(&mut context.context, device) })?;
		context.enter()?;
		let flags = sys::CUstream_flags::CU_STREAM_NON_BLOCKING as u32;
		// SAFETY: writes a handle; a context is current.
		check("cuStreamCreate", unsafe { sys::cuStreamCreate(&mut context.stream, flags) })?;
		Ok(context)
	}

	/// Makes the context the calling thread's.
	pub(super) fn enter(&self) -> Result<(), CudaError> {
		// SAFETY: the context is retained.
		check("cuCtxSetCurrent", unsafe { sys::cuCtxSetCurrent(self.context) })
	}

	pub(super) fn stream(&self) -> sys::CUstream {
		self.stream
	}

	/// Waits for all work of the stream.
	pub(super) fn synchronize(&self) -> Result<(), CudaError> {
		self.enter()?;
		// SAFETY: the stream is alive.
		check("cuStreamSynchronize", unsafe { sys::cuStreamSynchronize(self.stream) })
	}

	/// Free bytes of memory.
	pub(super) fn free_memory(&self) -> Result<u64, CudaError> {
		self.enter()?;
		let (mut free, mut total) = (0usize, 0usize);
		// SAFETY: writes two numbers; a context is current.
		check("cuMemGetInfo", unsafe { sys::cuMemGetInfo_v2(&mut free, &mut total) })?;
		Ok(free as u64)
	}
}

impl Drop for Context {
	fn drop(&mut self) {
		if self.context.is_null() {
			return;
		}
		// Nobody is left to hear of a failure; the process's end frees what this does not.
		let _ = self.enter();
		if !self.stream.is_null() {
			// SAFETY: nothing holds the stream any more.
			let _ = unsafe { sys::cuStreamDestroy_v2(self.stream) };
		}
		// SAFETY: retained once in `new`.
		let _ = unsafe { sys::cuDevicePrimaryCtxRelease_v2(self.device) };
	}
}
