//! Reads tensors out of a file.

use std::{
	collections::BTreeMap,
	fs::File,
	io::{Read, Seek, SeekFrom},
	path::{Path, PathBuf},
};

use assay_engine::Tensor;

use super::{
	header::{self, Entry},
	widen::Widening,
};
use crate::{error::TensorProblem, ImportError};

/// Bytes read at a time; a multiple of every element's size.
const CHUNK: usize = 1 << 18;

/// An open safetensors file, its header checked and its tensors still on disk.
#[derive(Debug)]
pub struct Safetensors {
	path: PathBuf,
	entries: BTreeMap<String, Entry>,
	/// First byte after the header.
	data: u64,
}

impl Safetensors {
	/// Reads the header of a file. [`ImportError::Malformed`] if tensors overlap, leave holes or do not end where the
	/// file does, if a name occurs twice or if the header is longer than 8 MiB.
	pub fn open(path: &Path) -> Result<Self, ImportError> {
		let malformed = |problem: String| ImportError::malformed(path, problem);
		let mut file = File::open(path).map_err(ImportError::io(path))?;
		let bytes = file.metadata().map_err(ImportError::io(path))?.len();
		let mut prefix = [0u8; 8];
		if bytes < 8 {
			return Err(malformed("shorter than the 8 bytes of a header's length".into()));
		}
		file.read_exact(&mut prefix).map_err(ImportError::io(path))?;
		let length = u64::from_le_bytes(prefix);
		if length > header::MAX_HEADER || length > bytes.saturating_sub(8) {
			return Err(malformed(format!("a header of {length} bytes in a file of {bytes}; at most 8 MiB are read")));
		}
		let mut header = vec![0; length as usize];
		file.read_exact(&mut header).map_err(ImportError::io(path))?;
		let (entries, end) = header::parse(&header).map_err(malformed)?;
		let data = length.saturating_add(8);
		if data.checked_add(end as u64) != Some(bytes) {
			return Err(malformed(format!("the tensors end at byte {end} after the header, the file does not")));
		}
		Ok(Self { path: path.into(), entries, data })
	}

	/// The file.
	pub fn path(&self) -> &Path {
		&self.path
	}

	/// All tensors by name.
	pub fn entries(&self) -> &BTreeMap<String, Entry> {
		&self.entries
	}

	/// A tensor as a matrix: one dimension is a row, none is 1 x 1. F16 and BF16 are widened, I64 is narrowed, both without
	/// a change of value.
	pub fn read(&self, name: &str) -> Result<Tensor, ImportError> {
		let problem = |problem| ImportError::tensor(&self.path, name, problem);
		let entry = self.entries.get(name).ok_or_else(|| problem(TensorProblem::Missing))?;
		let (rows, cols) = matrix(&entry.shape).ok_or_else(|| problem(TensorProblem::Rank(entry.shape.clone())))?;
		let widening = Widening::of(entry.dtype).map_err(problem)?;
		let bits = self.bits(entry, widening, name)?;
		Tensor::new(widening.dtype(), rows, cols, bits).map_err(|_| problem(TensorProblem::Rank(entry.shape.clone())))
	}

	fn bits(&self, entry: &Entry, widening: Widening, name: &str) -> Result<Vec<u32>, ImportError> {
		let problem = |problem| ImportError::tensor(&self.path, name, problem);
		let io = || ImportError::io(&self.path);
		let mut bits = Vec::new();
		// At most twice the bytes that the file has.
		let elements = usize::try_from(entry.elements()).unwrap_or(usize::MAX);
		let memory = TensorProblem::Memory(entry.elements().saturating_mul(4));
		bits.try_reserve_exact(elements).map_err(|_| problem(memory))?;
		let mut file = File::open(&self.path).map_err(io())?;
		let (start, end) = entry.place;
		file.seek(SeekFrom::Start(self.data.saturating_add(start as u64))).map_err(io())?;
		let mut left = end.saturating_sub(start);
		let mut chunk = vec![0; left.min(CHUNK)];
		while left > 0 {
			let length = left.min(CHUNK);
			let part = chunk.get_mut(..length).unwrap_or_default();
			file.read_exact(part).map_err(io())?;
			widening.extend(&mut bits, part).map_err(problem)?;
			left = left.saturating_sub(length);
		}
		Ok(bits)
	}
}

/// Rows and columns of a tensor of up to two dimensions.
pub(crate) fn matrix(shape: &[usize]) -> Option<(u32, u32)> {
	let size = |extent: usize| u32::try_from(extent).ok().filter(|extent| *extent > 0);
	match *shape {
		[] => Some((1, 1)),
		[cols] => Some((1, size(cols)?)),
		[rows, cols] => Some((size(rows)?, size(cols)?)),
		_ => None,
	}
}
