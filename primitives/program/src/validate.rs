//! The rules a program must keep before any money moves, and decoding that is bounded before it allocates.

use crate::{
	refine::{GeometryError, OpGeometry},
	shape::{is_finite, ShapeError, TensorSpec},
	types::MAX_NAME,
	DType, Header, Init, Lane, Op, Operand, Program, Role, TensorDecl, TensorId,
};
use alloc::{collections::BTreeSet, vec, vec::Vec};
use assay_commitment::LayoutError;
use codec::{DecodeLimit, Encode};

/// Version of the program format that this crate knows.
pub const VERSION: u16 = 1;

/// Deepest nesting of an encoded program.
const MAX_DECODE_DEPTH: u32 = 8;

/// Upper bounds on programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
	/// Bytes of the encoded program.
	pub program_bytes: usize,
	/// Tensors.
	pub tensors: usize,
	/// Ops.
	pub ops: usize,
	/// Metrics.
	pub metrics: usize,
	/// Canonical bytes, padding included, of one tensor.
	pub tensor_bytes: u64,
	/// Canonical bytes of all tensors together.
	pub total_bytes: u64,
	/// Scalar operations of one op.
	pub op_flops: u64,
	/// Scalar operations of one step.
	pub step_flops: u64,
	/// Steps of a job.
	pub steps: u64,
	/// Rows of a batch.
	pub batch: u32,
}

impl Default for Limits {
	/// Programs that fit a public network: 4 MiB of program, tensors up to 64 GiB, 1 TiB in all.
	fn default() -> Self {
		Limits {
			program_bytes: 4 << 20,
			tensors: 16_384,
			ops: 16_384,
			metrics: 64,
			tensor_bytes: 64 << 30,
			total_bytes: 1 << 40,
			op_flops: 1 << 50,
			step_flops: 1 << 54,
			steps: 1 << 40,
			batch: 1 << 20,
		}
	}
}

/// Something of a program that [`Limits`] bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
	/// [`Limits::program_bytes`].
	ProgramBytes,
	/// [`Limits::tensors`].
	Tensors,
	/// [`Limits::ops`].
	Ops,
	/// [`Limits::metrics`].
	Metrics,
	/// [`Limits::total_bytes`].
	TotalBytes,
	/// [`Limits::step_flops`].
	StepFlops,
	/// [`Limits::steps`].
	Steps,
	/// [`Limits::batch`].
	Batch,
}

/// Why a program is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramError {
	/// The format version is not [`VERSION`].
	Version(u16),
	/// The program does nothing: no steps, no batch, no segment length, no ops or no updates.
	Empty(&'static str),
	/// More than the limits allow.
	TooLarge {
		/// What is too large.
		what: Quantity,
		/// Its value.
		value: u64,
		/// The limit.
		limit: u64,
	},
	/// A tensor's declaration is wrong.
	Tensor {
		/// The tensor.
		id: TensorId,
		/// Its name, as far as it is UTF-8.
		name: alloc::string::String,
		/// What is wrong.
		problem: TensorProblem,
	},
	/// An op is wrong.
	Op {
		/// Position of the op.
		index: u32,
		/// Name of its output, if it has one.
		output: alloc::string::String,
		/// What is wrong.
		problem: OpProblem,
	},
	/// An update is wrong.
	Update {
		/// Position of the update.
		index: u32,
		/// Name of the state tensor, if it has one.
		state: alloc::string::String,
		/// What is wrong.
		problem: UpdateProblem,
	},
	/// A metric is not the 1 x 1 f32 output of an op.
	Metric {
		/// Position of the metric.
		index: u32,
	},
}

