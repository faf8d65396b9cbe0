//! What the next step depends on.

use std::sync::atomic::{AtomicU64, Ordering};

/// The parameter and state tensors of a program after some steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
	/// Steps done.
	pub(crate) step: u64,
	/// Row-major bits of the parameter and state tensors, ascending by tensor id.
	tensors: Vec<Vec<u32>>,
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
	pub(crate) fn new(step: u64, tensors: Vec<Vec<u32>>) -> Self {
		let contents = Contents(tensors.iter().map(|_| fresh()).collect());
		Self { step, tensors, contents }
	}

	/// Steps done.
	pub fn step(&self) -> u64 {
		self.step
	}

	pub(crate) fn tensors(&self) -> &[Vec<u32>] {
		&self.tensors
	}

	/// The number of a tensor's elements, never 0.
	pub(crate) fn content(&self, position: usize) -> u64 {
		self.contents.0.get(position).copied().unwrap_or_else(fresh)
	}

	/// Replaces the elements of a tensor by as many.
	pub(crate) fn assign(&mut self, position: usize, elements: &[u32]) {
		self.tensors[position].copy_from_slice(elements);
		self.contents.0[position] = fresh();
	}

	/// Exchanges the elements of a tensor for as many in a buffer.
	pub(crate) fn exchange(&mut self, position: usize, buffer: &mut Vec<u32>) {
		core::mem::swap(&mut self.tensors[position], buffer);
		self.contents.0[position] = fresh();
	}
}
