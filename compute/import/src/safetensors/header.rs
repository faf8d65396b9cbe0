//! The header: names, types, shapes and places of the tensors.

use std::collections::BTreeMap;

use safetensors::{
	tensor::{Metadata, TensorInfo},
	Dtype,
};
use serde_json::{Map, Value};

/// Longest header that is read: about 80,000 tensors.
pub(crate) const MAX_HEADER: u64 = 8 << 20;

/// Most dimensions of a tensor.
const MAX_RANK: usize = 8;

/// Type, shape and place of a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
	/// Element type.
	pub dtype: Dtype,
	/// Extents, outermost first.
	pub shape: Vec<usize>,
	/// First byte after the header, and the byte after the last.
	pub(crate) place: (usize, usize),
}

impl Entry {
	/// Elements. No overflow: the header's rules bound the bytes.
	pub fn elements(&self) -> u64 {
		self.shape.iter().fold(1u64, |product, extent| product.saturating_mul(*extent as u64))
	}
}

/// A header that passed: the tensors lie one after the other, without holes, from 0 to the end that is returned.
pub(crate) fn parse(bytes: &[u8]) -> Result<(BTreeMap<String, Entry>, usize), String> {
	let object = crate::json::object(bytes)?;
	let mut entries = BTreeMap::new();
	for (name, value) in object {
		match value {
			Value::Object(fields) if name == "__metadata__" => text_only(&fields)?,
			Value::Object(fields) => {
				let entry = entry(fields).map_err(|problem| format!("tensor `{}`: {problem}", short(&name)))?;
				entries.insert(name, entry);
			}
			_ => return Err(format!("`{}` is not a tensor's description", short(&name))),
		}
	}
	let end = check_places(&entries)?;
	Ok((entries, end))
}

/// The crate's rules: no holes, no overlaps, sizes that fit type and shape, no overflow.
fn check_places(entries: &BTreeMap<String, Entry>) -> Result<usize, String> {
	let mut infos: Vec<(String, TensorInfo)> = entries
		.iter()
		.map(|(name, entry)| {
			let Entry { dtype, ref shape, place } = *entry;
			(name.clone(), TensorInfo { dtype, shape: shape.clone(), data_offsets: place })
		})
		.collect();
	infos.sort_by_key(|(_, info)| info.data_offsets);
	let metadata = Metadata::new(None, infos).map_err(|error| error.to_string())?;
	Ok(metadata.data_len())
}

fn text_only(fields: &Map<String, Value>) -> Result<(), String> {
	match fields.iter().find(|(_, value)| !value.is_string()) {
		Some((name, _)) => Err(format!("`__metadata__` entry `{}` is not text", short(name))),
		None => Ok(()),
	}
}

fn entry(mut fields: Map<String, Value>) -> Result<Entry, String> {
	let mut take = |name: &str| fields.remove(name).ok_or_else(|| format!("`{name}` is missing"));
	let (dtype, shape, offsets) = (take("dtype")?, take("shape")?, take("data_offsets")?);
	if let Some(name) = fields.keys().next() {
		return Err(format!("unknown entry `{}`", short(name)));
	}
	let text = short(&dtype.to_string());
	let dtype: Dtype = serde_json::from_value(dtype).map_err(|_| format!("unknown type {text}"))?;
	let shape = numbers(&shape).filter(|shape| shape.len() <= MAX_RANK);
	let shape = shape.ok_or_else(|| format!("`shape` is not a list of at most {MAX_RANK} sizes"))?;
	let place = match numbers(&offsets).as_deref() {
		Some([start, end]) => (*start, *end),
		_ => return Err("`data_offsets` is not a pair of sizes".into()),
	};
	Ok(Entry { dtype, shape, place })
}

fn numbers(value: &Value) -> Option<Vec<usize>> {
	value.as_array()?.iter().map(|number| number.as_u64().and_then(|number| usize::try_from(number).ok())).collect()
}

fn short(text: &str) -> String {
	crate::error::shortened(text)
}
