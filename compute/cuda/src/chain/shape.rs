//! How an op lies to the rows of a group.

use assay_program::{Axis, Op, OpKind, Program, TensorId, TensorSpec};

use super::instruction::code_of;

/// What a group goes over: `rows` rows, of `cols` columns where it has tensors of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
	pub(super) rows: u32,
	/// `None` while all outputs are single columns.
	pub(super) cols: Option<u32>,
}

/// What an op of a group does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
	/// Every element of a row.
	Wide,
	/// Once for a row.
	Narrow,
	/// From all elements of a row to one.
	Reduction,
}

pub(super) fn spec_of(program: &Program, id: TensorId) -> Option<TensorSpec> {
	program.decl(id).map(|decl| decl.spec())
}

/// What an op would do in a group, and what that would go over; `None` if it can be in none.
pub(super) fn part_of(program: &Program, op: &Op) -> Option<(Part, Extent)> {
	code_of(op.kind)?;
	let output = spec_of(program, op.output)?;
	match op.kind {
		OpKind::Reduce { axis: Axis::Cols, .. } => {
			let input = spec_of(program, op.tensor_operands().next()?)?;
			let extent = Extent { rows: input.rows, cols: Some(input.cols) };
			(input.cols > 1).then_some((Part::Reduction, extent))
		}
		OpKind::Causal { .. } | OpKind::Dropout { .. } | OpKind::OneHot if output.cols == 1 => None,
		_ if output.cols == 1 => Some((Part::Narrow, Extent { rows: output.rows, cols: None })),
		_ => Some((Part::Wide, Extent { rows: output.rows, cols: Some(output.cols) })),
	}
}

impl Extent {
	/// What both go over together, if they can.
	pub(super) fn with(self, other: Extent) -> Option<Extent> {
		let cols = match (self.cols, other.cols) {
			(Some(a), Some(b)) if a != b => return None,
			(a, b) => a.or(b),
		};
		(self.rows == other.rows).then_some(Extent { rows: self.rows, cols })
	}
}
