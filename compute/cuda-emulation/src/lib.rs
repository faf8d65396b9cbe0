//! The CUDA kernels of `assay-cuda` on the CPU, two ways: their source compiled as C++ for this machine, and the PTX as
//! shipped, interpreted instruction by instruction with softfloat for its floats.
//!
//! Both answer whether a kernel computes the right bits, not how fast. [`Emulated`] is a device like a GPU to
//! `assay-cuda`, so what is checked is everything up to the driver: the choice of kernels, grids, arguments, scratch
//! memory, the kernels themselves, and the order of work.
//!
//! What a GPU would only sometimes show, they show always:
//!
//! - threads of a block take turns in an [`Order`] of choice, so that a missing barrier changes bits;
//! - a barrier that only some threads of a block reach is an error, and so is a tensor-core product that only some of a warp do;
//! - memory is filled with a pattern before use;
//! - number and sizes of a kernel's arguments are checked;
//! - a write outside: compiled, by guard words on both sides of every buffer; interpreted, any access outside, and any that
//!   is not aligned, at the instruction that does it.
//!
//! The compiled kernels are fast enough for thousands of random cases, and run under [`EMULATED_DRIVER`] too; the
//! interpreted ones are what a driver is given. What neither can show: how the driver's compiler and the device execute the
//! PTX. `scripts/gpu-check`, on a GPU, is for that. [`Emulated::with_faulty_lane`] and its like are devices with mistakes, to
//! see that whoever looks at a device before using it finds them.
//!
//! The compiled kernels need a C++ compiler (`g++` or `clang++`). Without one the crate builds and their launches say so.

mod device;
mod ffi;
mod memory;
mod ptx;

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
	/// Some threads of a block, or of a warp, ended or went elsewhere while others waited.
	#[error("`{0}`: not every thread reaches the barrier of its block, or the product of its warp")]
	Barrier(String),
	/// A word next to a buffer was written.
	#[error("`{0}` writes outside its buffers")]
	OutOfBounds(String),
	/// The interpreter does not know this PTX.
	#[error("{module}.ptx, line {line}: `{text}` is not understood")]
	Ptx {
		/// The module.
		module: &'static str,
		/// Line, from 1.
		line: usize,
		/// What is not understood.
		text: String,
	},
	/// An instruction reads or writes where it may not.
	#[error("`{kernel}`, line {line} of its PTX: {bytes} bytes at {address:#x} are {what}")]
	Access {
		/// The kernel.
		kernel: String,
		/// Line of the module, from 1.
		line: usize,
		/// Address.
		address: u64,
		/// Bytes.
		bytes: u64,
		/// What is wrong with it.
		what: &'static str,
	},
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
