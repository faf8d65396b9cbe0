//! Runs stretches of steps on a device.
//!
//! The state goes there when a run begins and comes back when it ends: finished, stopped by the observer, or failed. It
//! also stays there, under a mark that no other state carries, so the next run begins without a copy if it is given the state
//! that the last one left, and its root is hashed on the device.

use std::{
	ops::ControlFlow,
	sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError},
};

use assay_program::{Role, TensorId};

use crate::{
	data::Data,
	state::{DeviceCopy, Mark},
	Accelerator, AcceleratorError, Engine, Hash, Loaded, Outcome, RunError, State, StepReport, Stepped, Tensor,
};

/// A program's place on a device.
#[derive(Debug)]
pub(crate) struct Accelerated {
	name: String,
	device: Mutex<OnDevice>,
	/// Why the device is not used any more.
	failure: OnceLock<AcceleratorError>,
}

#[derive(Debug)]
struct OnDevice {
	program: Box<dyn Loaded>,
	/// Mark of the state there; `None` while it is not known to be one that the host has.
	holds: Option<Arc<DeviceCopy>>,
}

impl Engine {
	/// Has runs of this engine done by a device. Traces, disputes and [`Engine::outputs`] stay on the CPU, and so does a run
	/// that begins while another one of this engine is on the device.
	///
	/// # Errors
	/// [`AcceleratorError`]; the engine then runs everything on the CPU, as before the call.
	pub fn accelerate(&mut self, accelerator: &dyn Accelerator) -> Result<(), AcceleratorError> {
		self.accelerated = None;
		let decls = self.program.tensors.iter().zip(0u32..);
		let ids = decls.filter(|(decl, _)| matches!(decl.role, Role::Data { .. })).map(|(_, id)| TensorId(id));
		let data: Vec<_> = self.data.iter().map(Data::tensor).collect();
		let data: Vec<(TensorId, &Tensor)> = ids.zip(data.iter().map(AsRef::as_ref)).collect();
		let program = accelerator.load(&self.program, &data)?;
		let device = Mutex::new(OnDevice { program, holds: None });
		self.accelerated = Some(Accelerated { name: accelerator.name(), device, failure: OnceLock::new() });
		Ok(())
	}

	/// The device that runs are done by, if there is one and it has not failed.
	pub fn accelerator(&self) -> Option<&str> {
		let working = self.accelerated.as_ref().filter(|accelerated| accelerated.failure.get().is_none());
		working.map(|accelerated| accelerated.name.as_str())
	}

	/// Why the device is not used any more.
	pub fn accelerator_failure(&self) -> Option<&AcceleratorError> {
		self.accelerated.as_ref()?.failure.get()
	}

