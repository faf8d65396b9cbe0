//! The weights of a model: in one safetensors file, in several under an index, or in memory.

use std::{
	collections::{BTreeMap, BTreeSet},
	path::{Path, PathBuf},
};

use assay_engine::Tensor;
use assay_program::{shape::is_finite, DType};

use crate::{
	error::TensorProblem,
	safetensors::{matrix, Dtype, Entry},
	ImportError, Safetensors,
};

/// Longest index that is read.
const MAX_INDEX: u64 = 8 << 20;

/// Most files under an index.
const MAX_FILES: usize = 1024;

/// The tensors of a model by name. Those of files are on disk until they are read.
#[derive(Debug)]
pub struct Checkpoint {
	/// The file, or the index; what stands for it in messages where there is none.
	path: PathBuf,
	files: Vec<Safetensors>,
	/// File of each tensor that is in one.
	places: BTreeMap<String, usize>,
	/// Tensors in memory.
	held: BTreeMap<String, (Entry, Tensor)>,
}

impl Checkpoint {
	/// The tensors of one file.
	pub fn file(path: &Path) -> Result<Self, ImportError> {
		let file = Safetensors::open(path)?;
		let places = file.entries().keys().map(|name| (name.clone(), 0)).collect();
		Ok(Self { path: path.into(), files: vec![file], places, held: BTreeMap::new() })
	}

	/// Tensors in memory: of a trained state, or of a program's data. A tensor of one row serves as a vector too.
	///
	/// # Errors
	/// [`ImportError::Tensor`] if an element is NaN or infinite, [`ImportError::Request`] if two have one name.
	pub fn from_tensors(tensors: Vec<(String, Tensor)>) -> Result<Self, ImportError> {
		let path = PathBuf::from("tensors in memory");
		let mut held = BTreeMap::new();
		for (name, tensor) in tensors {
			let spec = tensor.spec();
			let dtype = match spec.dtype {
				DType::F32 => Dtype::F32,
				DType::I32 => Dtype::I32,
				DType::I8 => Dtype::I8,
			};
			if spec.dtype == DType::F32 {
				if let Some(element) = tensor.bits().iter().position(|bits| !is_finite(*bits)) {
					let problem = TensorProblem::NotFinite { element: element as u64 };
					return Err(ImportError::tensor(&path, &name, problem));
				}
			}
			let entry = Entry { dtype, shape: vec![spec.rows as usize, spec.cols as usize], place: (0, 0) };
			if held.contains_key(&name) {
				return Err(ImportError::Request(format!("two tensors are named `{}`; rename one", short(&name))));
			}
			held.insert(name, (entry, tensor));
		}
		Ok(Self { path, files: Vec::new(), places: BTreeMap::new(), held })
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
		let (files, places, held) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
		let mut checkpoint = Self { path: path.into(), files, places, held };
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
		// One of the two is empty.
		self.places.keys().chain(self.held.keys()).map(String::as_str)
	}

	/// Type and shape of a tensor.
	pub fn entry(&self, name: &str) -> Option<&Entry> {
		match self.held.get(name) {
			Some((entry, _)) => Some(entry),
			None => self.of(name)?.entries().get(name),
		}
	}

	/// Whether a tensor has this shape.
	pub(crate) fn has_shape(&self, name: &str, shape: &[usize]) -> bool {
		match self.held.get(name) {
			Some((entry, _)) => matrix(&entry.shape) == matrix(shape),
			None => self.entry(name).is_some_and(|entry| entry.shape == shape),
		}
	}

	/// A tensor, as [`Safetensors::read`] gives it.
	pub fn read(&self, name: &str) -> Result<Tensor, ImportError> {
		if let Some((_, tensor)) = self.held.get(name) {
			return Ok(tensor.clone());
		}
		let file = self.of(name).ok_or_else(|| ImportError::tensor(&self.path, name, TensorProblem::Missing))?;
		file.read(name)
	}

	/// Elements of all tensors.
	pub fn elements(&self) -> u64 {
		let entries = self.files.iter().flat_map(|file| file.entries().values());
		let entries = entries.chain(self.held.values().map(|(entry, _)| entry));
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
