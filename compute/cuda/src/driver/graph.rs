//! Work recorded once and queued as a whole.

use std::sync::Arc;

use cudarc::driver::sys;

use super::context::{check, Context};
use crate::CudaError;

/// Recorded work.
#[derive(Debug)]
pub struct DriverGraph {
	context: Arc<Context>,
	executable: sys::CUgraphExec,
}

// SAFETY: a handle of the driver; launches go to one stream, in order.
unsafe impl Send for DriverGraph {}
// SAFETY: as above.
unsafe impl Sync for DriverGraph {}

impl DriverGraph {
	/// Records what `queue` queues on the context's stream.
	pub(super) fn capture(
		context: &Arc<Context>,
		queue: impl FnOnce() -> Result<(), CudaError>,
	) -> Result<Self, CudaError> {
		context.enter()?;
		let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
		// SAFETY: the stream is alive and not capturing: a capture ends in the function that begins it.
		check("cuStreamBeginCapture", unsafe { sys::cuStreamBeginCapture_v2(context.stream(), mode) })?;
		let queued = queue();
		let mut graph = core::ptr::null_mut();
		// SAFETY: writes a handle; the stream is capturing. Also after a failure, or the stream could not be used again.
		let ended = check("cuStreamEndCapture", unsafe { sys::cuStreamEndCapture(context.stream(), &mut graph) });
		let mut executable = core::ptr::null_mut();
		let made = queued.and(ended).and_then(|()| {
			// SAFETY: writes a handle; the graph was just captured.
			check("cuGraphInstantiate", unsafe { sys::cuGraphInstantiateWithFlags(&mut executable, graph, 0) })
		});
		if !graph.is_null() {
			// SAFETY: captured above, destroyed once; the executable does not need it.
			let _ = unsafe { sys::cuGraphDestroy(graph) };
		}
		made.map(|()| Self { context: Arc::clone(context), executable })
	}

	/// Queues the recorded work.
	///
	/// # Safety
	///
	/// The memory that the work names is alive until it is done.
	pub(super) unsafe fn launch(&self) -> Result<(), CudaError> {
		self.context.enter()?;
		// SAFETY: the executable and the stream are alive; the caller vouches for the memory.
		check("cuGraphLaunch", unsafe { sys::cuGraphLaunch(self.executable, self.context.stream()) })
	}
}

impl Drop for DriverGraph {
	fn drop(&mut self) {
		let _ = self.context.synchronize();
		// SAFETY: made in `capture`, destroyed once.
		let _ = unsafe { sys::cuGraphExecDestroy(self.executable) };
	}
}
