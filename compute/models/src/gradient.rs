//! Reverse-mode differentiation over the ops of a graph.
//!
//! The adjoint of a tensor may be kept in a shape that broadcasts to the tensor's: the adjoint of a row sum is one column,
//! and elementwise rules use it as it is. It is spread out only where an op needs every element.

use assay_program::{Axis, BinaryKind, Op, OpKind, Reduction, TensorId, UnaryKind};

use crate::{BuildError, Graph, Value};

impl Graph {
	/// Appends the ops that compute the gradient of `loss`, `[1, 1]`, with respect to each tensor of `wrt`, in the
	/// tensor's shape.
	pub fn gradients(&mut self, loss: Value, wrt: &[Value]) -> Vec<Value> {
		let spec = self.spec(loss);
		let Some(loss) = loss.tensor().filter(|_| (spec.rows, spec.cols) == (1, 1)) else {
			self.fail(BuildError::NotALoss);
			return wrt.to_vec();
		};
		let active = self.active(wrt);
		let mut adjoints: Vec<Option<Value>> = vec![None; self.tensors.len()];
		adjoints[loss.0 as usize] = Some(1.0.into());
		for index in (0..self.ops.len()).rev() {
			let op = self.ops[index].clone();
			let Some(adjoint) = adjoints[op.output.0 as usize] else { continue };
			if !active[op.output.0 as usize] {
				continue;
			}
			let product = self.int8_products.get(&op.output).copied();
			let operands = product.map_or_else(|| op.inputs.clone(), |product| vec![product.a.0, product.b.0]);
			for (input, operand) in operands.into_iter().enumerate() {
				let Some(id) = Value(operand).tensor().filter(|id| active[id.0 as usize]) else { continue };
				let part = match product {
					Some(product) => Some(self.pull_int8(&product, input, adjoint, Value::of(op.output))),
					None => self.pull(&op, input, adjoint),
				};
				let Some(part) = part else {
					self.fail(BuildError::NoGradient { op: index });
					continue;
				};
				let part = match op.kind {
					OpKind::Unary(_) | OpKind::Binary(_) | OpKind::Fma => {
						self.fold_broadcast(part, Value(operand), op.output)
					}
					_ => part,
				};
				let sum = match adjoints[id.0 as usize] {
					Some(so_far) => self.add(so_far, part),
					None => part,
				};
				adjoints[id.0 as usize] = Some(sum);
			}
		}
		wrt.iter()
			.map(|value| match value.tensor().and_then(|id| adjoints[id.0 as usize]) {
				Some(adjoint) => self.spread(adjoint, *value),
				None => {
					let name = self.name(*value);
					self.fail(BuildError::Independent(name));
					*value
				}
			})
			.collect()
	}

	/// By tensor id: whether it depends on a tensor of `wrt` through gradients that were not stopped.
	fn active(&self, wrt: &[Value]) -> Vec<bool> {
		let mut active = vec![false; self.tensors.len()];
		for id in wrt.iter().filter_map(|value| value.tensor()) {
			active[id.0 as usize] = true;
		}
		for op in &self.ops {
			if !self.stopped.contains(&op.output) && op.tensor_operands().any(|id| active[id.0 as usize]) {
				active[op.output.0 as usize] = true;
			}
		}
		active
	}

