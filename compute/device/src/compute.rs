//! What a daemon computes with.

use std::sync::Arc;

use assay_engine::{Accelerator, AcceleratorError, Cpu, Engine};

/// The CPU, and the device that runs jobs in its place if there is one. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Compute {
	cpu: Arc<Cpu>,
	device: Option<Arc<dyn Accelerator>>,
}

impl Compute {
	/// The CPU alone.
	pub fn on_cpu(cpu: Arc<Cpu>) -> Self {
		Self { cpu, device: None }
	}

	/// A device beside the CPU, which still does what the device does not: traces, disputes, and jobs that do not fit.
	pub fn on_device(cpu: Arc<Cpu>, device: Arc<dyn Accelerator>) -> Self {
		Self { cpu, device: Some(device) }
	}

	/// The CPU.
	pub fn cpu(&self) -> &Arc<Cpu> {
		&self.cpu
	}

	/// What the device is, if there is one.
	pub fn device(&self) -> Option<String> {
		self.device.as_ref().map(|device| device.name())
	}

	/// The same without the device: for disputes, which need what a device does not keep.
	pub fn without_device(&self) -> Self {
		Self::on_cpu(self.cpu.clone())
	}

	/// Puts an engine's program on the device, if there is one.
	///
	/// # Errors
	/// [`AcceleratorError`] if the program cannot go there: the engine then runs it on the CPU, which the operator should be told.
	pub fn accelerate(&self, engine: &mut Engine) -> Result<(), AcceleratorError> {
		self.device.as_ref().map_or(Ok(()), |device| engine.accelerate(device.as_ref()))
	}
}
