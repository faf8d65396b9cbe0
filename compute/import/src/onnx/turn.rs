//! Arrays whose elements are stored in another order than that of their shape.
//!
//! Images of an ONNX graph are batch, channels, pixels; a program's ops on images take a pixel for a row and its channels for
//! columns. Two groups of neighbouring axes are then stored the other way round, which [`Turned`] says in two numbers. An op
//! that treats elements alike, and any reshape, leaves it as it is; what stands on constants turns these instead.

use std::rc::Rc;

use assay_engine::Tensor;
use assay_models::Value;
use assay_program::DType;

use super::array::{elements, Array, Held, Lowering, Refusal};

/// Largest extent that is exchanged with another by a product with the identity.
const MAX_IDENTITY: usize = 2048;

/// The elements, in the order of the shape, make up matrices of `rows` by `cols`, one after the other; each of them is stored
/// transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turned {
	pub(crate) rows: usize,
	pub(crate) cols: usize,
}

impl Turned {
	/// `None` where that is the order of the shape.
	pub(crate) fn new(rows: usize, cols: usize) -> Option<Self> {
		(rows > 1 && cols > 1).then_some(Turned { rows, cols })
	}
}

/// Where the axes of a shape are cut into three groups: the axes from the first number on and those from the second are
/// stored the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut(pub(crate) usize, pub(crate) usize);

impl Cut {
	/// The shape of what is stored.
	pub(crate) fn stored_shape(self, shape: &[usize]) -> Vec<usize> {
		let (leading, rest) = shape.split_at(self.0.min(shape.len()));
		let (first, second) = rest.split_at((self.1.saturating_sub(self.0)).min(rest.len()));
		[leading, second, first].concat()
	}

	/// The cut that undoes it, of tensors of this rank.
	pub(crate) fn inverse(self, rank: usize) -> Self {
		Cut(self.0, self.0 + rank.saturating_sub(self.1))
	}

	/// Where an axis is in what is stored, of tensors of this rank.
	pub(crate) fn axis(self, at: usize, rank: usize) -> usize {
		if at < self.0 {
			at
		} else if at < self.1 {
			at + rank.saturating_sub(self.1)
		} else {
			at - (self.1 - self.0)
		}
	}

	fn turned(self, shape: &[usize]) -> Option<Turned> {
		let cols = elements(shape.get(self.1..).unwrap_or_default());
		let rows = elements(shape.get(self.0..self.1).unwrap_or_default());
		Turned::new(rows as usize, cols as usize)
	}
}

impl Array {
	/// Where the axes are cut, if the elements are turned and whole axes are.
	pub(crate) fn cut(&self) -> Option<Cut> {
		let Turned { rows, cols } = self.turned?;
		let from = |end: usize, count: usize| {
			(0..end).rev().find(|at| elements(self.shape.get(*at..end).unwrap_or_default()) == count as u64)
		};
		let second = from(self.shape.len(), cols)?;
		Some(Cut(from(second, rows)?, second))
	}
}

impl Held {
	/// Where the axes of what the program computes are cut.
	pub(crate) fn cut(&self) -> Option<Cut> {
		match self {
			Held::Known(..) => None,
			Held::Array(array) => array.cut(),
		}
	}
}

impl Lowering {
	/// An array whose elements are stored in the order of its shape.
	pub(crate) fn in_order(&mut self, array: &Array) -> Result<Array, Refusal> {
		let stored = match array.turned {
			Some(Turned { rows, cols }) => self.transposed(array, cols, rows)?,
			None => array.stored,
		};
		Ok(Array::new(stored, array.shape.clone()))
	}

	/// The same array, stored in this way.
	pub(crate) fn turned_as(&mut self, array: &Array, turned: Option<Turned>) -> Result<Array, Refusal> {
		if array.turned == turned {
			return Ok(array.clone());
		}
		let array = self.in_order(array)?;
		match turned {
			Some(Turned { rows, cols }) => {
				let stored = self.transposed(&array, rows, cols)?;
				Ok(Array { stored, turned, ..array })
			}
			None => Ok(array),
		}
	}

	/// What is stored for a tensor whose axes are cut, as a tensor of its own that is in order.
	pub(crate) fn stored_as(&mut self, held: &Held, cut: Cut) -> Result<Held, Refusal> {
		let (turned, shape) = (cut.turned(held.shape()), cut.stored_shape(held.shape()));
		match held {
			Held::Known(constant, name) => {
				self.spend(elements(&shape))?;
				let places = turned_places(elements(&shape) as usize, turned);
				// Of the same order, it is still what the name says.
				let name = name.clone().filter(|_| turned.is_none());
				Ok(Held::Known(Rc::new(constant.picked(shape, places)), name))
			}
			Held::Array(array) => {
				let array = self.turned_as(array, turned)?;
				Ok(Held::Array(Array::new(array.stored, shape)))
			}
		}
	}

	/// The tensor whose axes are cut and of which `stored` is stored.
	pub(crate) fn read_as(&mut self, stored: Held, cut: Cut) -> Result<Held, Refusal> {
		let inverse = cut.inverse(stored.shape().len());
		let Held::Array(array) = stored else { return self.stored_as(&stored, inverse) };
		let array = self.in_order(&array)?;
		let shape = inverse.stored_shape(&array.shape);
		Ok(Held::Array(Array { stored: array.stored, turned: cut.turned(&shape), shape }))
	}

	/// Transposes each of the matrices of `rows` by `cols` that the elements are stored as: products with the identity, on the
	/// side where it is smaller.
	fn transposed(&mut self, array: &Array, rows: usize, cols: usize) -> Result<Value, Refusal> {
		let side = rows.min(cols);
		if side > MAX_IDENTITY {
			return Err(format!("transposing {rows} x {cols} costs a product; at most {MAX_IDENTITY} on one side are"));
		}
		let small = |extent: u64| u32::try_from(extent).map_err(|_| "too large".to_owned());
		let blocks = elements(&array.shape) / (rows as u64 * cols as u64).max(1);
		let copies = if rows <= cols { 1 } else { blocks };
		self.spend((side as u64 * side as u64).saturating_mul(copies))?;
		let of_one = (0..side * side).map(|at| if at / side == at % side { 1f32.to_bits() } else { 0 });
		let bits: Vec<u32> = (0..copies).flat_map(|_| of_one.clone()).collect();
		let identity = Tensor::new(DType::F32, small(side as u64 * copies)?, side as u32, bits);
		let identity = self.declare(None, identity.map_err(|error| error.to_string())?);
		let stored = self.with_columns(array.stored, small(cols as u64)?);
		let blocks = small(blocks)?;
		Ok(match rows <= cols {
			true => self.graph.block_matmul((stored, true), (identity, false), blocks, blocks),
			false => self.graph.block_matmul((identity, false), (stored, true), blocks, 1),
		})
	}
}

/// Where each stored element is in the order of the shape.
pub(crate) fn turned_places(count: usize, turned: Option<Turned>) -> impl Iterator<Item = usize> {
	let Turned { rows, cols } = turned.unwrap_or(Turned { rows: 1, cols: 1 });
	let block = rows * cols;
	(0..count).map(move |at| {
		let (first, within) = (at / block * block, at % block);
		first + within % rows * cols + within / rows
	})
}