	/// What input `input` of `op` receives from the output's adjoint `g`, in a shape that broadcasts to the output's; of a
	/// matrix product and a reduction, to the input's. `None` if the op has no gradient.
	fn pull(&mut self, op: &Op, input: usize, g: Value) -> Option<Value> {
		let y = Value::of(op.output);
		let operand = |i: usize| Value(op.inputs[i]);
		Some(match op.kind {
			OpKind::MatMul { trans_a, trans_b } => {
				let g = self.spread(g, y);
				let (a, b) = (operand(0), operand(1));
				match (input, trans_a, trans_b) {
					(0, false, _) => self.matmul_transposed(g, false, b, !trans_b),
					(0, true, _) => self.matmul_transposed(b, trans_b, g, true),
					(_, _, false) => self.matmul_transposed(a, !trans_a, g, false),
					(_, _, true) => self.matmul_transposed(g, true, a, trans_a),
				}
			}
			OpKind::Unary(kind) => self.pull_unary(kind, operand(0), y, g),
			OpKind::Binary(kind) => self.pull_binary(kind, input, operand(0), operand(1), y, g),
			OpKind::Fma => match input {
				0 => self.mul(g, operand(1)),
				1 => self.mul(g, operand(0)),
				_ => g,
			},
			OpKind::Reduce { reduction: Reduction::Sum, .. } => g,
			OpKind::Columns { first } => {
				let (g, cols) = (self.spread(g, y), self.spec(operand(0)).cols);
				self.pad_columns(g, first, cols)
			}
			OpKind::PadColumns { first } => {
				let (g, cols) = (self.spread(g, y), self.spec(operand(0)).cols);
				self.columns(g, first, cols)
			}
			OpKind::Lookup if input == 0 => {
				let (g, rows) = (self.spread(g, y), self.spec(operand(0)).rows);
				self.scatter_rows(operand(1), g, rows)
			}
			OpKind::ScatterRows if input == 1 => {
				let g = self.spread(g, y);
				self.lookup(g, operand(0))
			}
			OpKind::SplitHeads { rows, heads } => {
				let g = self.spread(g, y);
				self.merge_heads(g, rows, heads)
			}
			OpKind::MergeHeads { rows, heads } => {
				let g = self.spread(g, y);
				self.split_heads(g, rows, heads)
			}
			OpKind::BlockMatMul { trans_a, trans_b, blocks, share } => {
				let g = self.spread(g, y);
				self.pull_blocks(input, (operand(0), trans_a), (operand(1), trans_b), g, (blocks, share))?
			}
			OpKind::Causal { rows, offset, .. } => {
				let g = self.spread(g, y);
				self.causal(g, rows, offset, 0.0)
			}
			// The same stream keeps the same elements.
			OpKind::Dropout { .. } => {
				let g = self.spread(g, y);
				self.op(op.kind, &[g], None)
			}
			OpKind::Gumbel { .. } => g,
			OpKind::Hadamard { .. } => {
				let g = self.spread(g, y);
				self.op(op.kind, &[g], None)
			}
			OpKind::Reshape => {
				let (g, spec) = (self.spread(g, y), self.spec(operand(0)));
				self.reshape(g, spec.rows, spec.cols)
			}
			OpKind::Im2col(window) => {
				let g = self.spread(g, y);
				self.op(OpKind::Col2im(window), &[g], None)
			}
			OpKind::Col2im(window) => {
				let g = self.spread(g, y);
				self.op(OpKind::Im2col(window), &[g], None)
			}
			OpKind::Reduce { reduction: Reduction::Max, .. }
			| OpKind::GatherBatch { .. }
			| OpKind::NextBatch
			| OpKind::OneHot
			| OpKind::Flatten
			| OpKind::Lookup
			| OpKind::ScatterRows
			| OpKind::Quantise
			| OpKind::MatMulI8 { .. }
			| OpKind::Dequantise
			| OpKind::ArgMax => return None,
		})
	}

	/// Of a stacked product. Where blocks of the second operand are shared, its gradient is one product over the rows of all
	/// blocks that share it; with the first operand stored transposed they are not one matrix, and there is no gradient.
	fn pull_blocks(
		&mut self,
		input: usize,
		(a, trans_a): (Value, bool),
		(b, trans_b): (Value, bool),
		g: Value,
		(blocks, share): (u32, u32),
	) -> Option<Value> {
		Some(match (input, trans_a) {
			(0, false) => self.block_matmul((g, false), (b, !trans_b), blocks, share),
			(0, true) if share == 1 => self.block_matmul((b, trans_b), (g, true), blocks, 1),
			(1, false) if trans_b => self.block_matmul((g, true), (a, false), blocks / share, 1),
			(1, false) => self.block_matmul((a, true), (g, false), blocks / share, 1),
			(1, true) if share == 1 && trans_b => self.block_matmul((g, true), (a, true), blocks, 1),
			(1, true) if share == 1 => self.block_matmul((a, false), (g, false), blocks, 1),
			_ => return None,
		})
	}

