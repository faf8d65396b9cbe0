//! The CUDA kernels of `assay-cuda` on the CPU: the same source text, compiled as C++ for this machine.
//!
//! It answers whether a kernel computes the right bits, not how fast. [`Emulated`] is a device like a GPU to
//! `assay-cuda`, so what is checked is everything up to the driver: the choice of kernels, grids, arguments, scratch
//! memory, the kernels themselves, and the order of work.
//!
//! What a GPU would only sometimes show, it shows always:
//!
//! - threads of a block take turns in an [`Order`] of choice, blocks too, so that a missing barrier changes bits;
//! - a barrier that only some threads of a block reach is an error;
//! - memory is filled with a pattern before use and has guard words on both sides, checked after every launch;
//! - number and sizes of a kernel's arguments are checked.
//!
//! What it cannot show: how the driver's compiler and the device execute the PTX. `assay-cuda`'s lint of the PTX and its
//! conformance example are for that.
//!
//! Building needs a C++ compiler (`g++` or `clang++`). Without one the crate builds and every launch says so.

mod device;
mod ffi;

pub use device::{Emulated, Order};

/// Why a kernel could not be emulated, or did something that no kernel may.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmulationError {
	/// The crate was built where there is no C++ compiler.
	#[error("built without a C++ compiler; install g++ or clang++ and build again")]
	NoCompiler,
	/// No kernel has this name.
	#[error("there is no kernel `{0}`")]
	NoKernel(String),
	/// The kernel takes other arguments.
	#[error("`{kernel}` takes arguments of {takes:?} bytes, not {given:?}")]
	Arguments {
		/// The kernel.
		kernel: String,
		/// Bytes of each parameter.
		takes: Vec<usize>,
		/// Bytes of each argument given.
		given: Vec<usize>,
	},
	/// Grid or block has no thread or more than a device could run.
	#[error("`{kernel}`: no device runs a grid of {grid:?} blocks of {block:?} threads")]
	Grid {
		/// The kernel.
		kernel: String,
		/// Blocks.
		grid: [u32; 3],
		/// Threads of a block.
		block: [u32; 3],
	},
	/// Some threads of a block ended while others waited.
	#[error("`{0}`: not every thread of a block reaches the barrier")]
	Barrier(String),
	/// A word next to a buffer was written.
	#[error("`{0}` writes outside its buffers")]
	OutOfBounds(String),
	/// Memory for the threads' stacks cannot be had.
	#[error("no memory for the stacks of {threads} threads")]
	Memory {
		/// Threads of a block.
		threads: u64,
	},
}

/// Folder with a `libcuda.so` that runs kernels in the emulation, for the dynamic loader's path; `None` where none was
/// built. It checks the code that talks to NVIDIA's driver, and is no driver to use.
pub const EMULATED_DRIVER: Option<&str> = option_env!("ASSAY_EMULATED_DRIVER");
