//! Whole ops, steps and initial states with integer arithmetic, on row-major bits.
//!
//! Written straight from the numerics contract, without tiles, links or chunks: what every backend, and the micro-ops
//! themselves, are tested against. Slow, and as large as its tensors: never run it on chain.

use alloc::{collections::BTreeMap, vec, vec::Vec};
use assay_commitment::{tensor_root, tree, Combiner, Domain, Hash};
use assay_program::{
	philox::{philox4x32_10, Key},
	shape::{is_finite, next_row},
	Axis, BinaryKind, DType, Header, Init, OpGeometry, OpKind, Operand, OperandSpec, Program, Reduction, Role,
	StepContext, TensorDecl, TensorId, UnaryKind, Window,
};
use assay_softfloat::{functions, F32};

use crate::build::{state_tree, BuildError};

/// Row-major bits of tensors.
pub type Values = BTreeMap<TensorId, Vec<u32>>;

/// An operand of a whole op.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
	/// Row-major bits of a tensor.
	Tensor(&'a [u32]),
	/// A constant.
	Scalar(u32),
}

/// Why a whole op or step does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunError {
	/// An operand is missing or does not have the length of its shape.
	Operand {
		/// Input position.
		input: u8,
	},
	/// The op is not well formed: validate the program first.
	Invalid {
		/// Position of the op.
		op: u32,
	},
	/// A value of this tensor is needed and not given, or has the wrong length.
	MissingTensor(TensorId),
	/// An op's output holds NaN or an infinity: the run fails here, deterministically.
	NonFinite {
		/// The step, counted from 0.
		step: u64,
		/// Position of the op.
		op: u32,
	},
}

