//! What the backend needs of a device: memory, and a queue of work.

use crate::{
	launch::{Profile, Work},
	CudaError,
};

/// Memory on a device. Freed when dropped, after the work that was queued before.
pub trait Buffer: core::fmt::Debug {
	/// Where it begins, a multiple of 256.
	fn address(&self) -> u64;
	/// Words of 4 bytes.
	fn words(&self) -> u64;
}

/// A device: a GPU behind its driver, or the emulation. Work is done in the order in which it is queued.
pub trait Device: core::fmt::Debug {
	/// Memory.
	type Buffer: Buffer;
	/// Work that was recorded once and is queued as a whole.
	type Graph;

	/// What decides how work is cut up.
	fn profile(&self) -> Profile;

	/// Bytes of its memory that are free.
	fn free_memory(&self) -> Result<u64, CudaError>;

	/// Memory of `words` words, with any content.
	fn allocate(&self, words: u64) -> Result<Self::Buffer, CudaError>;

	/// Writes the first `bits.len()` words of a buffer.
	fn upload(&self, bits: &[u32], to: &Self::Buffer) -> Result<(), CudaError>;

	/// Waits for all work and reads the first `bits.len()` words of a buffer.
	fn download(&self, from: &Self::Buffer, bits: &mut [u32]) -> Result<(), CudaError>;

	/// Queues work.
	///
	/// # Safety
	///
	/// Every address in the work is inside a buffer of this device that lives until the work is done, with as many words
	/// from there on as the kernel or copy accesses; kernels get the arguments that they take.
	unsafe fn submit(&self, work: &[Work]) -> Result<(), CudaError>;

	/// Records work without doing it.
	///
	/// # Safety
	///
	/// As for [`Device::submit`], for as long as the graph may be replayed.
	unsafe fn record(&self, work: &[Work]) -> Result<Self::Graph, CudaError>;

	/// Queues recorded work.
	///
	/// # Safety
	///
	/// The buffers that the recorded work names still live.
	unsafe fn replay(&self, graph: &Self::Graph) -> Result<(), CudaError>;
}

/// A device that threads may share.
pub trait SharedDevice: Device<Buffer: Send + Sync, Graph: Send> + Send + Sync + 'static {}

impl<D: Device<Buffer: Send + Sync, Graph: Send> + Send + Sync + 'static> SharedDevice for D {}
