//! Tensors of any rank as matrices of a graph.

use std::{
	collections::{BTreeMap, BTreeSet},
	rc::Rc,
};

use assay_engine::Tensor;
use assay_models::{Graph, Value};
use assay_program::{DType, Lane, TensorId, TensorSpec};

use super::{tensor::Constant, turn::Turned};

/// Something that a name of the ONNX graph stands for.
#[derive(Clone, Debug)]
pub(crate) enum Held {
	/// Elements that are known when the program is built; floats of the file have a name of their own.
	Known(Rc<Constant>, Option<Rc<str>>),
	/// What the program computes or is given.
	Array(Array),
}

/// F32 elements in the program.
#[derive(Clone, Debug)]
pub(crate) struct Array {
	/// A matrix of the elements, of any number of columns.
	pub(crate) stored: Value,
	/// Extents, none of them 0.
	pub(crate) shape: Vec<usize>,
	/// How the elements are stored where that is not the order of the shape.
	pub(crate) turned: Option<Turned>,
}

/// A program under construction, and what it must be given.
#[derive(Debug)]
pub(crate) struct Lowering {
	pub(crate) graph: Graph,
	pub(crate) given: Vec<(TensorId, Tensor)>,
	/// Data tensors by root, so that equal ones are one.
	declared: BTreeMap<[u8; 32], Value>,
	/// Initial values of the file by name.
	named: BTreeMap<Rc<str>, Value>,
	/// Elements that may still be made here.
	budget: u64,
	/// How products with what is known are computed.
	pub(crate) lane: Lane,
	/// Outputs of ops that have no element below zero.
	not_negative: BTreeSet<TensorId>,
}

/// Why a node has no equivalent.
pub(crate) type Refusal = String;

pub(crate) fn elements(shape: &[usize]) -> u64 {
	shape.iter().fold(1u64, |product, extent| product.saturating_mul(*extent as u64))
}

/// Rows and columns of the matrix that stands for a tensor of this shape: the last extent, and all others.
pub(crate) fn matrix_of(shape: &[usize]) -> Result<(u32, u32), Refusal> {
	let cols = shape.last().copied().unwrap_or(1);
	let rows = shape.split_last().map_or(1, |(_, leading)| elements(leading));
	let too_large = |_| format!("shape {shape:?} is too large");
	let (rows, cols) = (u32::try_from(rows).map_err(too_large)?, u32::try_from(cols).map_err(too_large)?);
	if rows == 0 || cols == 0 {
		return Err(format!("shape {shape:?} is empty"));
	}
	Ok((rows, cols))
}

impl Held {
	pub(crate) fn shape(&self) -> &[usize] {
		match self {
			Held::Known(constant, _) => constant.shape(),
			Held::Array(array) => &array.shape,
		}
	}

	/// The integers, if it is made of them.
	pub(crate) fn ints(&self) -> Result<&[i64], Refusal> {
		match self {
			Held::Known(constant, _) => match &**constant {
				Constant::Ints { values, .. } => Ok(values),
				Constant::Floats { .. } => Err("it takes integers where it is given floating-point numbers".into()),
			},
			Held::Array(_) => Err("it takes integers that are known when the program is built".into()),
		}
	}

	/// The one f32 number that it is.
	pub(crate) fn scalar(&self) -> Option<f32> {
		match self {
			Held::Known(constant, _) => match &**constant {
				Constant::Floats { bits, .. } => match bits.as_slice() {
					[bits] => Some(f32::from_bits(*bits)),
					_ => None,
				},
				Constant::Ints { .. } => None,
			},
			Held::Array(_) => None,
		}
	}
}

impl From<Constant> for Held {
	fn from(constant: Constant) -> Self {
		Held::Known(Rc::new(constant), None)
	}
}

impl Lowering {
	/// `budget` bounds the elements that rearranging what is known may make. Batches have `batch` rows.
	pub(crate) fn new(budget: u64, batch: u32, lane: Lane) -> Self {
		let (given, declared, named) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
		Self { graph: Graph::new(batch), given, declared, named, budget, lane, not_negative: BTreeSet::new() }
	}

	/// Takes elements from the budget.
	pub(crate) fn spend(&mut self, elements: u64) -> Result<(), Refusal> {
		self.budget =
			self.budget.checked_sub(elements).ok_or("the graph makes more constants than its size warrants")?;
		Ok(())
	}