/// The whole output of an op, row-major. Non-finite elements are returned like any other.
pub fn run_op(geometry: &OpGeometry, inputs: &[Input<'_>], context: &StepContext) -> Result<Vec<u32>, RunError> {
	if inputs.len() != geometry.inputs().len() {
		return Err(RunError::Operand { input: inputs.len().min(255) as u8 });
	}
	for ((spec, given), input) in geometry.inputs().iter().zip(inputs).zip(0u8..) {
		let fits = match (spec, given) {
			(OperandSpec::Scalar(bits), Input::Scalar(given)) => bits == given,
			(OperandSpec::Tensor { spec, .. }, Input::Tensor(bits)) => bits.len() as u64 == spec.elements(),
			_ => false,
		};
		if !fits {
			return Err(RunError::Operand { input });
		}
	}
	let operand = |input: usize, row: u32, col: u32| -> u32 {
		match (geometry.inputs().get(input), inputs.get(input)) {
			(Some(OperandSpec::Tensor { spec, .. }), Some(Input::Tensor(bits))) => {
				bits.get(row as usize * spec.cols as usize + col as usize).copied().unwrap_or(0)
			}
			(_, Some(Input::Scalar(bits))) => *bits,
			_ => 0,
		}
	};
	let extent =
		|input: usize| geometry.inputs().get(input).and_then(OperandSpec::spec).map_or((1, 1), |s| (s.rows, s.cols));
	let broadcast = |input: usize, row: u32, col: u32| {
		let (rows, cols) = extent(input);
		F32(operand(input, if rows == 1 { 0 } else { row }, if cols == 1 { 0 } else { col }))
	};
	let element = |row: u32, col: u32| -> u32 {
		match geometry.kind() {
			OpKind::MatMul { trans_a, trans_b } => {
				let (rows, cols) = extent(0);
				let inner = if trans_a { rows } else { cols };
				dot(inner, |k| {
					let a = if trans_a { operand(0, k, row) } else { operand(0, row, k) };
					let b = if trans_b { operand(1, col, k) } else { operand(1, k, col) };
					(F32(a), F32(b))
				})
				.0
			}
			OpKind::Reduce { reduction, axis } => {
				let (rows, cols) = extent(0);
				match axis {
					Axis::Rows => reduce(reduction, rows, |k| F32(operand(0, k, col))),
					Axis::Cols => reduce(reduction, cols, |k| F32(operand(0, row, k))),
				}
				.0
			}
			OpKind::GatherBatch { stream } => {
				let (rows, _) = extent(0);
				operand(0, Key::batch(&context.seed).batch_row(stream, context.step, row, rows), col)
			}
			OpKind::NextBatch => {
				let (rows, _) = extent(0);
				operand(0, next_row(context.step, geometry.output().rows, row, rows), col)
			}
			OpKind::OneHot => match i64::from(operand(0, row, 0) as i32) == i64::from(col) {
				true => F32::ONE.0,
				false => F32::ZERO.0,
			},
			OpKind::Columns { first } => operand(0, row, first + col),
			OpKind::PadColumns { first } => {
				if col >= first && col - first < extent(0).1 {
					operand(0, row, col - first)
				} else {
					0
				}
			}
			OpKind::Flatten => operand(0, row / extent(0).1, row % extent(0).1),
			OpKind::Lookup => {
				let id = operand(1, row, 0);
				if id < extent(0).0 {
					operand(0, id, col)
				} else {
					0
				}
			}
			OpKind::ScatterRows => {
				(0..extent(0).0)
					.filter(|at| operand(0, *at, 0) == row)
					.fold(F32::ZERO, |sum, at| sum.add(F32(operand(1, at, col))))
					.0
			}
			OpKind::SplitHeads { rows, heads } => {
				let (sequence, head, position) = (row / rows / heads, row / rows % heads, row % rows);
				operand(0, sequence * rows + position, head * (extent(0).1 / heads) + col)
			}
			OpKind::MergeHeads { rows, heads } => {
				let (sequence, position, head) = (row / rows, row % rows, col / extent(0).1);
				operand(0, (sequence * heads + head) * rows + position, col % extent(0).1)
			}
			OpKind::BlockMatMul { trans_a, trans_b, blocks, share } => {
				let height = geometry.output().rows / blocks;
				let (block, row) = (row / height, row % height);
				let (stored_a, stored_b) = (extent(0).0 / blocks, extent(1).0 / (blocks / share));
				let inner = if trans_a { stored_a } else { extent(0).1 };
				let (a0, b0) = (block * stored_a, block / share * stored_b);
				dot(inner, |k| {
					let a = if trans_a { operand(0, a0 + k, row) } else { operand(0, a0 + row, k) };
					let b = if trans_b { operand(1, b0 + col, k) } else { operand(1, b0 + k, col) };
					(F32(a), F32(b))
				})
				.0
			}
			OpKind::Causal { rows, offset, fill } => {
				if u64::from(col) <= u64::from(row % rows) + u64::from(offset) {
					operand(0, row, col)
				} else {
					fill
				}
			}
			OpKind::Dropout { stream, keep, scale } => {
				let element = u64::from(row) * u64::from(geometry.output().cols) + u64::from(col);
				let counter = [(element / 4) as u32, stream, context.step as u32, (context.step >> 32) as u32];
				let draws = philox4x32_10(counter, Key::dropout(&context.seed));
				match draws[element as usize % 4] < keep {
					true => F32(operand(0, row, col)).mul(F32(scale)).0,
					false => 0,
				}
			}
			OpKind::Reshape => {
				let cols = extent(0).1 as usize;
				let element = row as usize * geometry.output().cols as usize + col as usize;
				operand(0, (element / cols) as u32, (element % cols) as u32)
			}
			OpKind::Quantise => {
				let quotient = broadcast(0, row, col).div(broadcast(1, row, col));
				// Bounds that are integers commute with rounding. NaN gives 0.
				quotient.to_i32_clamped().clamp(-127, 127) as u32
			}
			OpKind::MatMulI8 { trans_a, trans_b } => {
				let (rows, cols) = extent(0);
				let inner = if trans_a { rows } else { cols };
				let product = |k: u32| {
					let a = if trans_a { operand(0, k, row) } else { operand(0, row, k) };
					let b = if trans_b { operand(1, col, k) } else { operand(1, k, col) };
					i64::from(a as i32) * i64::from(b as i32)
				};
				let sum: i64 = (0..inner).map(product).sum();
				sum as u32
			}
			OpKind::Dequantise => {
				let value = F32::from_i32(broadcast(0, row, col).0 as i32);
				value.mul(broadcast(1, row, col)).mul(broadcast(2, row, col)).0
			}
			OpKind::ArgMax => {
				let larger =
					|best: u32, col| if F32(operand(0, row, best)).lt(F32(operand(0, row, col))) { col } else { best };
				(1..extent(0).1).fold(0, larger)
			}
			OpKind::Gumbel { stream } => {
				let element = u64::from(row) * u64::from(geometry.output().cols) + u64::from(col);
				let counter = [(element / 4) as u32, stream, context.step as u32, (context.step >> 32) as u32];
				let draw = philox4x32_10(counter, Key::gumbel(&context.seed))[element as usize % 4];
				// (2 i + 1) * 2^-24 for the top 23 bits i, exactly.
				let uniform = F32::from_u32(2 * (draw >> 9) + 1).mul(F32((127 - 24) << 23));
				let noise = functions::log(functions::log(uniform).neg()).neg();
				F32(operand(0, row, col)).add(noise).0
			}
			OpKind::Im2col(window) => {
				let channels = extent(0).1;
				let (place, channel) = (col / channels, col % channels);
				let (y, x) = (place / window.kernel_width, place % window.kernel_width);
				sliding(&window, row, (y, x)).map_or(0, |pixel| operand(0, pixel, channel))
			}
			OpKind::Col2im(window) => {
				let channels = geometry.output().cols;
				let image = row / (window.height * window.width);
				let each = extent(0).0 / (geometry.output().rows / (window.height * window.width));
				let mut sum = F32::ZERO;
				for place in 0..window.kernel_height * window.kernel_width {
					let under = (place / window.kernel_width, place % window.kernel_width);
					// Of the image's positions, at most one has the pixel at this place.
					let positions = image * each..(image + 1) * each;
					for position in positions.filter(|at| sliding(&window, *at, under) == Some(row)) {
						sum = sum.add(F32(operand(0, position, place * channels + col)));
					}
				}
				sum.0
			}
			OpKind::Hadamard { log2, axis } => {
				let along = if axis == Axis::Rows { row } else { col };
				let (block, place) = (along >> log2 << log2, along % (1 << log2));
				let neighbour = |at: u32| match axis {
					Axis::Rows => operand(0, block + at, col),
					Axis::Cols => operand(0, row, block + at),
				};
				let mut values: Vec<F32> = (0..1 << log2).map(|at| F32(neighbour(at))).collect();
				for bit in 0..log2 {
					let before = values.clone();
					for (at, value) in values.iter_mut().enumerate() {
						let other = before[at ^ 1 << bit];
						*value = if at >> bit & 1 == 0 { before[at].add(other) } else { other.sub(before[at]) };
					}
				}
				values[place as usize].0
			}
			OpKind::Unary(kind) => unary(kind, broadcast(0, row, col)).0,
			OpKind::Binary(kind) => binary(kind, broadcast(0, row, col), broadcast(1, row, col)).0,
			OpKind::Fma => broadcast(0, row, col).fma(broadcast(1, row, col), broadcast(2, row, col)).0,
		}
	};
	let output = geometry.output();
	let mut elements = Vec::new();
	for row in 0..output.rows {
		elements.extend((0..output.cols).map(|col| element(row, col)));
	}
	Ok(elements)
}

/// The pixel under a place of the window at a position; `None` in the padding.
fn sliding(window: &Window, position: u32, (y, x): (u32, u32)) -> Option<u32> {
	let across = (window.width + 2 * window.padding - window.kernel_width) / window.stride + 1;
	let down = (window.height + 2 * window.padding - window.kernel_height) / window.stride + 1;
	let (image, row, col) = (position / across / down, position / across % down, position % across);
	let row = (row * window.stride + y).checked_sub(window.padding).filter(|row| *row < window.height)?;
	let col = (col * window.stride + x).checked_sub(window.padding).filter(|col| *col < window.width)?;
	Some((image * window.height + row) * window.width + col)
}

/// Inner product: fma chains from +0 over segments of 512, then the segments added one by one.
fn dot(inner: u32, pair: impl Fn(u32) -> (F32, F32)) -> F32 {
	let mut total = None;
	let mut start = 0;
	while start < inner {
		let end = inner.min(start.saturating_add(512));
		let segment = (start..end).map(&pair).fold(F32::ZERO, |sum, (a, b)| a.fma(b, sum));
		total = Some(total.map_or(segment, |total: F32| total.add(segment)));
		start = end;
	}
	total.unwrap_or(F32::ZERO)
}

/// Reduction: segments of 4096 combined one by one; in a segment 32 interleaved lanes, then a halving tree.
fn reduce(reduction: Reduction, inner: u32, at: impl Fn(u32) -> F32) -> F32 {
	let combine = |a: F32, b: F32| match reduction {
		Reduction::Sum => a.add(b),
		Reduction::Max => a.max(b),
	};
	let mut total: Option<F32> = None;
	let mut start = 0;
	while start < inner {
		let end = inner.min(start.saturating_add(4096));
		let identity = match reduction {
			Reduction::Sum => Some(F32::ZERO),
			Reduction::Max => None,
		};
		let mut lanes = vec![identity; 32];
		for k in start..end {
			if let Some(lane) = lanes.get_mut((k % 32) as usize) {
				*lane = Some(lane.map_or(at(k), |lane| combine(lane, at(k))));
			}
		}
		while lanes.len() > 1 {
			let upper = lanes.split_off(lanes.len() / 2);
			for (lane, other) in lanes.iter_mut().zip(upper) {
				*lane = match (*lane, other) {
					(Some(a), Some(b)) => Some(combine(a, b)),
					(one, other) => one.or(other),
				};
			}
		}
		let segment = lanes.first().copied().flatten().unwrap_or(F32::ZERO);
		total = Some(total.map_or(segment, |total| combine(total, segment)));
		start = end;
	}
	total.unwrap_or(F32::ZERO)
}

fn unary(kind: UnaryKind, x: F32) -> F32 {
	match kind {
		UnaryKind::Neg => x.neg(),
		UnaryKind::Abs => x.abs(),
		UnaryKind::Relu => {
			if F32::ZERO.lt(x) {
				x
			} else {
				F32::ZERO
			}
		}
		UnaryKind::Exp => functions::exp(x),
		UnaryKind::Log => functions::log(x),
		UnaryKind::Tanh => functions::tanh(x),
		UnaryKind::Sqrt => x.sqrt(),
		UnaryKind::Sigmoid => functions::sigmoid(x),
		UnaryKind::Erf => functions::erf(x),
		UnaryKind::Sin => functions::sin(x),
		UnaryKind::Cos => functions::cos(x),
		UnaryKind::Rsqrt => functions::rsqrt(x),
	}
}

fn binary(kind: BinaryKind, a: F32, b: F32) -> F32 {
	match kind {
		BinaryKind::Add => a.add(b),
		BinaryKind::Sub => a.sub(b),
		BinaryKind::Mul => a.mul(b),
		BinaryKind::Div => a.div(b),
		BinaryKind::Max => a.max(b),
		BinaryKind::Min => a.min(b),
		BinaryKind::Greater => {
			if b.lt(a) {
				F32::ONE
			} else {
				F32::ZERO
			}
		}
	}
}

/// Row-major bits of a parameter or state tensor before the first step; `None` for other roles and where the
/// value is given rather than computed.
pub fn init_tensor(decl: &TensorDecl, header: &Header) -> Option<Vec<u32>> {
	let (Role::Param(init) | Role::State(init)) = decl.role else { return None };
	let elements = usize::try_from(decl.spec().elements()).ok()?;
	Some(match init {
		Init::Zeros => vec![0; elements],
		Init::Constant(bits) => vec![bits; elements],
		Init::Uniform { bound, stream } => {
			let key = Key::init(&header.seed);
			(0..elements).map(|element| key.uniform(stream, element as u32, bound)).collect()
		}
		Init::Given { .. } => return None,
	})
}

/// Values of all parameter and state tensors before the first step, without those that are given.
pub fn init_state(program: &Program) -> Values {
	program.state_tensors().filter_map(|(id, decl)| init_tensor(decl, &program.header).map(|bits| (id, bits))).collect()
}

/// What a step computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRun {
	/// Output of each op, in order.
	pub outputs: Vec<Vec<u32>>,
	/// Values of all parameter and state tensors after the step.
	pub state: Values,
}

