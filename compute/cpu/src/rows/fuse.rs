//! Two ops of a group in one pass, where the output of the first is nothing but what the second reads.
//!
//! The arithmetic is that of the two, in their order. What the first would make is never written, and is finite if what the
//! second makes is: so the pass is looked at for both.

use assay_program::{Axis, BinaryKind, OpKind, Reduction, TensorSpec, UnaryKind};

use super::{RowInput, RowOp};

/// What a pass does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pass {
	/// An op of the program.
	Op(OpKind),
	/// Maximum over columns of magnitudes.
	Magnitude,
	/// An integer at a scale by row and one by column, plus a fourth operand.
	DequantiseAdd,
}

/// An op of the group, or two.
#[derive(Clone, Debug)]
pub(super) struct Fused {
	pub(super) pass: Pass,
	/// Positions in the list of passes, for those from inside.
	pub(super) inputs: Vec<RowInput>,
	pub(super) output: TensorSpec,
	pub(super) kept: bool,
}

/// The passes of a group.
pub(super) fn passes(ops: &[RowOp], given: &[TensorSpec]) -> Vec<Fused> {
	let mut readers = vec![0u32; ops.len()];
	for input in ops.iter().flat_map(|op| &op.inputs) {
		if let RowInput::Op(at) = *input {
			readers.get_mut(at).into_iter().for_each(|count| *count += 1);
		}
	}
	let alone = |input: RowInput| match input {
		RowInput::Op(at) => ops.get(at).filter(|op| !op.kept && readers[at] == 1).map(|op| (at, op)),
		_ => None,
	};
	// By op, the one that it becomes part of, and by op what it becomes.
	let mut joined = vec![false; ops.len()];
	let mut fused: Vec<Option<(Pass, Vec<RowInput>)>> = vec![None; ops.len()];
	for (index, op) in ops.iter().enumerate() {
		let found = match (op.kind, op.inputs.as_slice()) {
			(OpKind::Reduce { reduction: Reduction::Max, axis: Axis::Cols }, [x]) => alone(*x)
				.filter(|(_, first)| first.kind == OpKind::Unary(UnaryKind::Abs) && first.inputs.len() == 1)
				.map(|(at, first)| (at, Pass::Magnitude, first.inputs.clone())),
			(OpKind::Binary(BinaryKind::Add), [a, b]) => [(*a, *b), (*b, *a)].into_iter().find_map(|(x, other)| {
				let (at, first) = alone(x).filter(|(_, first)| scales_lie(first, op.output, ops, given))?;
				let lies = spec(other, ops, given)
					.is_some_and(|spec| (spec.rows == 1 || spec.rows == op.output.rows) && spec.cols == op.output.cols);
				let inputs = first.inputs.iter().copied().chain([other]).collect();
				lies.then_some((at, Pass::DequantiseAdd, inputs))
			}),
			_ => None,
		};
		// An op that is itself of two stays that.
		if let Some((at, pass, inputs)) = found.filter(|(at, ..)| fused[*at].is_none()) {
			joined[at] = true;
			fused[index] = Some((pass, inputs));
		}
	}
	let mut place = vec![0; ops.len()];
	let mut passes = Vec::with_capacity(ops.len());
	for (index, op) in ops.iter().enumerate().filter(|(index, _)| !joined[*index]) {
		place[index] = passes.len();
		let (pass, inputs) = fused[index].take().unwrap_or((Pass::Op(op.kind), op.inputs.clone()));
		let inputs = inputs.into_iter().map(|input| match input {
			RowInput::Op(at) => RowInput::Op(place[at]),
			other => other,
		});
		passes.push(Fused { pass, inputs: inputs.collect(), output: op.output, kept: op.kept });
	}
	passes
}

fn spec(input: RowInput, ops: &[RowOp], given: &[TensorSpec]) -> Option<TensorSpec> {
	match input {
		RowInput::Scalar(_) => None,
		RowInput::Given(at) => given.get(at).copied(),
		RowInput::Op(at) => ops.get(at).map(|op| op.output),
	}
}

/// Whether an op dequantises a whole matrix of this shape with one scale for each row and one for each column.
fn scales_lie(op: &RowOp, output: TensorSpec, ops: &[RowOp], given: &[TensorSpec]) -> bool {
	let [value, row, col] = op.inputs.as_slice() else { return false };
	let lies = |input: RowInput, rows: u32, cols: u32| {
		spec(input, ops, given).is_some_and(|spec| (spec.rows, spec.cols) == (rows, cols))
	};
	op.kind == OpKind::Dequantise
		&& (op.output.rows, op.output.cols) == (output.rows, output.cols)
		&& output.rows > 1
		&& output.cols > 1
		&& lies(*value, output.rows, output.cols)
		&& lies(*row, output.rows, 1)
		&& lies(*col, 1, output.cols)
}
