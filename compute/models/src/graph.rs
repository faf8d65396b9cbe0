//! Collects tensors and ops.

use std::collections::{BTreeMap, BTreeSet};

use assay_program::{
	shape::{check_op, infer},
	Axis, BinaryKind, DType, Header, Init, Lane, Limits, Op, OpKind, Operand, OperandSpec, Program, Reduction, Role,
	TensorDecl, TensorId, TensorSpec, UnaryKind, Update,
};

use crate::{int8::Int8Product, BuildError};

/// What an op reads: a tensor of the graph or a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value(pub(crate) Operand);

impl Value {
	/// A tensor.
	pub(crate) fn of(id: TensorId) -> Self {
		Value(Operand::Tensor(id))
	}

	/// The tensor, unless a constant.
	pub fn tensor(self) -> Option<TensorId> {
		match self.0 {
			Operand::Tensor(id) => Some(id),
			Operand::Scalar(_) => None,
		}
	}

	pub(crate) fn scalar(self) -> Option<f32> {
		match self.0 {
			Operand::Tensor(_) => None,
			Operand::Scalar(bits) => Some(f32::from_bits(bits)),
		}
	}
}

impl From<f32> for Value {
	fn from(value: f32) -> Self {
		Value(Operand::Scalar(value.to_bits()))
	}
}

/// A program under construction.
///
/// Methods that add an op return its output. The first op that does not fit is remembered and reported by
/// [`Graph::finish`]; what follows it is meaningless.
#[derive(Clone, Debug)]
pub struct Graph {
	pub(crate) tensors: Vec<TensorDecl>,
	pub(crate) ops: Vec<Op>,
	pub(crate) stopped: BTreeSet<TensorId>,
	/// By output: products through int8, whose gradient passes over the ops that they are made of.
	pub(crate) int8_products: BTreeMap<TensorId, Int8Product>,
	/// Logarithm of the blocks that int8 products rotate their operands in; 0 for none.
	pub(crate) rotation: u8,
	/// By tensor: its absolute values, which the scales of several int8 products start from.
	pub(crate) magnitudes: BTreeMap<TensorId, Value>,
	updates: Vec<Update>,
	metrics: Vec<TensorId>,
	batch: u32,
	streams: u32,
	dropouts: u32,
	noises: u32,
	error: Option<BuildError>,
}

impl Graph {
	/// An empty graph whose batches have `batch` rows.
	pub fn new(batch: u32) -> Self {
		Self {
			tensors: Vec::new(),
			ops: Vec::new(),
			stopped: BTreeSet::new(),
			int8_products: BTreeMap::new(),
			rotation: 0,
			magnitudes: BTreeMap::new(),
			updates: Vec::new(),
			metrics: Vec::new(),
			batch,
			streams: 0,
			dropouts: 0,
			noises: 0,
			error: None,
		}
	}

	/// A trained f32 tensor `[rows, cols]`.
	pub fn param(&mut self, name: &str, rows: u32, cols: u32, init: Init) -> Value {
		self.declare(name.into(), TensorSpec::f32(rows, cols), Role::Param(init))
	}

	/// A trained f32 tensor that starts uniform in `[-bound, bound)`, drawn apart from every other one.
	pub fn uniform_param(&mut self, name: &str, rows: u32, cols: u32, bound: f32) -> Value {
		let stream = self.streams;
		self.streams += 1;
		self.param(name, rows, cols, Init::Uniform { bound: bound.to_bits(), stream })
	}

	/// A state tensor `[rows, cols]`, f32.
	pub fn state(&mut self, name: &str, rows: u32, cols: u32, init: Init) -> Value {
		self.declare(name.into(), TensorSpec::f32(rows, cols), Role::State(init))
	}

	/// A column of ids that the state keeps, I32, 0 at first.
	pub fn id_state(&mut self, name: &str, rows: u32) -> Value {
		let spec = TensorSpec { dtype: DType::I32, rows, cols: 1 };
		self.declare(name.into(), spec, Role::State(Init::Zeros))
	}

	/// `x`, which has one row or one column or one element, repeated to `rows` by `cols`.
	pub fn broadcast(&mut self, x: Value, rows: u32, cols: u32) -> Value {
		self.op(OpKind::Binary(BinaryKind::Mul), &[x, 1.0.into()], Some(TensorSpec::f32(rows, cols)))
	}

	/// An input with the root of its canonical bytes.
	pub fn data(&mut self, name: &str, spec: TensorSpec, root: [u8; 32]) -> Value {
		self.declare(name.into(), spec, Role::Data { root })
	}

	/// The batch of a data tensor. Batches of the same stream draw the same rows.
	pub fn gather_batch(&mut self, data: Value, stream: u32) -> Value {
		self.op(OpKind::GatherBatch { stream }, &[data], None)
	}

	/// The next rows of a data tensor, in their order; from the first again after the last.
	pub fn next_batch(&mut self, data: Value) -> Value {
		self.op(OpKind::NextBatch, &[data], None)
	}

