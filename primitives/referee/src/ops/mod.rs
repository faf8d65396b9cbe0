//! One file per family of ops: what a micro-op computes from the rectangles it reads.
//!
//! Callers guarantee what `OpGeometry::micro_regions` gives: the rectangles of the op's inputs, not empty.

pub(crate) mod arg_max;
pub(crate) mod copy;
pub(crate) mod elementwise;
pub(crate) mod gather;
pub(crate) mod hadamard;
pub(crate) mod integer;
pub(crate) mod mask;
pub(crate) mod matmul;
pub(crate) mod one_hot;
pub(crate) mod reduce;
pub(crate) mod rows;
pub(crate) mod window;
