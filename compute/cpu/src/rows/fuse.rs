//! Ops of a group in one pass, where the output of each but the last is nothing but what the others read.
//!
//! The arithmetic is that of the ops, in their order. What the earlier ones would make is never written, and is finite if what
//! the last one makes is, or was looked at before: so the pass is looked at for all.

use assay_program::{Axis, BinaryKind, OpKind, Reduction, TensorSpec, UnaryKind, Window};

use super::{places::MOST_PLACES, RowInput, RowOp};

/// What a pass does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pass {
	/// An op of the program.
	Op(OpKind),
	/// Maximum over columns of magnitudes.
	Magnitude,
	/// An integer at a scale by row and one by column, plus a fourth operand.
	DequantiseAdd,
	/// Parts of a row side by side, from the first on, added or the largest taken; before that each element times that of
	/// a second operand, a row, if it is weighted. With a window, the parts are the pixels under it.
	Places { join: BinaryKind, parts: u32, weighted: bool, window: Option<Window> },
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

/// A pass of several ops and what it reads, by the ops' positions.
type Joined = (Pass, Vec<RowInput>);

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
	let mut fused: Vec<Option<Joined>> = vec![None; ops.len()];
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
		if let (None, Some(parts)) = (&found, joined_parts(op, ops, given, (&readers, &fused))) {
			parts.ops.iter().for_each(|at| {
				joined[*at] = true;
				fused[*at] = None;
			});
			fused[index] = Some((parts.pass, parts.inputs));
			continue;
		}
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

/// Ops that become part of a later one, and the pass that they and that one are.
struct Parts {
	ops: Vec<usize>,
	pass: Pass,
	inputs: Vec<RowInput>,
}

/// The pass that `op` is if it joins the next part of a row to those before it.
fn joined_parts(
	op: &RowOp,
	ops: &[RowOp],
	given: &[TensorSpec],
	(readers, fused): (&[u32], &[Option<Joined>]),
) -> Option<Parts> {
	let (OpKind::Binary(join @ (BinaryKind::Add | BinaryKind::Max)), [a, b]) = (op.kind, op.inputs.as_slice()) else {
		return None;
	};
	let only_here = |input: RowInput| match input {
		RowInput::Op(at) => ops.get(at).filter(|op| !op.kept && readers[at] == 1).map(|op| (at, op)),
		_ => None,
	};
	let ((before, left), (next, right)) = (only_here(*a)?, only_here(*b)?);
	let (OpKind::Columns { first }, [row]) = (right.kind, right.inputs.as_slice()) else { return None };
	let so_far = match (&fused[before], left.kind) {
		(Some((Pass::Places { join: known, parts, weighted: false, .. }, inputs)), _) if *known == join => {
			(inputs.as_slice() == [*row]).then_some(*parts)
		}
		(None, OpKind::Columns { first: 0 }) => (left.inputs.as_slice() == [*row]).then_some(1),
		_ => None,
	}?;
	let (cols, width) = (op.output.cols, spec(*row, ops, given)?.cols);
	let fits = left.output == op.output && right.output == op.output && so_far.checked_mul(cols) == Some(first);
	if !fits {
		return None;
	}
	let parts = so_far + 1;
	// Products of which every sum is the only reader: one that is not finite stays so in the sum.
	let weighted = match *row {
		RowInput::Op(at) if join == BinaryKind::Add && parts.checked_mul(cols) == Some(width) => {
			ops.get(at).filter(|row| !row.kept && readers[at] == parts && fused[at].is_none()).and_then(|product| {
				let [x, w] = product.inputs.as_slice() else { return None };
				let (of_x, of_w) = (spec(*x, ops, given)?, spec(*w, ops, given)?);
				let fits = product.kind == OpKind::Binary(BinaryKind::Mul)
					&& of_x == product.output
					&& (of_w.rows, of_w.cols) == (1, width)
					&& op.output.rows > 1;
				fits.then(|| (at, vec![*x, *w]))
			})
		}
		_ => None,
	};
	let mut joined = vec![before, next];
	let Some((product, mut inputs)) = weighted else {
		let pass = Pass::Places { join, parts, weighted: false, window: None };
		return Some(Parts { ops: joined, pass, inputs: vec![*row] });
	};
	joined.push(product);
	let window =
		inputs.first().and_then(|x| only_here(*x)).and_then(|(at, op)| match (op.kind, op.inputs.as_slice()) {
			(OpKind::Im2col(window), [image]) if parts as usize <= MOST_PLACES => Some((at, window, *image)),
			_ => None,
		});
	if let (Some((at, _, image)), Some(x)) = (window, inputs.first_mut()) {
		joined.push(at);
		*x = image;
	}
	let pass = Pass::Places { join, parts, weighted: true, window: window.map(|(_, window, _)| window) };
	Some(Parts { ops: joined, pass, inputs })
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