	/// Rows with a 1 in the column that the label names.
	pub fn one_hot(&mut self, labels: Value, classes: u32) -> Value {
		let rows = self.spec(labels).rows;
		self.op(OpKind::OneHot, &[labels], Some(TensorSpec::f32(rows, classes)))
	}

	/// `a * b`, matrices.
	pub fn matmul(&mut self, a: Value, b: Value) -> Value {
		self.matmul_transposed(a, false, b, false)
	}

	/// `a * b`, either of them stored transposed.
	pub fn matmul_transposed(&mut self, a: Value, trans_a: bool, b: Value, trans_b: bool) -> Value {
		self.op(OpKind::MatMul { trans_a, trans_b }, &[a, b], None)
	}

	/// An elementwise function of one tensor.
	pub fn unary(&mut self, kind: UnaryKind, x: Value) -> Value {
		match (kind, x.scalar()) {
			(UnaryKind::Neg, Some(x)) => (-x).into(),
			_ => self.op(OpKind::Unary(kind), &[x], None),
		}
	}

	/// `-x`.
	pub fn neg(&mut self, x: Value) -> Value {
		self.unary(UnaryKind::Neg, x)
	}

	/// `x > 0 ? x : 0`.
	pub fn relu(&mut self, x: Value) -> Value {
		self.unary(UnaryKind::Relu, x)
	}

	/// `e^x`.
	pub fn exp(&mut self, x: Value) -> Value {
		self.unary(UnaryKind::Exp, x)
	}

	/// Natural logarithm.
	pub fn log(&mut self, x: Value) -> Value {
		self.unary(UnaryKind::Log, x)
	}

	/// Hyperbolic tangent.
	pub fn tanh(&mut self, x: Value) -> Value {
		self.unary(UnaryKind::Tanh, x)
	}

	/// Square root.
	pub fn sqrt(&mut self, x: Value) -> Value {
		self.unary(UnaryKind::Sqrt, x)
	}

	/// An elementwise function of two values, broadcast. Two constants give a constant.
	pub fn binary(&mut self, kind: BinaryKind, a: impl Into<Value>, b: impl Into<Value>) -> Value {
		let (a, b) = (a.into(), b.into());
		match (kind, a.scalar(), b.scalar()) {
			(BinaryKind::Add, Some(a), Some(b)) => (a + b).into(),
			(BinaryKind::Sub, Some(a), Some(b)) => (a - b).into(),
			(BinaryKind::Mul, Some(a), Some(b)) => (a * b).into(),
			(BinaryKind::Div, Some(a), Some(b)) => (a / b).into(),
			// Exact, so the op would only copy.
			(BinaryKind::Mul, Some(1.0), None) => b,
			(BinaryKind::Mul, None, Some(1.0)) => a,
			_ => self.op(OpKind::Binary(kind), &[a, b], None),
		}
	}

	/// `a + b`.
	pub fn add(&mut self, a: impl Into<Value>, b: impl Into<Value>) -> Value {
		self.binary(BinaryKind::Add, a, b)
	}

	/// `a - b`.
	pub fn sub(&mut self, a: impl Into<Value>, b: impl Into<Value>) -> Value {
		self.binary(BinaryKind::Sub, a, b)
	}

	/// `a * b`, elementwise.
	pub fn mul(&mut self, a: impl Into<Value>, b: impl Into<Value>) -> Value {
		self.binary(BinaryKind::Mul, a, b)
	}

	/// `a / b`, elementwise.
	pub fn div(&mut self, a: impl Into<Value>, b: impl Into<Value>) -> Value {
		self.binary(BinaryKind::Div, a, b)
	}

	/// `a > b ? 1 : 0`.
	pub fn greater(&mut self, a: impl Into<Value>, b: impl Into<Value>) -> Value {
		self.binary(BinaryKind::Greater, a, b)
	}

	/// `a * b + c`, rounded once.
	pub fn fma(&mut self, a: impl Into<Value>, b: impl Into<Value>, c: impl Into<Value>) -> Value {
		self.op(OpKind::Fma, &[a.into(), b.into(), c.into()], None)
	}

	/// Sum over an axis.
	pub fn sum(&mut self, x: Value, axis: Axis) -> Value {
		self.op(OpKind::Reduce { reduction: Reduction::Sum, axis }, &[x], None)
	}

	/// Maximum over an axis. It has no gradient.
	pub fn max(&mut self, x: Value, axis: Axis) -> Value {
		self.op(OpKind::Reduce { reduction: Reduction::Max, axis }, &[x], None)
	}

	/// Sum of all elements, `[1, 1]`.
	pub fn sum_all(&mut self, x: Value) -> Value {
		let rows = self.sum(x, Axis::Cols);
		self.sum(rows, Axis::Rows)
	}