/// What is wrong with a tensor's declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TensorProblem {
	/// The name is empty, longer than [`MAX_NAME`] bytes or not UTF-8.
	Name,
	/// Another tensor has the name.
	NameTaken,
	/// Rows or columns are zero, or chunks need more than 32 bits.
	Layout(LayoutError),
	/// More canonical bytes than [`Limits::tensor_bytes`].
	TooLarge {
		/// Canonical bytes.
		bytes: u64,
		/// The limit.
		limit: u64,
	},
	/// The initial value is NaN or infinite.
	InitNotFinite,
	/// The initial value of an i8 tensor is none of its numbers.
	InitRange,
	/// An i8 tensor in a program of another lane than [`Lane::I8`].
	Lane,
	/// The bound of a uniform initial value is not a finite number above zero.
	Bound,
	/// Uniform initial values are f32; the tensor is not.
	UniformType,
	/// The tensor has more elements than random draws can number (2^32).
	UniformTooLarge,
	/// No op defines this temp.
	Undefined,
}

/// What is wrong with an op.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpProblem {
	/// An operand or the output names no tensor.
	UnknownTensor(TensorId),
	/// The output is not a temp.
	OutputNotTemp,
	/// An earlier op defines the output already.
	OutputDefinedTwice,
	/// The temp is read before the op that defines it: reorder the ops.
	UsedBeforeDefined(TensorId),
	/// Operands or output do not fit the op.
	Shape(ShapeError),
	/// More scalar operations than [`Limits::op_flops`].
	TooExpensive {
		/// Scalar operations.
		flops: u64,
		/// The limit.
		limit: u64,
	},
}

/// What is wrong with an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateProblem {
	/// State or value names no tensor.
	UnknownTensor(TensorId),
	/// The target is not a parameter or state tensor.
	NotState,
	/// The value is not the output of an op.
	ValueNotTemp,
	/// The value has another type or shape than the state.
	Mismatch {
		/// The state tensor.
		state: TensorSpec,
		/// The value.
		value: TensorSpec,
	},
	/// Updates must ascend by state tensor id, one for each tensor.
	NotAscending,
}

/// Why bytes are not a valid program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodeError {
	/// More bytes than [`Limits::program_bytes`].
	TooLong {
		/// Bytes given.
		bytes: usize,
		/// The limit.
		limit: usize,
	},
	/// Not the SCALE encoding of a program, or followed by other bytes.
	Malformed,
	/// Decoded, but breaks a rule.
	Invalid(ProgramError),
}

/// Decodes and validates a program.
pub fn decode_program(bytes: &[u8], limits: &Limits) -> Result<Program, DecodeError> {
	if bytes.len() > limits.program_bytes {
		return Err(DecodeError::TooLong { bytes: bytes.len(), limit: limits.program_bytes });
	}
	let program =
		Program::decode_all_with_depth_limit(MAX_DECODE_DEPTH, &mut &bytes[..]).map_err(|_| DecodeError::Malformed)?;
	program.validate(limits).map_err(DecodeError::Invalid)?;
	Ok(program)
}

impl Program {
	/// Checks every rule. A program that passes can be executed, refined and refereed.
	pub fn validate(&self, limits: &Limits) -> Result<(), ProgramError> {
		self.check_header(limits)?;
		self.check_counts(limits)?;
		self.check_tensors(limits)?;
		self.check_ops(limits)?;
		self.check_updates()?;
		self.check_metrics()
	}

	fn check_header(&self, limits: &Limits) -> Result<(), ProgramError> {
		let Header { version, lane: _, seed: _, steps, batch, segment_steps } = self.header;
		if version != VERSION {
			return Err(ProgramError::Version(version));
		}
		for (value, what) in [(steps, "steps"), (batch.into(), "batch"), (segment_steps.into(), "segment_steps")] {
			if value == 0 {
				return Err(ProgramError::Empty(what));
			}
		}
		within(Quantity::Steps, steps, limits.steps)?;
		within(Quantity::Batch, batch.into(), limits.batch.into())
	}

	fn check_counts(&self, limits: &Limits) -> Result<(), ProgramError> {
		within(Quantity::Tensors, self.tensors.len() as u64, limits.tensors as u64)?;
		within(Quantity::Ops, self.ops.len() as u64, limits.ops as u64)?;
		within(Quantity::Metrics, self.metrics.len() as u64, limits.metrics as u64)?;
		if self.ops.is_empty() {
			return Err(ProgramError::Empty("ops"));
		}
		if self.updates.is_empty() {
			return Err(ProgramError::Empty("updates"));
		}
		within(Quantity::ProgramBytes, self.encoded_size() as u64, limits.program_bytes as u64)
	}

