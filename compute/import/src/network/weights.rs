//! The weights of a checkpoint as tensors of a graph.

use std::collections::{BTreeMap, BTreeSet};

use assay_engine::Tensor;
use assay_models::{quantised, Graph, Value};
use assay_program::{types::MAX_NAME, Axis, DType, Init, TensorId, TensorSpec};

use super::layers::Stored;

use crate::{error::TensorProblem, hf::Checkpoint, ImportError};

/// What imported weights are in a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weights {
	/// Data: fixed for the whole job, not part of the state. For inference.
	#[default]
	Frozen,
	/// Parameters that start with the given values and are part of the state. For training.
	Trained,
}

/// Reads weights as a network asks for them, each once.
#[derive(Debug)]
pub(crate) struct Loader<'a> {
	checkpoint: &'a Checkpoint,
	role: Weights,
	declared: BTreeMap<String, Value>,
	/// Weights in int8 and the scales of their outputs.
	int8: BTreeMap<String, (Value, Value)>,
	/// Tensors that need not be read.
	skipped: BTreeSet<String>,
	/// Trained tensors in the order of the graph.
	pub(crate) params: Vec<Value>,
	/// Everything that the program needs to be given.
	pub(crate) given: Vec<(TensorId, Tensor)>,
}

impl<'a> Loader<'a> {
	pub(crate) fn new(checkpoint: &'a Checkpoint, role: Weights) -> Self {
		Self {
			checkpoint,
			role,
			declared: BTreeMap::new(),
			int8: BTreeMap::new(),
			skipped: BTreeSet::new(),
			params: Vec::new(),
			given: Vec::new(),
		}
	}

	pub(crate) fn has(&self, name: &str) -> bool {
		self.checkpoint.entry(name).is_some()
	}

	/// First extent of a tensor whose size no configuration gives.
	pub(crate) fn leading_extent(&self, name: &str) -> Result<u32, ImportError> {
		let problem = |problem| ImportError::tensor(self.checkpoint.path(), name, problem);
		let entry = self.checkpoint.entry(name).ok_or_else(|| problem(TensorProblem::Missing))?;
		let extent = entry.shape.first().and_then(|extent| u32::try_from(*extent).ok());
		extent.ok_or_else(|| problem(TensorProblem::Rank(entry.shape.clone())))
	}

	/// The f32 tensor `name` of this shape; one dimension is a row. Asked for twice it is the same tensor.
	pub(crate) fn weight(&mut self, graph: &mut Graph, name: &str, shape: &[u32]) -> Result<Value, ImportError> {
		if let Some(value) = self.declared.get(name) {
			return Ok(*value);
		}
		let tensor = self.read(name, shape)?;
		let value = self.declare(graph, name, tensor);
		self.declared.insert(name.into(), value);
		Ok(value)
	}

	/// The f32 matrix `name` in int8, and the scale of each output, `[1, outputs]`. It is fixed, so it is quantised here. A
	/// checkpoint that was taken from a program may hold these two in its place.
	pub(crate) fn int8_weight(
		&mut self,
		graph: &mut Graph,
		name: &str,
		shape: [u32; 2],
		stored: Stored,
	) -> Result<(Value, Value), ImportError> {
		if let Some(pair) = self.int8.get(name) {
			return Ok(*pair);
		}
		let [bytes_name, scales_name] = int8_names(name);
		if scales_name.len() > MAX_NAME {
			return Err(ImportError::tensor(self.checkpoint.path(), name, TensorProblem::Name));
		}
		let (over, outputs) = match stored {
			Stored::InputsFirst => (Axis::Rows, shape[1]),
			Stored::OutputsFirst => (Axis::Cols, shape[0]),
		};
		let (bytes, scales) = if self.has(name) || !self.has(&bytes_name) {
			let elements = u64::from(shape[0]) * u64::from(shape[1]);
			let memory = |_| ImportError::tensor(self.checkpoint.path(), name, TensorProblem::Memory(elements));
			quantised(&self.read(name, &shape)?, over).map_err(memory)?
		} else {
			(self.checkpoint.read(&bytes_name)?, self.read(&scales_name, &[outputs])?)
		};
		let expected = TensorSpec { dtype: DType::I8, rows: shape[0], cols: shape[1] };
		if bytes.spec() != expected {
			return Err(ImportError::tensor(self.checkpoint.path(), &bytes_name, TensorProblem::Missing));
		}
		let pair = (self.constant(graph, &bytes_name, bytes), self.constant(graph, &scales_name, scales));
		self.int8.insert(name.into(), pair);
		Ok(pair)
	}

	/// The f32 tensor `name` of this shape.
	fn read(&self, name: &str, shape: &[u32]) -> Result<Tensor, ImportError> {
		let problem = |problem| ImportError::tensor(self.checkpoint.path(), name, problem);
		let entry = self.checkpoint.entry(name).ok_or_else(|| problem(TensorProblem::Missing))?;
		let expected: Vec<usize> = shape.iter().map(|extent| *extent as usize).collect();
		if !self.checkpoint.has_shape(name, &expected) {
			return Err(problem(TensorProblem::Shape { found: entry.shape.clone(), expected }));
		}
		if name.len() > MAX_NAME {
			return Err(problem(TensorProblem::Name));
		}
		let found = format!("{:?}", entry.dtype);
		let tensor = self.checkpoint.read(name)?;
		if tensor.spec().dtype != DType::F32 {
			return Err(problem(TensorProblem::OtherType { found, expected: "F32, F16 or BF16" }));
		}
		Ok(tensor)
	}

	/// A tensor that is part of the program itself, such as positions.
	pub(crate) fn constant(&mut self, graph: &mut Graph, name: &str, tensor: Tensor) -> Value {
		let value = graph.data(name, tensor.spec(), tensor.root());
		self.given.extend(value.tensor().map(|id| (id, tensor)));
		value
	}

	/// Tensors that `spare` names need not be read.
	pub(crate) fn skip(&mut self, spare: impl Fn(&str) -> bool) {
		self.skipped = self.checkpoint.names().filter(|name| spare(name)).map(Into::into).collect();
	}

	/// Fails if a tensor of the checkpoint was not read, unless `spare` says that it may be.
	pub(crate) fn finish(&self, spare: impl Fn(&str) -> bool) -> Result<(), ImportError> {
		let int8 = self.int8.keys().flat_map(|name| [name.clone()].into_iter().chain(int8_names(name)));
		let read: BTreeSet<String> = self.declared.keys().cloned().chain(int8).collect();
		let unread = |name: &&str| !read.contains(*name) && !self.skipped.contains(*name) && !spare(name);
		match self.checkpoint.names().find(unread) {
			Some(name) => Err(ImportError::tensor(self.checkpoint.path(), name, TensorProblem::Unused)),
			None => Ok(()),
		}
	}

	fn declare(&mut self, graph: &mut Graph, name: &str, tensor: Tensor) -> Value {
		let (spec, root) = (tensor.spec(), tensor.root());
		let value = match self.role {
			Weights::Frozen => graph.data(name, spec, root),
			Weights::Trained => graph.param(name, spec.rows, spec.cols, Init::Given { root }),
		};
		if self.role == Weights::Trained {
			self.params.push(value);
		}
		self.given.extend(value.tensor().map(|id| (id, tensor)));
		value
	}
}

/// Names of a weight in int8 and of its scales.
fn int8_names(name: &str) -> [String; 2] {
	[format!("{name}.i8"), format!("{name}.scales")]
}
