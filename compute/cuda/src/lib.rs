//! CUDA backend of both lanes, bit-identical to the referee.
//!
//! [`Cuda`] runs the ops of a program on an NVIDIA GPU, over tensors that stay in its memory. The bits of a result depend on
//! the op and its inputs only, not on the device, its size, or the grid; where they would not be the CPU's, that is a bug.
//! An output element that is infinite or NaN makes the op fail with [`OpError::NonFinite`].
//!
//! ```
//! use assay_cuda::{Context, Cuda, Input, OpError};
//! use assay_program::{BinaryKind, OpKind, TensorSpec};
//!
//! let cuda = match Cuda::new(0) {
//!     Ok(cuda) => cuda,
//!     // A typed reason: no driver, no device, a driver or a device too old.
//!     Err(error) => return println!("{error}"),
//! };
//! let run = || -> Result<Vec<u32>, OpError> {
//!     let spec = TensorSpec::f32(1, 2);
//!     let x = cuda.upload(spec, &[1.0f32.to_bits(), 2.0f32.to_bits()])?;
//!     let mut sum = cuda.allocate(spec)?;
//!     let half = Input::Scalar(0.5f32.to_bits());
//!     let context = Context { seed: [0; 32], step: 0 };
//!     cuda.run(OpKind::Binary(BinaryKind::Add), &[Input::Tensor(&x), half], &context, &mut sum)?;
//!     Ok(cuda.download(&sum)?)
//! };
//! assert_eq!(run(), Ok(vec![1.5f32.to_bits(), 2.5f32.to_bits()]));
//! ```
//!
//! # From an op to a device
//!
//! | Step | Where | What it needs |
//! |---|---|---|
//! | an op becomes launches: kernels, grids, arguments, scratch memory | [`lower()`] | nothing: it is a pure function |
//! | launches get addresses and are queued | [`Backend`] one op at a time, [`Session`] a whole step as a graph | a [`Device`] |
//! | an engine's runs become sessions | [`DeviceAccelerator`] | a [`Device`] |
//! | the device does them | [`Driver`], or `assay-cuda-emulation` on the CPU | a GPU, or a C++ compiler |
//!
//! Kernels are CUDA C++ in `kernels/`, shipped as PTX in `ptx/` for compute capability 6.1, and for 8.0 what uses tensor cores
//! (int8 products), which the driver compiles for whatever newer device there is. Building this crate needs neither a CUDA toolkit nor a GPU, and running it needs
//! NVIDIA's driver for CUDA 12.1 or newer, opened when a backend is made.
//!
//! # Why the bits are the referee's
//!
//! - Every float operation names its rounding (`__fmaf_rn` and its like); the lint in `tests/ptx` refuses PTX with an
//!   operation that does not, with an approximation, a flush to zero, a float atomic, or a tensor-core product of floats.
//! - `exp`, `log`, `tanh`, `sigmoid`, `erf`, `sin`, `cos`, `rsqrt`, the conversions to and from integers and the noise repeat
//!   `assay_softfloat::functions` operation by operation.
//! - Sums follow the contract's order: 32 lanes, then a tree, then segments ascending; a product is one fma chain per 512
//!   of the inner dimension. Threads and blocks share out independent elements and whole segments, never a chain.
//! - In a [`Session`], elementwise ops that follow each other are one launch (`src/chain`): the same functions on the same
//!   operands, each op with its own check for infinities and NaNs; what lies between them has no memory.
//! - A product of 8-bit integers is exact, so it may be cut and added in any order.
//! - Where threads write one word, all write the same.
//!
//! # What is checked, and what is not
//!
//! `conformance/` is one set of suites for every device: each op kind on odd shapes and special values against the
//! referee, tensor roots against the commitment, training steps against the CPU engine. `cargo test -p
//! assay-cuda-emulation` runs them with the same kernel source compiled for the CPU, threads in adverse orders; with the
//! shipped PTX interpreted; and through [`Driver`] with a library in the place of NVIDIA's. `scripts/gpu-check` runs them
//! on a GPU.
//!
//! Not measured: no figure for a GPU exists yet, neither of speed nor of equality. `assay-device` runs a part of the suites at
//! every start of a daemon, before anything is computed on a card.
//!
//! # What is missing
//!
//! Every op kind has a kernel. A new kind gets one in `kernels/`, an arm in [`lower()`], which is
//! [`OpError::Unsupported`] until then, and cases in `conformance/`, of which the random ops must have one. One device at a
//! time.

mod accelerator;
mod backend;
mod bytes;
pub mod cases;
mod chain;
mod device;
mod driver;
mod error;
mod grid;
mod launch;
mod lower;
mod memory;
mod placement;
mod ptx;
mod record;
mod session;
mod traffic;

pub use accelerator::DeviceAccelerator;
pub use backend::{Backend, Context, DeviceTensor, Input};
pub use device::{Buffer, Device, SharedDevice};
pub use driver::{devices, DeviceInfo, Driver, DriverBuffer, DriverGraph, Listed};
pub use error::{CudaError, OpError};
pub use launch::{Arg, Launch, Lowered, Profile, Value, Work};
pub use lower::lower;
pub use ptx::{Module, MODULES};
pub use session::{Session, SessionError};
pub use traffic::{StepTraffic, Traffic};

/// The backend on a GPU.
pub type Cuda = Backend<Driver>;

/// A GPU as the engine uses it.
pub type CudaAccelerator = DeviceAccelerator<Driver>;
