//! Memory of a device.

use std::sync::Arc;

use cudarc::driver::sys;

use super::{
	bytes,
	context::{check, is, Context},
};
use crate::CudaError;

/// Memory on a GPU, freed when dropped.
#[derive(Debug)]
pub struct DriverBuffer {
	context: Arc<Context>,
	address: sys::CUdeviceptr,
	words: u64,
}

impl DriverBuffer {
	/// `words` words with any content.
	pub(super) fn new(context: &Arc<Context>, words: u64) -> Result<Self, CudaError> {
		context.enter()?;
		let size = bytes(words.max(1))?;
		let mut address = 0;
		// SAFETY: writes an address; a context is current.
		let status = unsafe { sys::cuMemAlloc_v2(&mut address, size) };
		if is(status, sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY) {
			return Err(CudaError::OutOfMemory { needed: size as u64, free: context.free_memory().unwrap_or(0) });
		}
		check("cuMemAlloc", status).map(|()| Self { context: Arc::clone(context), address, words })
	}

	pub(super) fn place(&self) -> u64 {
		self.address
	}

	pub(super) fn len(&self) -> u64 {
		self.words
	}

	/// Writes the first words, and waits, so that the slice may go.
	pub(super) fn write(&self, bits: &[u32]) -> Result<(), CudaError> {
		self.fits(bits.len())?;
		self.context.enter()?;
		let (source, len) = (bits.as_ptr().cast(), core::mem::size_of_val(bits));
		// SAFETY: both ranges hold `len` bytes, and the slice is borrowed until the copy is done.
		let status = unsafe { sys::cuMemcpyHtoDAsync_v2(self.address, source, len, self.context.stream()) };
		check("cuMemcpyHtoDAsync", status)?;
		self.context.synchronize()
	}

	/// Reads the first words after all work before.
	pub(super) fn read(&self, bits: &mut [u32]) -> Result<(), CudaError> {
		self.fits(bits.len())?;
		self.context.enter()?;
		let (target, len) = (bits.as_mut_ptr().cast(), core::mem::size_of_val(bits));
		// SAFETY: both ranges hold `len` bytes, and the slice is borrowed until the copy is done.
		let status = unsafe { sys::cuMemcpyDtoHAsync_v2(target, self.address, len, self.context.stream()) };
		check("cuMemcpyDtoHAsync", status)?;
		self.context.synchronize()
	}

	fn fits(&self, words: usize) -> Result<(), CudaError> {
		let (given, holds) = (words as u64, self.words);
		if given <= holds {
			Ok(())
		} else {
			Err(CudaError::Length { given, holds })
		}
	}
}

impl Drop for DriverBuffer {
	fn drop(&mut self) {
		// Work that still uses the memory ends first: a plain free waits for it.
		let _ = self.context.synchronize();
		// SAFETY: allocated in `new`, freed once.
		let _ = unsafe { sys::cuMemFree_v2(self.address) };
	}
}
