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
//! (int8 products), which the driver compiles for whatever newer device there is. Building this crate needs neither a CUDA toolkit nor
//! a GPU, and running it needs NVIDIA's driver for CUDA 12.1 or newer, opened when a backend is made.
//!
//! # Why the bits are the referee's
//!
//! - Every float operation names its rounding (`__fmaf_rn` and its like); the lint in `tests/ptx` refuses PTX with an
//!   operation that does not, with an approximation, a flush to zero, a float atomic, or a tensor-core product of floats.
//! - `exp`, `log`, `tanh`, `sigmoid`, `erf`, `sin`, `cos`, `rsqrt`, the conversions to and from integers and the noise repeat
//!   `assay_softfloat::functions` operation by operation.
//! - Sums follow the contract's order: 32 lanes, then a tree, then segments ascending; a product is one fma chain per 512
//!   of the inner dimension. Threads and blocks share out independent elements and whole segments, never a chain.
//! - In a [`Session`], ops that go together are one launch, as below: the same functions on the same operands.
//! - A product of 8-bit integers is exact, so it may be cut and added in any order.
//! - Where threads write one word, all write the same.
//!
//! # Ops in one launch
//!
//! In a [`Session`], ops form groups (`src/chain`); what only a group reads is never in memory. A group is one of two:
//!
//! - **elementwise** ops with outputs of one shape, kernel `chain`: an optimiser's update of a parameter, a GELU;
//! - ops that go **row by row**, kernel `chain_rows`: elementwise ones (with broadcasts, `Quantise` and `Dequantise` among them),
//!   `Causal`, `Dropout`, `OneHot`, and `Reduce` over the columns, whose outputs have the same rows and as many columns or one. A
//!   softmax, a layer norm, a cross-entropy, their gradients, and the scales of int8 operands are such groups, with the bias,
//!   residual sum or activation beside them.
//!
//! A row of up to 4,096 columns is a warp's, a longer one a block's, whose warps take a segment each; rows of any length go. Fewer
//! than 64 rows of more than 4,096 columns are left to the kernels of single ops, which share them out over the whole device. A
//! group has at most 64 ops, 192 instructions, 8 passes over a row, and 8 values at a time, which lie in slots of
//! shared memory: 16,896 bytes for a block of 128 threads, of which five to six run on a processor.
//!
//! A reduction is known only after the whole row, so a row is gone through in passes, each up to the reductions that it can finish.
//! What a later pass needs again is read again if it is in memory, computed again by the same ops if that is cheap, and else
//! written to memory for it; rows are not held in shared memory, so none is too long. For a short row the reads again are from a
//! cache. Cheap outputs of other groups are computed again as well, where a group has what they are made of.
//!
//! The bits are those of the ops one by one. A pass hands each thread every 32nd element of a segment, ascending: a lane of the
//! contract, which it adds to as the contract says; the lanes meet in the same tree, the segments in the same order. What a thread
//! computes again has the same operands. Every op looks for infinities and NaNs in all its output once, in the pass in which it is
//! first computed, in a word of its own; the first op of the program's order whose word is set is the one that fails, whatever the
//! order of the launches: an op whose inputs are all finite is not affected by what fails elsewhere.
//!
//! [`StepTraffic`] counts the launches of a step and what they move, without a device.
//!
//! Products have launches of their own. A product's bias, activation or scales are in the group that reads it; to do them in the
//! product's launch would take the registers that its chains fill, and the flags of two ops.
//!
//! # Memory
//!
//! Elements are words; of 8-bit tensors bytes, four to a word, row after row, as int8 products read them and as the engine holds
//! them. [`Backend`] and [`Session`] take and give a word for each. Roots are of the canonical form, as everywhere.
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
