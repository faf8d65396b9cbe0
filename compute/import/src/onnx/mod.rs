//! ONNX models as programs.
//!
//! The graph is read with its initial values, and its inputs are given when the program is built: shapes are static, and
//! everything made of integers (shapes, indices, token ids) is known and computed here. What is made of f32 becomes ops.
//! A tensor of any rank is a matrix of the same elements, in the same order or, as [`turn::Turned`] says, with two groups of axes
//! exchanged: so pixels of images are rows and their channels columns. Where an op needs another order, they are rearranged exactly.

mod array;
mod builder;
mod node;
mod ops;
mod proto;
mod rows;
mod tensor;
mod turn;
mod wire;
mod writer;

pub use builder::{Onnx, OnnxInput, OnnxPort};
pub use writer::export_onnx;
