//! The weights of a model, in one safetensors file or in several under an index.

use std::{
	collections::{BTreeMap, BTreeSet},
	path::{Path, PathBuf},
};

use assay_engine::Tensor;

use crate::{error::TensorProblem, safetensors::Entry, ImportError, Safetensors};

/// Longest index that is read.
const MAX_INDEX: u64 = 8 << 20;

/// Most files under an index.
const MAX_FILES: usize = 1024;

/// The tensors of a model by name. They are on disk until they are read.
#[derive(Debug)]
pub struct Checkpoint {
	/// The file, or the index.
	path: PathBuf,
	files: Vec<Safetensors>,
	/// File of each tensor.
	places: BTreeMap<String, usize>,
}

impl Checkpoint {
	/// The tensors of one file.
	pub fn file(path: &Path) -> Result<Self, ImportError> {
		let file = Safetensors::open(path)?;
		let places = file.entries().keys().map(|name| (name.clone(), 0)).collect();
		Ok(Self { path: path.into(), files: vec![file], places })
	}

	/// `model.safetensors` of a directory, or the files that `model.safetensors.index.json` names.
	pub fn directory(directory: &Path) -> Result<Self, ImportError> {
		let (whole, index) = (directory.join("model.safetensors"), directory.join("model.safetensors.index.json"));
		if whole.exists() {
			Self::file(&whole)
		} else if index.exists() {
			Self::index(&index, directory)
		} else {
			let hint =
				"save the weights as safetensors; pickled files run code when they are read and are never opened";
			Err(ImportError::Missing { path: whole, hint })
		}
	}

	fn index(path: &Path, directory: &Path) -> Result<Self, ImportError> {
		let malformed = |problem: String| ImportError::malformed(path, problem);
		let mut object = crate::json::read_object(path, MAX_INDEX, "safetensors index")?;
		let Some(serde_json::Value::Object(map)) = object.remove("weight_map") else {
			return Err(malformed("no `weight_map`".into()));
		};
		let mut named = BTreeMap::new();
		for (tensor, file) in &map {
			let file = file.as_str().filter(|file| is_plain(file));
			let file =
				file.ok_or_else(|| malformed("a file of `weight_map` is not a plain `.safetensors` name".into()))?;
			named.insert(tensor.as_str(), file);
		}
		let distinct: BTreeSet<&str> = named.values().copied().collect();
		if distinct.len() > MAX_FILES {
			return Err(malformed(format!("more than {MAX_FILES} files")));
		}
		let mut checkpoint = Self { path: path.into(), files: Vec::new(), places: BTreeMap::new() };
		for (position, name) in distinct.into_iter().enumerate() {
			let file = Safetensors::open(&directory.join(name))?;
			for tensor in file.entries().keys() {
				if named.get(tensor.as_str()) != Some(&name) {
					return Err(malformed(format!("`{}` is in {name}, which the index does not say", short(tensor))));
				}
				checkpoint.places.insert(tensor.clone(), position);
			}
			checkpoint.files.push(file);
		}
		match named.keys().find(|tensor| !checkpoint.places.contains_key(**tensor)) {
			Some(tensor) => Err(malformed(format!("`{}` is not in the file that the index names", short(tensor)))),
			None => Ok(checkpoint),
		}
	}

	/// The file, or the index of several.
	pub fn path(&self) -> &Path {
		&self.path
	}

	/// Names of all tensors, ascending.
	pub fn names(&self) -> impl Iterator<Item = &str> {
		self.places.keys().map(String::as_str)
	}

	/// Type and shape of a tensor.
	pub fn entry(&self, name: &str) -> Option<&Entry> {
		self.of(name)?.entries().get(name)
	}

	/// A tensor, as [`Safetensors::read`] gives it.
	pub fn read(&self, name: &str) -> Result<Tensor, ImportError> {
		let file = self.of(name).ok_or_else(|| ImportError::tensor(&self.path, name, TensorProblem::Missing))?;
		file.read(name)
	}

	/// Elements of all tensors.
	pub fn elements(&self) -> u64 {
		let entries = self.files.iter().flat_map(|file| file.entries().values());
		entries.fold(0, |sum: u64, entry| sum.saturating_add(entry.elements()))
	}

	fn of(&self, name: &str) -> Option<&Safetensors> {
		self.files.get(*self.places.get(name)?)
	}
}

/// A name that stays in its directory.
fn is_plain(file: &str) -> bool {
	let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
	file.ends_with(".safetensors") && file.len() <= 128 && file.chars().all(plain) && !file.starts_with('.')
}

fn short(text: &str) -> String {
	crate::error::shortened(text)
}
