//! Why a graph is not a program.

use assay_program::{ProgramError, ShapeError};

/// Why a graph is not a program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
	/// The inputs do not fit the op.
	#[error("op {op}: {error}")]
	Shape {
		/// Index of the op.
		op: usize,
		/// What does not fit.
		error: ShapeError,
	},
	/// The gradient of an op that has none was asked for.
	#[error("op {op} has no gradient; call stop_gradient on its output")]
	NoGradient {
		/// Index of the op.
		op: usize,
	},
	/// A gradient is not of a `[1, 1]` op output.
	#[error("only a [1, 1] output of an op has gradients")]
	NotALoss,
	/// A gradient with respect to a constant, or to something the loss does not depend on.
	#[error("the loss does not depend on `{0}`")]
	Independent(String),
	/// An update of something that is not a parameter or state tensor, or by something that is not an op's output.
	#[error("an update assigns an op's output to a parameter or state tensor")]
	Update,
	/// A window does not fit its images.
	#[error("the window {0:?} does not fit: sides and stride at least 1, padding less than each side, not larger than the padded image")]
	Window(assay_program::Window),
	/// A number of the model is zero or not finite.
	#[error("{0} must be a finite number above zero")]
	Setting(&'static str),
	/// Features or classes of the data are not those of the model.
	#[error("the data has {data} {what}, the model {model}")]
	Data {
		/// What differs.
		what: &'static str,
		/// Of the data.
		data: u32,
		/// Of the model.
		model: u32,
	},
	/// The finished program breaks a rule.
	#[error("{0}")]
	Program(ProgramError),
}
