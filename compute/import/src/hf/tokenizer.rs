//! Text to token ids and back, by `tokenizer.json`.

use std::{
	panic::{catch_unwind, AssertUnwindSafe},
	path::{Path, PathBuf},
};

use assay_engine::Tensor;
use assay_program::DType;

use crate::ImportError;

/// Longest tokenizer file that is read; a vocabulary of 256,000 tokens takes about 35 MB.
const MAX_TOKENIZER: u64 = 64 << 20;

/// A tokenizer. It runs before a program does; a program sees ids only.
pub struct Tokenizer {
	path: PathBuf,
	inner: tokenizers::Tokenizer,
}

impl std::fmt::Debug for Tokenizer {
	fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		formatter.debug_struct("Tokenizer").field("path", &self.path).finish_non_exhaustive()
	}
}

/// Texts as the rows of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
	/// I32 `[texts, length]`, filled up at the end.
	pub ids: Tensor,
	/// F32 `[texts, length]`, 1 at a token and 0 where the row is filled up.
	pub mask: Tensor,
}

impl Tokenizer {
	/// Reads a tokenizer. What the file says on padding and truncation is left to [`Tokenizer::window`].
	pub fn open(path: &Path) -> Result<Self, ImportError> {
		let bytes = crate::json::read_file(path, MAX_TOKENIZER, "tokenizer")?;
		let mut inner = fenced(path, || tokenizers::Tokenizer::from_bytes(bytes))?;
		// The file may ask for rows of any length; a window has the length that the caller says.
		inner.with_padding(None);
		fenced(path, || inner.with_truncation(None).map(|_| ()))?;
		Ok(Self { path: path.into(), inner })
	}

	/// The file.
	pub fn path(&self) -> &Path {
		&self.path
	}

	/// Token ids of a text, with the special tokens that the file asks for.
	pub fn encode(&self, text: &str) -> Result<Vec<u32>, ImportError> {
		let encoding = fenced(&self.path, || self.inner.encode(text, true))?;
		Ok(encoding.get_ids().to_vec())
	}

	/// The text of token ids, without special tokens.
	pub fn decode(&self, ids: &[u32]) -> Result<String, ImportError> {
		fenced(&self.path, || self.inner.decode(ids, true))
	}

	/// The one token that a text is, such as `<|endoftext|>`.
	pub fn token(&self, text: &str) -> Option<u32> {
		self.inner.token_to_id(text).or_else(|| {
			let encoding = fenced(&self.path, || self.inner.encode(text, false)).ok()?;
			match encoding.get_ids() {
				[id] => Some(*id),
				_ => None,
			}
		})
	}

	/// Tokens there are, added ones included.
	pub fn vocabulary(&self) -> usize {
		self.inner.get_vocab_size(true)
	}

	/// Texts as rows of `length` tokens: the rest of a longer text is cut off, a shorter one is filled up with `padding`.
	pub fn window(&self, texts: &[&str], length: u32, padding: u32) -> Result<Window, ImportError> {
		let (mut ids, mut mask) = (Vec::new(), Vec::new());
		for text in texts {
			let tokens = self.encode(text)?;
			for position in 0..length as usize {
				let token = tokens.get(position);
				ids.push(token.copied().unwrap_or(padding));
				mask.push(if token.is_some() { 1f32.to_bits() } else { 0 });
			}
		}
		let rows = texts.len() as u32;
		let tensor = |dtype, bits| {
			let empty = |_| ImportError::Request("a window needs at least one text and a length above zero".into());
			Tensor::new(dtype, rows, length, bits).map_err(empty)
		};
		Ok(Window { ids: tensor(DType::I32, ids)?, mask: tensor(DType::F32, mask)? })
	}
}

/// Runs code of the tokenizer library on a stranger's file: a panic there is an error of the file.
fn fenced<T>(path: &Path, work: impl FnOnce() -> tokenizers::Result<T>) -> Result<T, ImportError> {
	let refuse = |problem: String| ImportError::Tokenizer { path: path.into(), problem };
	match catch_unwind(AssertUnwindSafe(work)) {
		Ok(Ok(value)) => Ok(value),
		Ok(Err(error)) => Err(refuse(crate::error::shortened(&error.to_string()))),
		Err(_) => Err(refuse("the tokenizer library panicked on it; the file is not a sound tokenizer".into())),
	}
}
