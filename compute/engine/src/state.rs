//! What the next step depends on.

use std::sync::{Arc, OnceLock};

use crate::Hash;

/// The parameter and state tensors of a program after some steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
	/// Steps done.
	pub(crate) step: u64,
	/// Row-major bits of the parameter and state tensors, ascending by tensor id.
	pub(crate) tensors: Vec<Vec<u32>>,
	/// Says that a device holds the same.
	pub(crate) mark: Mark,
}

impl State {
	/// Steps done.
	pub fn step(&self) -> u64 {
		self.step
	}

	/// Counts a step that the host has done on the tensors. What a device may hold is another state from here on.
	pub(crate) fn advance(&mut self) {
		self.step += 1;
		self.mark = Mark::default();
	}
}

/// What a device holds a copy of: compared by identity.
#[derive(Debug)]
pub(crate) struct DeviceCopy {
	/// Root of the program whose state it is.
	pub(crate) program: Hash,
	/// Roots of the tensors, once they were hashed.
	pub(crate) roots: OnceLock<Vec<Hash>>,
}

/// Whether a device holds the same state. It is no part of the state: all marks are equal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mark(Option<Arc<DeviceCopy>>);

impl Mark {
	pub(crate) fn of(copy: &Arc<DeviceCopy>) -> Self {
		Self(Some(Arc::clone(copy)))
	}

	/// Whether this is the copy. Both are alive, so no other one has its address.
	pub(crate) fn is(&self, copy: &Arc<DeviceCopy>) -> bool {
		self.0.as_ref().is_some_and(|own| Arc::ptr_eq(own, copy))
	}

	pub(crate) fn copy(&self) -> Option<&Arc<DeviceCopy>> {
		self.0.as_ref()
	}
}

impl PartialEq for Mark {
	fn eq(&self, _: &Self) -> bool {
		true
	}
}

impl Eq for Mark {}
