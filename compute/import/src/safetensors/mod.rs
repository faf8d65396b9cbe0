//! The safetensors format: an 8-byte length, a JSON header, the tensors' bytes.
//!
//! Reading streams: opening a file reads its header only, and a tensor's bytes are converted chunk by chunk, so memory is
//! bounded by the header (8 MiB) and by the tensors asked for. The rules on offsets are those of the `safetensors` crate;
//! what it leaves open (a name twice, a header of up to 100 MB) is decided here.

mod header;
mod reader;
mod widen;
mod writer;

pub use header::Entry;
pub(crate) use reader::matrix;
pub use reader::Safetensors;
pub(crate) use widen::Widening;
pub use writer::{write_safetensors, write_whole, Named};

pub use ::safetensors::Dtype;
