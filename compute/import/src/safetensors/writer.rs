//! Writes tensors to a file.

use std::{borrow::Cow, collections::HashMap, fs, path::Path};

use assay_engine::Tensor;
use assay_program::DType;
use safetensors::{serialize_to_file, Dtype, SafeTensorError, View};

use crate::ImportError;

/// A tensor and what the file calls it.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
	/// Name in the file.
	pub name: &'a str,
	/// The elements.
	pub tensor: &'a Tensor,
	/// A single row is written as one dimension, as other tools keep biases and gains.
	pub flat: bool,
}

/// Writes tensors, and `format: pt` as metadata, without which some readers refuse a file. The file appears whole or not at
/// all, and at most one tensor is copied at a time.
/// [`ImportError::Request`] if two tensors have one name.
pub fn write_safetensors(path: &Path, tensors: &[Named<'_>]) -> Result<(), ImportError> {
	let mut names: Vec<&str> = tensors.iter().map(|tensor| tensor.name).collect();
	names.sort_unstable();
	if let Some(pair) = names.windows(2).find(|pair| pair.first() == pair.last()) {
		return Err(ImportError::Request(format!(
			"two tensors are named `{}`; rename one",
			pair.first().copied().unwrap_or_default()
		)));
	}
	if names.contains(&"__metadata__") {
		return Err(ImportError::Request("`__metadata__` is no tensor's name in safetensors; rename it".into()));
	}
	let views = tensors.iter().map(|tensor| (tensor.name, Source::new(tensor)));
	let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
	let partial = partial(path);
	// What a file that is made here may be read by; the library makes it for its owner alone.
	let permissions =
		fs::File::create(&partial).and_then(|file| file.metadata()).map_err(ImportError::io(&partial))?.permissions();
	let written = serialize_to_file(views, Some(metadata), &partial).map_err(|error| match error {
		SafeTensorError::IoError(source) => ImportError::Io { path: path.into(), source },
		other => ImportError::malformed(path, other),
	});
	let whole = written.and_then(|()| {
		fs::set_permissions(&partial, permissions).map_err(ImportError::io(&partial))?;
		fs::rename(&partial, path).map_err(ImportError::io(path))
	});
	if whole.is_err() {
		// It is of no use; what is wrong is said already.
		let _ = fs::remove_file(&partial);
	}
	whole
}

/// Writes a file that appears whole or not at all.
///
/// # Errors
/// What the system said.
pub fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
	let partial = partial(path);
	let whole = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path));
	if whole.is_err() {
		let _ = fs::remove_file(&partial);
	}
	whole
}

/// Where a file is written before it is whole.
fn partial(path: &Path) -> std::path::PathBuf {
	let mut name = std::ffi::OsString::from(".");
	name.push(path.file_name().unwrap_or_default());
	name.push(".partial");
	path.with_file_name(name)
}

struct Source<'a> {
	tensor: &'a Tensor,
	shape: Vec<usize>,
}

impl<'a> Source<'a> {
	fn new(named: &Named<'a>) -> Self {
		let spec = named.tensor.spec();
		let (rows, cols) = (spec.rows as usize, spec.cols as usize);
		Self { tensor: named.tensor, shape: if named.flat && rows == 1 { vec![cols] } else { vec![rows, cols] } }
	}
}

impl View for Source<'_> {
	fn dtype(&self) -> Dtype {
		match self.tensor.spec().dtype {
			DType::F32 => Dtype::F32,
			DType::I32 => Dtype::I32,
			DType::I8 => Dtype::I8,
		}
	}

	fn shape(&self) -> &[usize] {
		&self.shape
	}

	fn data(&self) -> Cow<'_, [u8]> {
		Cow::Owned(self.tensor.to_bytes())
	}

	fn data_len(&self) -> usize {
		self.tensor.spec().bytes() as usize
	}
}
