//! Data tensors as an engine keeps them.
//!
//! One that only products read, each in a packed form, is kept in that form alone: it has every element, so whoever asks for the
//! tensor gets it from there.

use std::{borrow::Cow, sync::Arc};

use assay_cpu::{Cpu, Packed};
use assay_program::TensorSpec;

use crate::{
	packs::{Packs, Wanted},
	plan::Place,
	schedule::Schedule,
	Tensor,
};

/// A data tensor.
#[derive(Debug)]
pub(crate) enum Data {
	/// As it was given.
	Whole(Tensor),
	/// As products read it.
	Packed(TensorSpec, Arc<Packed>),
}

impl Data {
	/// Packs the tensors of which the schedule wants nothing else, and gives the packed ones also by their place among those that
	/// it wants. One for whose packed form there is no memory stays as it is.
	pub(crate) fn keep(tensors: Vec<Tensor>, schedule: Option<&Schedule>, cpu: &Cpu) -> (Vec<Self>, Packs) {
		let mut data: Vec<Self> = tensors.into_iter().map(Self::Whole).collect();
		let Some(schedule) = schedule else { return (data, Packs::default()) };
		let mut packs = Packs::default();
		for forms in schedule.wants.weights.chunk_by(|a, b| a.id == b.id) {
			let replaces = forms.first().filter(|want| want.replaces).map(|want| schedule.places[want.id.0 as usize]);
			let packed = match replaces {
				Some(Place::Data(position)) => data[position].pack(forms, cpu).unwrap_or_default(),
				_ => Vec::new(),
			};
			packs.add(forms.len(), packed);
		}
		(data, packs)
	}

	/// Replaces the tensor by its packed forms; `None` if it stays.
	fn pack(&mut self, forms: &[Wanted], cpu: &Cpu) -> Option<Vec<Arc<Packed>>> {
		let Self::Whole(tensor) = self else { return None };
		let pack = |form: &Wanted| cpu.pack(&tensor.matrix(), form.transposed).ok().map(Arc::new);
		let packed = forms.iter().map(pack).collect::<Option<Vec<_>>>()?;
		*self = Self::Packed(tensor.spec(), packed.first()?.clone());
		Some(packed)
	}

	/// The tensor.
	pub(crate) fn tensor(&self) -> Cow<'_, Tensor> {
		match self {
			Self::Whole(tensor) => Cow::Borrowed(tensor),
			Self::Packed(spec, packed) => Cow::Owned(Tensor::from_words(*spec, packed.unpack())),
		}
	}

	/// The tensor, by value.
	pub(crate) fn into_tensor(self) -> Tensor {
		match self {
			Self::Whole(tensor) => tensor,
			packed => packed.tensor().into_owned(),
		}
	}

	/// Its memory, of a tensor that is whole.
	pub(crate) fn words(&self) -> &[u32] {
		match self {
			Self::Whole(tensor) => tensor.words(),
			Self::Packed(..) => &[],
		}
	}
}
