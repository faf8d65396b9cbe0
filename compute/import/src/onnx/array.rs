//! Tensors of any rank as matrices of a graph.

use std::{collections::BTreeMap, rc::Rc};

use assay_engine::Tensor;
use assay_models::{Graph, Value};
use assay_program::{DType, Lane, TensorId, TensorSpec};

use super::tensor::Constant;

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
	/// A matrix of the elements in row-major order, of any number of columns.
	pub(crate) stored: Value,
	/// Extents, none of them 0.
	pub(crate) shape: Vec<usize>,
	/// The elements are stored as if the last two extents, which are those of `shape`, were exchanged.
	pub(crate) swapped: bool,
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
}

/// Why a node has no equivalent.
pub(crate) type Refusal = String;

/// Largest extent that is exchanged with another by a product with the identity.
const MAX_IDENTITY: usize = 2048;

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
		Self { graph: Graph::new(batch), given, declared, named, budget, lane }
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
		let array = |stored| Array { stored, shape: shape.clone(), swapped: false };
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
		let stored = if array.swapped { self.unswapped(array)? } else { array.stored };
		self.with_columns(stored, matrix_of(&array.shape)?.1)
	}

	/// An array whose elements are stored in the order of its shape.
	pub(crate) fn in_order(&mut self, array: &Array) -> Result<Array, Refusal> {
		let stored = if array.swapped { self.unswapped(array)? } else { array.stored };
		Ok(Array { stored, shape: array.shape.clone(), swapped: false })
	}

	/// The elements of a matrix, in their order, in `cols` columns. To one column is an op; from one, a product of each row's
	/// elements with 1, which is exact but for the sign of a zero.
	pub(crate) fn with_columns(&mut self, x: Value, cols: u32) -> Result<Value, Refusal> {
		let spec = self.graph.spec(x);
		if spec.cols == cols {
			return Ok(x);
		}
		let column = if spec.cols == 1 { x } else { self.graph.flatten(x) };
		if cols == 1 {
			return Ok(column);
		}
		let rows = spec.elements().checked_div(cols.into()).and_then(|rows| u32::try_from(rows).ok()).unwrap_or(0);
		self.spend(rows.into())?;
		let ones = vec![1f32.to_bits(); rows as usize];
		let ones = Tensor::new(DType::F32, rows, 1, ones).map_err(|error| error.to_string())?;
		let ones = self.declare(None, ones);
		Ok(self.graph.block_matmul((ones, false), (column, true), rows, 1))
	}

	/// The stored elements with their last two extents exchanged: each matrix, transposed, times the identity.
	fn unswapped(&mut self, array: &Array) -> Result<Value, Refusal> {
		let [leading @ .., rows, cols] = array.shape.as_slice() else { return Ok(array.stored) };
		let (inner, blocks) = (*cols, elements(leading));
		if inner > MAX_IDENTITY {
			return Err(format!("transposing {rows} x {cols} costs a product; at most {MAX_IDENTITY} columns are"));
		}
		self.spend((inner * inner) as u64)?;
		let bits = (0..inner * inner).map(|at| if at / inner == at % inner { 1f32.to_bits() } else { 0 }).collect();
		let side = inner as u32;
		let identity = Tensor::new(DType::F32, side, side, bits).map_err(|error| error.to_string())?;
		let identity = self.declare(None, identity);
		let blocks = u32::try_from(blocks).map_err(|_| "too many matrices".to_owned())?;
		let rows = u32::try_from(*rows).map_err(|_| "too many rows".to_owned())?;
		let stored = self.with_columns(array.stored, rows)?;
		Ok(self.graph.block_matmul((stored, true), (identity, false), blocks, blocks))
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