	/// Mean of all elements, `[1, 1]`.
	pub fn mean_all(&mut self, x: Value) -> Value {
		let elements = self.spec(x).elements();
		let sum = self.sum_all(x);
		self.mul(sum, 1.0 / elements as f32)
	}

	/// `x` itself, as a tensor of shape `spec`, to which it can be broadcast; `like` is any tensor of that shape.
	pub(crate) fn spread(&mut self, x: Value, like: Value) -> Value {
		let spec = self.spec(like);
		match x.scalar() {
			Some(_) => self.fma(like, 0.0, x),
			None if self.spec(x) == spec => x,
			None => self.op(OpKind::Binary(BinaryKind::Mul), &[x, 1.0.into()], Some(spec)),
		}
	}

	/// Treats `x` as a constant in gradients.
	pub fn stop_gradient(&mut self, x: Value) -> Value {
		self.stopped.extend(x.tensor());
		x
	}

	/// At the end of a step, `state` takes the value of `value`.
	pub fn update(&mut self, state: Value, value: Value) {
		match (state.tensor(), value.tensor()) {
			(Some(state), Some(value)) => self.updates.push(Update { state, value }),
			_ => self.fail(BuildError::Update),
		}
	}

	/// Shows a `[1, 1]` output while the job runs.
	pub fn metric(&mut self, value: Value) {
		self.metrics.extend(value.tensor());
	}

	/// Type and shape; a constant is `[1, 1]`.
	pub fn spec(&self, value: Value) -> TensorSpec {
		match value.tensor().and_then(|id| self.tensors.get(id.0 as usize)) {
			Some(decl) => decl.spec(),
			None => TensorSpec::f32(1, 1),
		}
	}

	/// The validated program. The graph's batch size replaces the header's, and so does its lane: I8 where it has int8
	/// tensors.
	pub fn finish(mut self, header: Header) -> Result<Program, BuildError> {
		let lane = match self.tensors.iter().any(|decl| decl.dtype == DType::I8) {
			true => Lane::I8,
			false => header.lane,
		};
		if let Some(error) = self.error {
			return Err(error);
		}
		self.updates.sort_by_key(|update| update.state);
		let program = Program {
			header: Header { batch: self.batch, lane, ..header },
			tensors: self.tensors,
			ops: self.ops,
			updates: self.updates,
			metrics: self.metrics,
		};
		program.validate(&Limits::default()).map_err(BuildError::Program)?;
		Ok(program)
	}

	/// Ops so far.
	pub fn ops(&self) -> usize {
		self.ops.len()
	}

	/// The first op that did not fit, which [`Graph::finish`] will report.
	pub fn error(&self) -> Option<&BuildError> {
		self.error.as_ref()
	}

	/// A stream of its own for a dropout.
	pub(crate) fn next_dropout(&mut self) -> u32 {
		self.dropouts += 1;
		self.dropouts - 1
	}

	/// A stream of its own for sampling noise.
	pub(crate) fn next_noise(&mut self) -> u32 {
		self.noises += 1;
		self.noises - 1
	}

	pub(crate) fn fail(&mut self, error: BuildError) {
		self.error.get_or_insert(error);
	}

	pub(crate) fn name(&self, value: Value) -> String {
		let decl = value.tensor().and_then(|id| self.tensors.get(id.0 as usize));
		decl.map_or_else(|| "a constant".into(), |decl| String::from_utf8_lossy(&decl.name).into_owned())
	}

	pub(crate) fn declare(&mut self, name: String, spec: TensorSpec, role: Role) -> Value {
		let id = TensorId(self.tensors.len() as u32);
		let TensorSpec { dtype, rows, cols } = spec;
		self.tensors.push(TensorDecl { name: name.into_bytes(), dtype, rows, cols, role });
		Value(Operand::Tensor(id))
	}

	/// Adds an op; its output has the smallest shape that fits unless one is given.
	pub(crate) fn op(&mut self, kind: OpKind, inputs: &[Value], spec: Option<TensorSpec>) -> Value {
		let index = self.ops.len();
		let operands: Vec<OperandSpec> = inputs
			.iter()
			.map(|input| match input.0 {
				Operand::Scalar(bits) => OperandSpec::Scalar(bits),
				Operand::Tensor(id) => OperandSpec::of(&self.tensors[id.0 as usize]),
			})
			.collect();
		let checked = infer(kind, &operands, self.batch).and_then(|smallest| {
			let spec = spec.unwrap_or(smallest);
			check_op(kind, &operands, spec, self.batch).map(|()| spec)
		});
		let spec = checked.unwrap_or_else(|error| {
			self.fail(BuildError::Shape { op: index, error });
			TensorSpec { dtype: DType::F32, rows: 1, cols: 1 }
		});
		let output = self.declare(format!("op{index}"), spec, Role::Temp);
		if let Some(output) = output.tensor() {
			self.ops.push(Op { kind, inputs: inputs.iter().map(|input| input.0).collect(), output });
		}
		output
	}
}
