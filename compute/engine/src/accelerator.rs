//! What the engine needs of a device that runs whole stretches of steps in its own memory.

use core::fmt;

use assay_program::{Program, TensorId};

use crate::{Hash, Tensor};

/// A device, such as a GPU, that gives the bits of the CPU backend. Shared by all engines of a process.
pub trait Accelerator: fmt::Debug + Send + Sync {
	/// What it is, for people.
	fn name(&self) -> String;

	/// Puts a program and its data there, with room for its state and its temps, and runs nothing. `data` are the data tensors,
	/// ascending.
	///
	/// # Errors
	/// [`AcceleratorError::OutOfMemory`] before anything is kept there; others where the device cannot run the program.
	fn load(&self, program: &Program, data: &[(TensorId, &Tensor)]) -> Result<Box<dyn Loaded>, AcceleratorError>;
}

/// A program on a device. What it takes there is given back when it is dropped.
pub trait Loaded: fmt::Debug + Send {
	/// Replaces the state: the parameter and state tensors ascending by id, after `step` steps.
	///
	/// # Errors
	/// [`AcceleratorError`], as for every call here; the state on the device is unknown then.
	fn write(&mut self, state: &[Tensor], step: u64) -> Result<(), AcceleratorError>;

	/// Does one step, and leaves the state as it was if an output holds an infinity or NaN.
	fn step(&mut self) -> Result<Stepped, AcceleratorError>;

	/// Bits of the program's metrics at the last step that was done, in the program's order.
	fn metrics(&mut self) -> Result<Vec<u32>, AcceleratorError>;

	/// The row-major bits of the parameter and state tensors, ascending by id, those of int8 elements sign-extended.
	fn read(&mut self) -> Result<Vec<Vec<u32>>, AcceleratorError>;

	/// Roots of the parameter and state tensors, ascending by id.
	fn roots(&mut self) -> Result<Vec<Hash>, AcceleratorError>;
}

/// How a step on a device ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
	/// The state is the next one.
	Done,
	/// An output holds an infinity or NaN; the state is as before.
	NonFinite {
		/// The first such op in the program's order.
		op: u32,
	},
}

/// Why a device does not run a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceleratorError {
	/// The device's memory does not suffice.
	#[error("the program takes {needed} bytes of the device's memory and {free} are free; the CPU can run it; for the device, close other programs on it or take a smaller batch")]
	OutOfMemory {
		/// Bytes that the program takes.
		needed: u64,
		/// Bytes that were free.
		free: u64,
	},
	/// The device cannot run this program at all.
	#[error("the device cannot run the program: {0}; the CPU can")]
	Unsupported(String),
	/// The device failed. What it holds is unknown.
	#[error("the device failed: {0}; the CPU can go on from the state before the run")]
	Failed(String),
}