	/// [`Engine::run`] on the device; `None` if the CPU is to do it.
	pub(crate) fn run_accelerated(
		&self,
		state: &mut State,
		until: u64,
		observer: &mut dyn FnMut(&StepReport<'_>) -> ControlFlow<()>,
	) -> Option<Result<Outcome, RunError>> {
		let accelerated = self.accelerated.as_ref()?;
		let mut device = accelerated.free()?;
		match self.check_steps(state, until) {
			Err(error) => return Some(Err(error)),
			Ok(()) if until == state.step => return Some(Ok(Outcome::Finished)),
			Ok(()) => {}
		}
		let done = self.run_on(&mut device, state, until, observer);
		if let Err(RunError::Accelerator { source, .. }) = &done {
			let _ = accelerated.failure.set(source.clone());
		}
		Some(done)
	}

	fn run_on(
		&self,
		device: &mut OnDevice,
		state: &mut State,
		until: u64,
		observer: &mut dyn FnMut(&StepReport<'_>) -> ControlFlow<()>,
	) -> Result<Outcome, RunError> {
		let start = state.step;
		let failed = |step| move |source| RunError::Accelerator { step, source };
		// Forgotten first: whatever goes wrong from here on, what the device holds is not taken for a known state.
		let held = device.holds.take().is_some_and(|copy| state.mark.is(&copy));
		if !held {
			device.program.write(state.tensors(), start).map_err(failed(start))?;
		}
		let mut step = start;
		let ended = loop {
			match device.program.step().map_err(failed(step))? {
				Stepped::Done => step += 1,
				// A claim with which the job's client would be blamed: the CPU has to find the same.
				Stepped::NonFinite { .. } => break None,
			}
			let bits = if self.program.metrics.is_empty() {
				Vec::new()
			} else {
				device.program.metrics().map_err(failed(step))?
			};
			let metrics: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
			let stop = observer(&StepReport { step: step - 1, metrics: &metrics }).is_break();
			if step == until {
				break Some(Outcome::Finished);
			}
			if stop {
				break Some(Outcome::Stopped);
			}
		};
		let after = match step == start {
			true => None,
			false => {
				let read = device.program.read().map_err(failed(step))?;
				let after = State::new(step, self.tensors_of(read)?);
				self.check_state(&after)?;
				Some(after)
			}
		};
		let ended = match ended {
			Some(outcome) => Ok(outcome),
			None => Err(self.confirmed(after.as_ref().unwrap_or(state))?),
		};
		if let Some(after) = after {
			*state = after;
		}
		let copy = Arc::new(DeviceCopy { program: self.commitment().root(), roots: OnceLock::new() });
		state.mark = Mark::of(&copy);
		device.holds = Some(copy);
		ended
	}

	/// The parameter and state tensors with these bits.
	fn tensors_of(&self, bits: Vec<Vec<u32>>) -> Result<Vec<Tensor>, RunError> {
		let tensor = |(id, bits): (&TensorId, Vec<u32>)| {
			let spec = self.spec(*id);
			Tensor::new(spec.dtype, spec.rows, spec.cols, bits).map_err(|_| RunError::ForeignState)
		};
		self.states.iter().zip(bits).map(tensor).collect()
	}

	/// The failure of the step after `state` as the CPU finds it. `Err` if the CPU can do the step.
	fn confirmed(&self, state: &State) -> Result<RunError, RunError> {
		let mut probe = state.clone();
		match self.steps(&mut probe, state.step + 1, &mut |_, _| Ok(ControlFlow::Continue(()))) {
			Err(error) => Ok(error),
			Ok(_) => {
				let source =
					AcceleratorError::Failed("it found a number that is not finite where the CPU finds none".into());
				Err(RunError::Accelerator { step: state.step, source })
			}
		}
	}

	/// Roots of the tensors of a state that is on the device too, hashed there, the first time that they are asked for.
	pub(crate) fn device_roots(&self, state: &State) -> Option<Vec<Hash>> {
		let copy = state.mark.copy().filter(|copy| copy.program == self.commitment().root())?;
		if let Some(roots) = copy.roots.get() {
			return Some(roots.clone());
		}
		let mut device = self.accelerated.as_ref()?.free()?;
		if !device.holds.as_ref().is_some_and(|holds| Arc::ptr_eq(holds, copy)) {
			return None;
		}
		// The host has the state as well: it hashes what the device cannot.
		let roots = device.program.roots().ok().filter(|roots| roots.len() == self.states().len())?;
		Some(copy.roots.get_or_init(|| roots).clone())
	}
}

impl Accelerated {
	/// The device, unless it has failed or another run is on it.
	fn free(&self) -> Option<MutexGuard<'_, OnDevice>> {
		if self.failure.get().is_some() {
			return None;
		}
		match self.device.try_lock() {
			Ok(device) => Some(device),
			// A run that panicked had forgotten what the device holds.
			Err(TryLockError::Poisoned(poisoned)) => Some(PoisonError::into_inner(poisoned)),
			Err(TryLockError::WouldBlock) => None,
		}
	}
}
