//! What the next step depends on.

/// The parameter and state tensors of a program after some steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
	/// Steps done.
	pub(crate) step: u64,
	/// Row-major bits of the parameter and state tensors, ascending by tensor id.
	pub(crate) tensors: Vec<Vec<u32>>,
}

impl State {
	/// Steps done.
	pub fn step(&self) -> u64 {
		self.step
	}
}