	fn check_tensors(&self, limits: &Limits) -> Result<(), ProgramError> {
		let mut names = BTreeSet::new();
		let mut total = 0u64;
		for (decl, id) in self.tensors.iter().zip(0u32..) {
			let bytes = check_decl(decl, limits)
				.and_then(|bytes| match (decl.dtype, self.header.lane) {
					(DType::I8, Lane::F32) => Err(TensorProblem::Lane),
					_ => Ok(bytes),
				})
				.and_then(|bytes| names.insert(&decl.name).then_some(bytes).ok_or(TensorProblem::NameTaken))
				.map_err(|problem| self.tensor_error(TensorId(id), problem))?;
			total = total.saturating_add(bytes);
		}
		within(Quantity::TotalBytes, total, limits.total_bytes)
	}

	fn check_ops(&self, limits: &Limits) -> Result<(), ProgramError> {
		let mut defined = vec![false; self.tensors.len()];
		let mut flops = 0u64;
		for (op, index) in self.ops.iter().zip(0u32..) {
			let cost = self.check_op(op, &mut defined, limits).map_err(|problem| ProgramError::Op {
				index,
				output: self.name_of(op.output),
				problem,
			})?;
			flops = flops.saturating_add(cost);
		}
		within(Quantity::StepFlops, flops, limits.step_flops)?;
		for ((decl, defined), id) in self.tensors.iter().zip(defined).zip(0u32..) {
			if decl.role == Role::Temp && !defined {
				return Err(self.tensor_error(TensorId(id), TensorProblem::Undefined));
			}
		}
		Ok(())
	}

	/// Checks one op, marks its output as defined and returns its scalar operations.
	fn check_op(&self, op: &Op, defined: &mut [bool], limits: &Limits) -> Result<u64, OpProblem> {
		for input in &op.inputs {
			let Operand::Tensor(id) = input else { continue };
			let decl = self.decl(*id).ok_or(OpProblem::UnknownTensor(*id))?;
			if decl.role == Role::Temp && defined.get(id.0 as usize) != Some(&true) {
				return Err(OpProblem::UsedBeforeDefined(*id));
			}
		}
		let output = self.decl(op.output).ok_or(OpProblem::UnknownTensor(op.output))?;
		let slot = defined.get_mut(op.output.0 as usize).ok_or(OpProblem::UnknownTensor(op.output))?;
		if output.role != Role::Temp {
			return Err(OpProblem::OutputNotTemp);
		}
		if core::mem::replace(slot, true) {
			return Err(OpProblem::OutputDefinedTwice);
		}
		let geometry = OpGeometry::of(op, self.header.batch, |id| self.decl(id)).map_err(|error| match error {
			GeometryError::Shape(error) => OpProblem::Shape(error),
			// Declarations were checked before, so neither can happen.
			GeometryError::Layout(_) => OpProblem::Shape(ShapeError::EmptyDimension),
			GeometryError::UnknownTensor => OpProblem::UnknownTensor(op.output),
		})?;
		let flops = geometry.cost().flops;
		if flops > limits.op_flops {
			return Err(OpProblem::TooExpensive { flops, limit: limits.op_flops });
		}
		Ok(flops)
	}

	fn check_updates(&self) -> Result<(), ProgramError> {
		let mut previous: Option<TensorId> = None;
		for (update, index) in self.updates.iter().zip(0u32..) {
			let check = || {
				let state = self.decl(update.state).ok_or(UpdateProblem::UnknownTensor(update.state))?;
				let value = self.decl(update.value).ok_or(UpdateProblem::UnknownTensor(update.value))?;
				if !state.role.is_state() {
					return Err(UpdateProblem::NotState);
				}
				if value.role != Role::Temp {
					return Err(UpdateProblem::ValueNotTemp);
				}
				if state.spec() != value.spec() {
					return Err(UpdateProblem::Mismatch { state: state.spec(), value: value.spec() });
				}
				if previous.is_some_and(|previous| previous >= update.state) {
					return Err(UpdateProblem::NotAscending);
				}
				Ok(())
			};
			check().map_err(|problem| ProgramError::Update { index, state: self.name_of(update.state), problem })?;
			previous = Some(update.state);
		}
		Ok(())
	}