/// Runs a whole step of a valid program. `state` holds all parameter and state tensors, `data` all data tensors.
pub fn run_step(program: &Program, step: u64, state: &Values, data: &Values) -> Result<StepRun, RunError> {
	let context = StepContext { seed: program.header.seed, step };
	let mut temps = Values::new();
	let mut outputs = Vec::with_capacity(program.ops.len());
	for (op, index) in program.ops.iter().zip(0u32..) {
		let geometry = program.geometry(index as usize).map_err(|_| RunError::Invalid { op: index })?;
		let inputs = op
			.inputs
			.iter()
			.map(|input| match input {
				Operand::Scalar(bits) => Ok(Input::Scalar(*bits)),
				Operand::Tensor(id) => {
					let found = temps.get(id).or_else(|| state.get(id)).or_else(|| data.get(id));
					found.map(|bits| Input::Tensor(bits)).ok_or(RunError::MissingTensor(*id))
				}
			})
			.collect::<Result<Vec<_>, _>>()?;
		let output = run_op(&geometry, &inputs, &context)?;
		if geometry.output().dtype == DType::F32 && !output.iter().all(|bits| is_finite(*bits)) {
			return Err(RunError::NonFinite { step, op: index });
		}
		temps.insert(op.output, output.clone());
		outputs.push(output);
	}
	let mut after = Values::new();
	for (id, _) in program.state_tensors() {
		let update = program.updates.iter().find(|update| update.state == id);
		let value = update.map_or_else(|| state.get(&id), |update| temps.get(&update.value));
		after.insert(id, value.ok_or(RunError::MissingTensor(id))?.clone());
	}
	Ok(StepRun { outputs, state: after })
}

