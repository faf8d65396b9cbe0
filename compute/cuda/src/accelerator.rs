//! A device as the engine uses it: programs are [`Session`]s, one step of one of them at a time.

use std::{
	fmt,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use assay_commitment::Hash;
use assay_engine::{Accelerator, AcceleratorError, Loaded, Stepped, Tensor};
use assay_program::{Program, TensorId};

use crate::{Backend, CudaError, Device, OpError, Session, SessionError, SharedDevice};

/// An [`Accelerator`] on any device. All programs share its queue, so whatever one does is done alone.
#[derive(Debug)]
pub struct DeviceAccelerator<D: Device> {
	name: String,
	backend: Backend<D>,
	alone: Arc<Mutex<()>>,
}

impl<D: Device> DeviceAccelerator<D> {
	/// A device by a name for people.
	pub fn new(name: impl Into<String>, device: D) -> Result<Self, CudaError> {
		Ok(Self { name: name.into(), backend: Backend::on(device)?, alone: Arc::default() })
	}

	/// The backend below, to run single ops while no program runs.
	pub fn backend(&self) -> &Backend<D> {
		&self.backend
	}
}

impl<D: SharedDevice> Accelerator for DeviceAccelerator<D> {
	fn name(&self) -> String {
		self.name.clone()
	}

	fn load(&self, program: &Program, data: &[(TensorId, &Tensor)]) -> Result<Box<dyn Loaded>, AcceleratorError> {
		let _alone = lock(&self.alone);
		let bits: Vec<_> = data.iter().map(|(id, tensor)| (*id, tensor.bits())).collect();
		let data: Vec<(TensorId, &[u32])> = bits.iter().map(|(id, bits)| (*id, &**bits)).collect();
		let session = Session::load(&self.backend, program, &data).map_err(reason)?;
		Ok(Box::new(OnDevice { session: Some(session), alone: Arc::clone(&self.alone) }))
	}
}

/// A program on the device.
struct OnDevice<D: Device> {
	/// `None` only while it is dropped.
	session: Option<Session<D>>,
	alone: Arc<Mutex<()>>,
}

impl<D: Device> OnDevice<D> {
	fn with<R>(
		&mut self,
		work: impl FnOnce(&mut Session<D>) -> Result<R, SessionError>,
	) -> Result<R, AcceleratorError> {
		let _alone = lock(&self.alone);
		let session = self.session.as_mut().ok_or_else(|| AcceleratorError::Failed("the program is gone".into()))?;
		work(session).map_err(reason)
	}
}

impl<D: SharedDevice> Loaded for OnDevice<D> {
	fn write(&mut self, state: &[Tensor], step: u64) -> Result<(), AcceleratorError> {
		let state: Vec<_> = state.iter().map(Tensor::bits).collect();
		self.with(|session| session.write(&state, step))
	}

	fn step(&mut self) -> Result<Stepped, AcceleratorError> {
		self.with(|session| match session.step() {
			Ok(()) => Ok(Stepped::Done),
			Err(SessionError::NonFinite { op, .. }) => Ok(Stepped::NonFinite { op }),
			Err(error) => Err(error),
		})
	}

	fn metrics(&mut self) -> Result<Vec<u32>, AcceleratorError> {
		self.with(|session| session.metrics())
	}

	fn read(&mut self) -> Result<Vec<Vec<u32>>, AcceleratorError> {
		self.with(|session| session.state())
	}

	fn roots(&mut self) -> Result<Vec<Hash>, AcceleratorError> {
		self.with(|session| session.state_roots())
	}
}

impl<D: Device> Drop for OnDevice<D> {
	fn drop(&mut self) {
		// Giving memory back waits for the queue, which another program may be recording.
		let _alone = lock(&self.alone);
		self.session = None;
	}
}

impl<D: Device> fmt::Debug for OnDevice<D> {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("OnDevice").field("session", &self.session).finish_non_exhaustive()
	}
}

/// Nothing is guarded but the order of work.
fn lock(alone: &Mutex<()>) -> MutexGuard<'_, ()> {
	alone.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an error of the session means for the engine.
fn reason(error: SessionError) -> AcceleratorError {
	match error {
		SessionError::Device(CudaError::OutOfMemory { needed, free }) => AcceleratorError::OutOfMemory { needed, free },
		SessionError::Op { source: OpError::Unsupported(_) | OpError::Shape(_), .. } => {
			AcceleratorError::Unsupported(error.to_string())
		}
		error => AcceleratorError::Failed(error.to_string()),
	}
}
