//! Random ops on random shapes, and their comparison with whoever knows the answer: the referee in tests, the CPU backend
//! where a machine's own device is looked at before it may earn.

mod compare;
mod draw;
mod given;
mod random;
mod window;

pub use compare::{compare, compare_in};
pub use draw::{case, CLASSES, ROUND};
pub use given::{f32s, i32s, i8s, Given};
pub use random::Random;
pub use window::random_window;

use assay_program::{OpKind, TensorSpec};

use crate::Context;

/// What all cases are run with. The step is above 32 bits, so that both words matter.
pub const CONTEXT: Context = Context { seed: [42; 32], step: 3 + (5 << 32) };

/// An op with its inputs.
#[derive(Clone, Debug)]
pub struct Case {
	/// The op.
	pub kind: OpKind,
	/// Its inputs.
	pub given: Vec<Given>,
	/// Type and shape of its output.
	pub output: TensorSpec,
}

/// What distinguishes kinds that may have kernels of their own: of elementwise ops and reductions, which one.
pub fn label(kind: OpKind) -> String {
	let text = format!("{kind:?}");
	match kind {
		OpKind::Unary(_) | OpKind::Binary(_) | OpKind::Reduce { .. } => text,
		_ => text.chars().take_while(|letter| letter.is_alphanumeric()).collect(),
	}
}