/// Tensor root of row-major bits.
pub fn root_of(decl: &TensorDecl, bits: &[u32]) -> Option<Hash> {
	let bytes = decl.spec().layout().ok()?.to_canonical(bits).ok()?;
	Some(tensor_root(&bytes))
}

/// Roots of all parameter and state tensors, in tensor-id order.
pub fn state_roots(program: &Program, state: &Values) -> Result<Vec<Hash>, RunError> {
	program
		.state_tensors()
		.map(|(id, decl)| state.get(&id).and_then(|bits| root_of(decl, bits)).ok_or(RunError::MissingTensor(id)))
		.collect()
}

/// The state root after `step` steps.
pub fn state_root_of(program: &Program, step: u64, state: &Values) -> Result<Hash, RunError> {
	let tree = state_tree(program, step, &state_roots(program, state)?).map_err(|error| match error {
		BuildError::MissingTensor(id) => RunError::MissingTensor(id),
		_ => RunError::Invalid { op: 0 },
	})?;
	Ok(tree.root())
}

/// The trace leaves of a step: the roots of all op outputs, then the state root after the step.
pub fn trace_leaves(program: &Program, step: u64, run: &StepRun) -> Result<Vec<Hash>, RunError> {
	let mut leaves = Vec::with_capacity(program.ops.len() + 1);
	for (op, bits) in program.ops.iter().zip(&run.outputs) {
		let root = program.decl(op.output).and_then(|decl| root_of(decl, bits));
		leaves.push(root.ok_or(RunError::MissingTensor(op.output))?);
	}
	leaves.push(state_root_of(program, step.saturating_add(1), &run.state)?);
	Ok(leaves)
}

/// The trace root over [`trace_leaves`].
pub fn trace_root(leaves: &[Hash]) -> Option<Hash> {
	tree::root(Combiner::Merkle(Domain::Trace), leaves)
}