	fn check_metrics(&self) -> Result<(), ProgramError> {
		for (id, index) in self.metrics.iter().zip(0u32..) {
			let fits = |decl: &TensorDecl| decl.role == Role::Temp && decl.spec() == TensorSpec::f32(1, 1);
			if !self.decl(*id).is_some_and(fits) {
				return Err(ProgramError::Metric { index });
			}
		}
		Ok(())
	}

	/// The declaration of a tensor.
	pub fn decl(&self, id: TensorId) -> Option<&TensorDecl> {
		self.tensors.get(id.0 as usize)
	}

	/// The parameter and state tensors, ascending: the order of the state root's leaves.
	pub fn state_tensors(&self) -> impl Iterator<Item = (TensorId, &TensorDecl)> {
		self.tensors.iter().zip(0u32..).filter(|(decl, _)| decl.role.is_state()).map(|(decl, id)| (TensorId(id), decl))
	}

	/// For every tensor the op that defines it; `None` for tensors that are not temps.
	pub fn producers(&self) -> Vec<Option<u32>> {
		let mut producers = vec![None; self.tensors.len()];
		for (op, index) in self.ops.iter().zip(0u32..) {
			if let Some(producer) = producers.get_mut(op.output.0 as usize) {
				*producer = Some(index);
			}
		}
		producers
	}

	fn name_of(&self, id: TensorId) -> alloc::string::String {
		self.decl(id).map(|decl| printable(&decl.name)).unwrap_or_default()
	}

	fn tensor_error(&self, id: TensorId, problem: TensorProblem) -> ProgramError {
		ProgramError::Tensor { id, name: self.name_of(id), problem }
	}
}

/// The name for a message: at most [`MAX_NAME`] bytes of it.
fn printable(name: &[u8]) -> alloc::string::String {
	alloc::string::String::from_utf8_lossy(name.get(..MAX_NAME).unwrap_or(name)).into_owned()
}

fn within(what: Quantity, value: u64, limit: u64) -> Result<(), ProgramError> {
	if value > limit {
		return Err(ProgramError::TooLarge { what, value, limit });
	}
	Ok(())
}

/// Checks a declaration by itself and returns the tensor's canonical bytes.
fn check_decl(decl: &TensorDecl, limits: &Limits) -> Result<u64, TensorProblem> {
	if decl.name.is_empty() || decl.name.len() > MAX_NAME || core::str::from_utf8(&decl.name).is_err() {
		return Err(TensorProblem::Name);
	}
	let bytes = decl.spec().layout().map_err(TensorProblem::Layout)?.byte_len();
	if bytes > limits.tensor_bytes {
		return Err(TensorProblem::TooLarge { bytes, limit: limits.tensor_bytes });
	}
	match decl.role {
		Role::Param(init) | Role::State(init) => check_init(decl, init)?,
		Role::Data { .. } | Role::Temp => {}
	}
	Ok(bytes)
}

fn check_init(decl: &TensorDecl, init: Init) -> Result<(), TensorProblem> {
	match init {
		Init::Zeros | Init::Given { .. } => Ok(()),
		Init::Constant(bits) if decl.dtype == DType::F32 && !is_finite(bits) => Err(TensorProblem::InitNotFinite),
		Init::Constant(bits) if !decl.dtype.holds(bits) => Err(TensorProblem::InitRange),
		Init::Constant(_) => Ok(()),
		Init::Uniform { .. } if decl.dtype != DType::F32 => Err(TensorProblem::UniformType),
		Init::Uniform { .. } if decl.spec().elements() > 1 << 32 => Err(TensorProblem::UniformTooLarge),
		// Positive and not zero: the sign bit is clear and the rest is not all zero.
		Init::Uniform { bound, .. } if bound == 0 || bound >> 31 == 1 || !is_finite(bound) => Err(TensorProblem::Bound),
		Init::Uniform { .. } => Ok(()),
	}
}
