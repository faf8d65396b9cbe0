//! The C side: kernels by name, and the grid that runs them.

use crate::EmulationError;

/// A kernel launch on this machine.
#[cfg_attr(no_compiler, allow(dead_code))]
pub(crate) struct Call<'a> {
	pub(crate) kernel: &'a str,
	pub(crate) grid: [u32; 3],
	pub(crate) block: [u32; 3],
	/// Little-endian bytes of each argument, 4 or 8.
	pub(crate) arguments: Vec<(u64, usize)>,
	/// 0 ascending, 1 descending, 2 scattered.
	pub(crate) order: i32,
}

/// Runs a kernel to its end.
///
/// # Safety
///
/// Pointers among the arguments are to memory that the kernel may access as it does.
#[cfg(no_compiler)]
pub(crate) unsafe fn launch(_: &Call<'_>) -> Result<(), EmulationError> {
	Err(EmulationError::NoCompiler)
}

/// Runs a kernel to its end.
///
/// # Safety
///
/// Pointers among the arguments are to memory that the kernel may access as it does.
#[cfg(not(no_compiler))]
pub(crate) unsafe fn launch(call: &Call<'_>) -> Result<(), EmulationError> {
	use std::ffi::{c_void, CString};

	let Call { kernel, grid, block, arguments, order } = call;
	let missing = || EmulationError::NoKernel((*kernel).to_owned());
	let name = CString::new(*kernel).map_err(|_| missing())?;
	// SAFETY: a string with its end; the entries are static.
	let entry = unsafe { c::assay_entry(name.as_ptr()) };
	if entry.is_null() {
		return Err(missing());
	}
	// SAFETY: `entry` is one of the static entries, and indices are below their count.
	let takes: Vec<usize> =
		unsafe { (0..c::assay_parameters(entry)).map(|index| c::assay_parameter_size(entry, index)).collect() };
	let given: Vec<usize> = arguments.iter().map(|(_, size)| *size).collect();
	if takes != given {
		return Err(EmulationError::Arguments { kernel: (*kernel).to_owned(), takes, given });
	}
	let threads: u64 = block.iter().map(|extent| u64::from(*extent)).product();
	let runs =
		grid.iter().all(|extent| *extent > 0) && grid[0] <= i32::MAX as u32 && grid[1] <= 65535 && grid[2] <= 65535;
	if !runs || threads == 0 || threads > 1024 || block[2] > 64 {
		return Err(EmulationError::Grid { kernel: (*kernel).to_owned(), grid: *grid, block: *block });
	}
	let words: Vec<u64> = arguments.iter().map(|(word, _)| word.to_le()).collect();
	let pointers: Vec<*const c_void> = words.iter().map(|word| core::ptr::from_ref(word).cast()).collect();
	let index = |[x, y, z]: [u32; 3]| c::Index3 { x, y, z };
	// SAFETY: as many arguments of the right sizes as the kernel takes; what they point to is the caller's word.
	match unsafe { c::assay_launch(entry, index(*grid), index(*block), pointers.as_ptr(), *order) } {
		0 => Ok(()),
		1 => Err(EmulationError::Barrier((*kernel).to_owned())),
		_ => Err(EmulationError::Memory { threads }),
	}
}

#[cfg(not(no_compiler))]
mod c {
	use std::ffi::{c_char, c_int, c_void};

	#[repr(C)]
	pub(super) struct Index3 {
		pub(super) x: u32,
		pub(super) y: u32,
		pub(super) z: u32,
	}

	#[repr(C)]
	pub(super) struct Entry {
		opaque: [u8; 0],
	}

	unsafe extern "C" {
		pub(super) fn assay_entry(name: *const c_char) -> *const Entry;
		pub(super) fn assay_parameters(entry: *const Entry) -> usize;
		pub(super) fn assay_parameter_size(entry: *const Entry, index: usize) -> usize;
		pub(super) fn assay_launch(
			entry: *const Entry,
			grid: Index3,
			block: Index3,
			arguments: *const *const c_void,
			order: c_int,
		) -> c_int;
	}
}
