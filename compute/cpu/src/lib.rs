//! CPU backend, bit-identical to the referee.
//!
//! [`Cpu::run`] executes one op of a program over row-major matrices of bit patterns. The bits of a result depend on
//! the op and its inputs only: not on the [`Path`] (portable code, AVX2, AVX-512, AMX, NEON), not on the number of threads. Work
//! is split over rows and columns of the output, never over the summed axis; sums follow the order of the numerics
//! contract inside one thread.
//!
//! Ops that go row by row run in a [`RowGroup`] or, with the products between them, in a [`Chain`]; the second operand of a
//! product can be [`Packed`] once for many.
//!
//! An output element that is infinite or NaN makes the op fail with [`OpError::NonFinite`]. The payload and the sign of
//! a NaN therefore never reach a result.
//!
//! ```
//! use assay_cpu::{Context, Cpu, Input, Matrix, Output, Path};
//! use assay_program::{BinaryKind, DType, OpKind};
//!
//! let cpu = Cpu::new(Path::Auto, 1)?;
//! let x = [1.0f32.to_bits(), 2.0f32.to_bits()];
//! let mut sum = [0u32; 2];
//! let half = Input::Scalar(0.5f32.to_bits());
//! let x = Input::Tensor(Matrix { dtype: DType::F32, rows: 1, cols: 2, bits: &x });
//! let out = Output { dtype: DType::F32, rows: 1, cols: 2, bits: &mut sum };
//! cpu.run(OpKind::Binary(BinaryKind::Add), &[x, half], &Context { seed: [0; 32], step: 0 }, out)?;
//! assert_eq!(sum, [1.5f32.to_bits(), 2.5f32.to_bits()]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod aligned;
mod arg_max;
mod backend;
mod chain;
mod draws;
mod elementwise;
mod environment;
mod error;
mod gather;
mod hadamard;
mod hard;
mod int8;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod mask;
mod matmul;
mod matrix;
mod packed;
mod parallel;
mod path;
mod products;
mod rearrange;
mod reduce;
mod rows;
mod scatter;
mod shaped;
mod sources;
mod window;

pub use backend::{Context, Cpu};
pub use chain::{
	Chain, ChainInput, ChainProduct, ChainSlot, ChainStage, Factor, Heads, MAX_CHAIN_GIVEN, MAX_CHAIN_PACKED,
};
pub use error::{CpuError, OpError};
pub use hard::Hard;
pub use matrix::{bytes, bytes_mut, from_words, to_words, words_of, Input, Matrix, Output};
pub use packed::Packed;
pub use path::{Path, Standing};
pub use rows::{row_reads, Reads, RowGroup, RowInput, RowOp, MAX_GIVEN, MAX_KEPT};
