//! What jobs are computed on: found once at the start, told in one line.

use crate::DaemonError;
use assay_cpu::Cpu;
use assay_device::{choose, Cuda};
pub use assay_device::{Compute, DeviceChoice};
use assay_engine::{Engine, Outcome, RunError, State};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Finds what the operator asked for, and looks at a CUDA device before it is taken, on a thread of its own.
///
/// # Errors
/// [`DaemonError::Device`] if a CUDA device was asked for and none can be used.
pub async fn find(choice: DeviceChoice, cpu: Arc<Cpu>) -> Result<Compute, DaemonError> {
	let chosen = tokio::task::spawn_blocking(move || choose(choice, cpu, &Cuda)).await??;
	// Where the CPU is computed on after all, the line says why.
	if chosen.compute.device().is_some() {
		chosen.refused.iter().for_each(|refused| tracing::warn!(%refused, "a device is not used"));
	}
	tracing::info!("{}", chosen.why);
	Ok(chosen.compute)
}

/// Runs on to `until` steps, or stops after a step once `stop` is cancelled. If the device fails, the CPU does the run again.
///
/// # Errors
/// [`RunError`].
pub fn run(engine: &Engine, state: &mut State, until: u64, stop: &CancellationToken) -> Result<Outcome, RunError> {
	let tell = |error: &assay_engine::AcceleratorError| {
		tracing::error!(%error, "the device failed; the CPU does this run again and the rest of this job");
	};
	assay_device::run(engine, state, until, &|| !stop.is_cancelled(), &tell)
}
