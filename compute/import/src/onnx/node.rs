//! A node's inputs and attributes, as an op asks for them.

use super::{
	array::{Held, Refusal},
	proto::{Attribute, TensorProto},
};

/// One node, ready to become ops. Every attribute must be taken: one that is left over could change the result.
#[derive(Debug)]
pub(crate) struct Call<'a> {
	pub(crate) op: &'a str,
	pub(crate) opset: i64,
	pub(crate) inputs: Vec<Option<Held>>,
	pub(crate) outputs: usize,
	pub(crate) attributes: Vec<Attribute<'a>>,
}

impl<'a> Call<'a> {
	/// Input `index`, which must be there.
	pub(crate) fn input(&self, index: usize) -> Result<Held, Refusal> {
		self.optional(index).ok_or_else(|| format!("input {index} is missing"))
	}

	pub(crate) fn optional(&self, index: usize) -> Option<Held> {
		self.inputs.get(index).cloned().flatten()
	}

	pub(crate) fn take(&mut self, name: &str) -> Option<Attribute<'a>> {
		let position = self.attributes.iter().position(|attribute| attribute.name == name)?;
		Some(self.attributes.swap_remove(position))
	}

	pub(crate) fn int(&mut self, name: &str, default: i64) -> Result<i64, Refusal> {
		self.typed(name, 2, "an integer").map(|found| found.map_or(default, |attribute| attribute.int))
	}

	pub(crate) fn float(&mut self, name: &str, default: f32) -> Result<f32, Refusal> {
		let value = self.typed(name, 1, "a number")?.map_or(default, |attribute| attribute.float);
		if value.is_finite() {
			Ok(value)
		} else {
			Err(format!("attribute `{name}` is not finite"))
		}
	}

	pub(crate) fn text(&mut self, name: &str) -> Result<Option<&'a [u8]>, Refusal> {
		self.typed(name, 3, "text").map(|found| found.map(|attribute| attribute.text))
	}

	pub(crate) fn tensor(&mut self, name: &str) -> Result<Option<TensorProto<'a>>, Refusal> {
		self.typed(name, 4, "a tensor").map(|found| found.and_then(|attribute| attribute.tensor))
	}

	pub(crate) fn int_list(&mut self, name: &str) -> Result<Option<Vec<i64>>, Refusal> {
		self.typed(name, 7, "a list of integers").map(|found| found.map(|attribute| attribute.ints))
	}

	/// Integers of attribute `name`, or of input `index`, where later versions have them.
	pub(crate) fn ints(&mut self, name: &str, index: usize) -> Result<Option<Vec<i64>>, Refusal> {
		let attribute = self.int_list(name)?;
		match self.optional(index) {
			None => Ok(attribute),
			Some(_) if attribute.is_some() => Err(format!("`{name}` is both an attribute and an input")),
			Some(held) => Ok(Some(held.ints()?.to_vec())),
		}
	}

	/// Fails if an attribute was not taken.
	pub(crate) fn finish(&self) -> Result<(), Refusal> {
		match self.attributes.first() {
			Some(left) => Err(format!("attribute `{}` has no equivalent", crate::error::shortened(left.name))),
			None => Ok(()),
		}
	}

	fn typed(&mut self, name: &str, kind: i64, what: &str) -> Result<Option<Attribute<'a>>, Refusal> {
		match self.take(name) {
			Some(attribute) if attribute.kind != kind => Err(format!("attribute `{name}` is not {what}")),
			found => Ok(found),
		}
	}
}

/// An axis of a tensor of this rank; negative ones count from the end.
pub(crate) fn axis(axis: i64, rank: usize) -> Result<usize, Refusal> {
	let rank = rank as i64;
	let from_start = if axis < 0 { axis.checked_add(rank) } else { Some(axis) };
	let inside = from_start.filter(|axis| (0..rank).contains(axis));
	inside.map(|axis| axis as usize).ok_or_else(|| format!("axis {axis} of a tensor of rank {rank}"))
}

/// Axes, ascending, each once.
pub(crate) fn axes(list: &[i64], rank: usize) -> Result<Vec<usize>, Refusal> {
	let mut axes = list.iter().map(|at| axis(*at, rank)).collect::<Result<Vec<_>, _>>()?;
	axes.sort_unstable();
	match axes.windows(2).any(|pair| pair.first() == pair.last()) {
		true => Err(format!("axes {list:?} name one twice")),
		false => Ok(axes),
	}
}
