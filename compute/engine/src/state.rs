//! What the next step depends on.

use std::sync::{
	atomic::{AtomicU64, Ordering},
	Arc, OnceLock,
};

use crate::{Hash, Tensor};

/// The parameter and state tensors of a program after some steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
	/// Steps done.
	pub(crate) step: u64,
	/// The parameter and state tensors, ascending by tensor id.
	tensors: Vec<Tensor>,
	/// Says that a device holds the same.
	pub(crate) mark: Mark,
	/// By tensor. What follows from a tensor's elements and is kept beside them is known by these.
	contents: Contents,
}

/// A number for the elements of each tensor. Two tensors with the same number have the same elements, wherever they are: each
/// number is given once, a copy keeps it and a change takes a new one.
#[derive(Clone, Debug)]
struct Contents(Vec<u64>);

/// Numbers say nothing that elements do not.
impl PartialEq for Contents {
	fn eq(&self, _: &Self) -> bool {
		true
	}
}

impl Eq for Contents {}

fn fresh() -> u64 {
	static NEXT: AtomicU64 = AtomicU64::new(1);
	NEXT.fetch_add(1, Ordering::Relaxed)
}

impl State {
	pub(crate) fn new(step: u64, tensors: Vec<Tensor>) -> Self {
		let contents = Contents(tensors.iter().map(|_| fresh()).collect());
		Self { step, tensors, mark: Mark::default(), contents }
	}

	/// Steps done.
	pub fn step(&self) -> u64 {
		self.step
	}

	/// Counts a step that the host has done on the tensors. What a device may hold is another state from here on.
	pub(crate) fn advance(&mut self) {
		self.step += 1;
		self.mark = Mark::default();
	}

	pub(crate) fn tensors(&self) -> &[Tensor] {
		&self.tensors
	}

	/// The number of a tensor's elements, never 0.
	pub(crate) fn content(&self, position: usize) -> u64 {
		self.contents.0.get(position).copied().unwrap_or_else(fresh)
	}

	/// Replaces the words of a tensor by as many.
	pub(crate) fn assign(&mut self, position: usize, words: &[u32]) {
		self.tensors[position].words_mut().copy_from_slice(words);
		self.contents.0[position] = fresh();
		self.mark = Mark::default();
	}

	/// Exchanges the words of a tensor for as many in a buffer.
	pub(crate) fn exchange(&mut self, position: usize, buffer: &mut Vec<u32>) {
		core::mem::swap(self.tensors[position].words_mut(), buffer);
		self.contents.0[position] = fresh();
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