	fn pull_unary(&mut self, kind: UnaryKind, x: Value, y: Value, g: Value) -> Value {
		match kind {
			UnaryKind::Neg => self.neg(g),
			UnaryKind::Abs => {
				let (positive, negative) = (self.greater(x, 0.0), self.greater(0.0, x));
				let sign = self.sub(positive, negative);
				self.mul(g, sign)
			}
			UnaryKind::Relu => {
				let passes = self.greater(x, 0.0);
				self.mul(g, passes)
			}
			UnaryKind::Exp => self.mul(g, y),
			UnaryKind::Log => self.div(g, x),
			UnaryKind::Tanh => {
				let square = self.mul(y, y);
				let slope = self.sub(1.0, square);
				self.mul(g, slope)
			}
			UnaryKind::Sigmoid => {
				let rest = self.sub(1.0, y);
				let slope = self.mul(y, rest);
				self.mul(g, slope)
			}
			UnaryKind::Sqrt => {
				let half = self.mul(g, 0.5);
				self.div(half, y)
			}
			UnaryKind::Erf => {
				let square = self.mul(x, x);
				let negative = self.neg(square);
				let power = self.exp(negative);
				let slope = self.mul(power, core::f32::consts::FRAC_2_SQRT_PI);
				self.mul(g, slope)
			}
			UnaryKind::Sin => {
				let slope = self.cos(x);
				self.mul(g, slope)
			}
			UnaryKind::Cos => {
				let sine = self.sin(x);
				let slope = self.neg(sine);
				self.mul(g, slope)
			}
			UnaryKind::Rsqrt => {
				let half = self.mul(g, -0.5);
				let scaled = self.mul(half, y);
				self.div(scaled, x)
			}
		}
	}

	fn pull_binary(&mut self, kind: BinaryKind, input: usize, a: Value, b: Value, y: Value, g: Value) -> Value {
		match (kind, input) {
			(BinaryKind::Add, _) | (BinaryKind::Sub, 0) => g,
			(BinaryKind::Sub, _) => self.neg(g),
			(BinaryKind::Mul, 0) => self.mul(g, b),
			(BinaryKind::Mul, _) => self.mul(g, a),
			(BinaryKind::Div, 0) => self.div(g, b),
			(BinaryKind::Div, _) => {
				let scaled = self.div(g, b);
				let product = self.mul(scaled, y);
				self.neg(product)
			}
			// The first operand wins a tie and takes the gradient.
			(BinaryKind::Max, input) | (BinaryKind::Min, input) => {
				let second = if kind == BinaryKind::Max { self.greater(b, a) } else { self.greater(a, b) };
				let share = if input == 0 { self.sub(1.0, second) } else { second };
				self.mul(g, share)
			}
			(BinaryKind::Greater, _) => 0.0.into(),
		}
	}

	/// Sums `part`, the contribution to `input` of an elementwise op with this output, over the axes along which the op repeated the
	/// input.
	fn fold_broadcast(&mut self, part: Value, input: Value, output: TensorId) -> Value {
		let (of, to) = (self.tensors[output.0 as usize].spec(), self.spec(input));
		let mut part = part;
		for (axis, extent, repeated) in
			[(Axis::Rows, of.rows, to.rows == 1 && of.rows > 1), (Axis::Cols, of.cols, to.cols == 1 && of.cols > 1)]
		{
			if !repeated {
				continue;
			}
			let spec = self.spec(part);
			let present = if axis == Axis::Rows { spec.rows } else { spec.cols };
			part = if present > 1 { self.sum(part, axis) } else { self.mul(part, extent as f32) };
		}
		part
	}
}
