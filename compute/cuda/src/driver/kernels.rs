//! The kernels, loaded.

use std::{
	collections::BTreeMap,
	ffi::{c_void, CString},
	sync::Arc,
};

use cudarc::driver::sys;

use super::context::{check, Context};
use crate::{
	ptx::{Module, MODULES},
	CudaError,
};

/// Bytes for the driver's complaints about a module.
const LOG: usize = 8 << 10;

/// The kernels that the device runs, by name.
#[derive(Debug)]
pub(super) struct Kernels {
	context: Arc<Context>,
	modules: Vec<sys::CUmodule>,
	functions: BTreeMap<&'static str, sys::CUfunction>,
}

// SAFETY: handles of the driver, which may be used from any thread.
unsafe impl Send for Kernels {}
// SAFETY: as above.
unsafe impl Sync for Kernels {}

impl Kernels {
	/// Loads every module that a device of this compute capability runs; the driver compiles the PTX for the device and keeps
	/// the result for the next time. Beside the kernels, why some are not there.
	pub(super) fn load(context: &Arc<Context>, capability: (u32, u32)) -> Result<(Self, Vec<CudaError>), CudaError> {
		context.enter()?;
		let mut kernels = Self { context: Arc::clone(context), modules: Vec::new(), functions: BTreeMap::new() };
		let runs = |module: &&Module| module.needs_capability().is_some_and(|needed| needed <= capability);
		let mut all_refused = Vec::new();
		for module in MODULES.iter().filter(runs) {
			let handle = match load(module) {
				Ok(handle) => handle,
				Err(refused) => {
					all_refused.push(refused);
					continue;
				}
			};
			kernels.modules.push(handle);
			for name in module.kernels() {
				let refused = |reason: String| CudaError::Ptx { module: module.name, reason };
				let symbol = CString::new(name).map_err(|error| refused(error.to_string()))?;
				let mut function = core::ptr::null_mut();
				// SAFETY: writes a handle; the module is loaded and the name ends in 0.
				let status = unsafe { sys::cuModuleGetFunction(&mut function, handle, symbol.as_ptr()) };
				match check("cuModuleGetFunction", status) {
					Ok(()) => drop(kernels.functions.insert(name, function)),
					Err(error) => all_refused.push(refused(format!("{name}: {error}"))),
				}
			}
		}
		match all_refused.pop() {
			Some(refused) if kernels.functions.is_empty() => Err(refused),
			last => {
				all_refused.extend(last);
				Ok((kernels, all_refused))
			}
		}
	}

	/// The kernel of that name.
	pub(super) fn function(&self, kernel: &'static str) -> Result<sys::CUfunction, CudaError> {
		let absent = || CudaError::Launch { kernel, reason: "no module has it".to_owned() };
		self.functions.get(kernel).copied().ok_or_else(absent)
	}
}

fn load(module: &Module) -> Result<sys::CUmodule, CudaError> {
	let refused = |reason: String| CudaError::Ptx { module: module.name, reason };
	let text = CString::new(module.ptx).map_err(|error| refused(error.to_string()))?;
	let mut log = vec![0u8; LOG];
	let mut options =
		[sys::CUjit_option::CU_JIT_ERROR_LOG_BUFFER, sys::CUjit_option::CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES];
	// Numbers are passed in place of pointers, as the driver's interface has it.
	let mut values: [*mut c_void; 2] = [log.as_mut_ptr().cast(), LOG as *mut c_void];
	let mut handle = core::ptr::null_mut();
	// SAFETY: the text ends in 0; two options with their values; the log is as long as said.
	let status = unsafe {
		sys::cuModuleLoadDataEx(
			&mut handle,
			text.as_ptr().cast(),
			options.len() as u32,
			options.as_mut_ptr(),
			values.as_mut_ptr(),
		)
	};
	check("cuModuleLoadDataEx", status).map(|()| handle).map_err(|error| {
		let log = String::from_utf8_lossy(log.split(|byte| *byte == 0).next().unwrap_or(&[])).into_owned();
		refused(format!("{error} {}", log.trim()))
	})
}

impl Drop for Kernels {
	fn drop(&mut self) {
		let _ = self.context.synchronize();
		for module in &self.modules {
			// SAFETY: loaded in `load`, unloaded once; no kernel of it runs any more.
			let _ = unsafe { sys::cuModuleUnload(*module) };
		}
	}
}