	/// An array of the program.
	pub(crate) fn array(&mut self, held: &Held) -> Result<Array, Refusal> {
		let (constant, name) = match held {
			Held::Array(array) => return Ok(array.clone()),
			Held::Known(constant, name) => (constant, name),
		};
		let Constant::Floats { shape, bits } = &**constant else {
			return Err("it takes floating-point numbers where it is given integers".into());
		};
		let array = |stored| Array::new(stored, shape.clone());
		if let Some(stored) = name.as_ref().and_then(|name| self.named.get(name)) {
			return Ok(array(*stored));
		}
		if name.is_none() {
			self.spend(bits.len() as u64)?;
		}
		let (rows, cols) = matrix_of(shape)?;
		let tensor = Tensor::new(DType::F32, rows, cols, bits.clone()).map_err(|error| error.to_string())?;
		let stored = self.declare(name.as_deref(), tensor);
		self.named.extend(name.iter().map(|name| (name.clone(), stored)));
		Ok(array(stored))
	}

	/// A data tensor of the program.
	pub(crate) fn declare(&mut self, name: Option<&str>, tensor: Tensor) -> Value {
		let root = tensor.root();
		// Tensors of other shapes or types may have one root.
		let key = key(&root, &tensor.spec());
		if let Some(value) = self.declared.get(&key) {
			return *value;
		}
		let number = self.given.len();
		let name = name.map_or_else(|| format!("constant{number}"), |name| format!("{number}:{name}"));
		let short: String = name.char_indices().take_while(|(at, c)| at + c.len_utf8() <= 64).map(|(_, c)| c).collect();
		let value = self.graph.data(&short, tensor.spec(), root);
		self.given.extend(value.tensor().map(|id| (id, tensor)));
		self.declared.insert(key, value);
		value
	}

	/// Ids as an I32 column.
	pub(crate) fn ids(&mut self, ids: Vec<u32>) -> Result<Value, Refusal> {
		self.spend(ids.len() as u64)?;
		let rows = u32::try_from(ids.len()).map_err(|_| "too many rows".to_owned())?;
		let tensor = Tensor::new(DType::I32, rows, 1, ids).map_err(|error| error.to_string())?;
		Ok(self.declare(None, tensor))
	}

	/// The matrix of an array, its columns the last extent.
	pub(crate) fn matrix(&mut self, array: &Array) -> Result<Value, Refusal> {
		let stored = self.in_order(array)?.stored;
		Ok(self.with_columns(stored, matrix_of(&array.shape)?.1))
	}

	/// The elements of a matrix, in their order, in `cols` columns.
	pub(crate) fn with_columns(&mut self, x: Value, cols: u32) -> Value {
		let spec = self.graph.spec(x);
		// Shapes have as many elements as what is stored, so that the op fits.
		let rows = spec.elements().checked_div(cols.into()).and_then(|rows| u32::try_from(rows).ok()).unwrap_or(0);
		self.graph.reshape(x, rows, cols)
	}

	/// Notes that an op's output has no element below zero.
	pub(crate) fn mark_not_negative(&mut self, x: Value) {
		self.not_negative.extend(x.tensor());
	}

	/// Whether that is known of an op's output.
	pub(crate) fn is_not_negative(&self, x: Value) -> bool {
		x.tensor().is_some_and(|id| self.not_negative.contains(&id))
	}
}

impl Array {
	/// Elements in the order of the shape.
	pub(crate) fn new(stored: Value, shape: Vec<usize>) -> Self {
		Array { stored, shape, turned: None }
	}
}

fn key(root: &[u8; 32], spec: &TensorSpec) -> [u8; 32] {
	let mut key = *root;
	let shape = spec.rows.to_le_bytes().into_iter().chain(spec.cols.to_le_bytes());
	let shape = shape.chain([spec.dtype as u8]);
	key.iter_mut().zip(shape).for_each(|(byte, part)| *byte ^= part);
	key
}

impl Constant {
	pub(crate) fn shape(&self) -> &[usize] {
		match self {
			Constant::Floats { shape, .. } | Constant::Ints { shape, .. } => shape,
		}
	}

	/// The elements in another shape, which is of as many.
	pub(crate) fn in_shape(&self, shape: Vec<usize>) -> Self {
		match self.clone() {
			Constant::Floats { bits, .. } => Constant::Floats { shape, bits },
			Constant::Ints { values, .. } => Constant::Ints { shape, values },
		}
	}

	/// The elements at `places`, in another shape.
	pub(crate) fn picked(&self, shape: Vec<usize>, places: impl Iterator<Item = usize>) -> Self {
		match self {
			Constant::Floats { bits, .. } => {
				Constant::Floats { shape, bits: places.filter_map(|place| bits.get(place).copied()).collect() }
			}
			Constant::Ints { values, .. } => {
				Constant::Ints { shape, values: places.filter_map(|place| values.get(place).copied()).collect() }
			}
		}
	}
}
