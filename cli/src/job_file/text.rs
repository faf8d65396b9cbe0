//! Texts and their tokens.

use super::{draft::DraftError, error::Spot, JobFile, Tokens};
use assay_import::Tokenizer;
use std::{io::Read, path::Path, sync::Arc};

/// Longest text that is read, bytes.
const MAX_TEXT: u64 = 256 << 20;
/// Longest line of a file of texts, bytes.
const MAX_LINE: usize = 1 << 20;

/// Turns text into tokens and back.
#[derive(Clone, Debug)]
pub enum Coder {
	/// A token per byte.
	Bytes,
	/// By a tokenizer.
	Tokenizer(Arc<Tokenizer>),
}

impl Coder {
	pub(super) fn open(
		file: &JobFile,
		folder: &Path,
		tokens: &Tokens,
		model: Option<&Path>,
	) -> Result<Self, DraftError> {
		let path = match (tokens, model) {
			(Tokens::Bytes, _) | (Tokens::Model, None) => return Ok(Self::Bytes),
			(Tokens::File(path), _) => folder.join(path),
			(Tokens::Model, Some(directory)) => directory.join("tokenizer.json"),
		};
		let tokenizer = Tokenizer::open(&path).map_err(|error| match tokens {
			Tokens::File(path) => file.flaw(
				file.spots.data_file,
				format!("`tokenizer: {}`: {error}", path.display()),
				"write `bytes` for a token per byte, or the path of a tokenizer.json",
			),
			_ => file.flaw(
				file.spots.model,
				format!("the model's tokenizer: {error}"),
				"save the tokenizer as tokenizer.json into the model's directory",
			),
		})?;
		Ok(Self::Tokenizer(Arc::new(tokenizer)))
	}

	/// Tokens there are.
	pub(super) fn vocabulary(&self) -> u32 {
		match self {
			Self::Bytes => 256,
			Self::Tokenizer(tokenizer) => u32::try_from(tokenizer.vocabulary()).unwrap_or(u32::MAX),
		}
	}

	pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
		match self {
			Self::Bytes => Ok(text.bytes().map(u32::from).collect()),
			Self::Tokenizer(tokenizer) => tokenizer.encode(text).map_err(|error| error.to_string()),
		}
	}

	/// The token that a text is, if it is one.
	pub(super) fn token(&self, text: &str) -> Option<u32> {
		match self {
			Self::Bytes => match text.as_bytes() {
				[byte] => Some(u32::from(*byte)),
				_ => None,
			},
			Self::Tokenizer(tokenizer) => tokenizer.token(text),
		}
	}

	/// The text of tokens; what is no text is replaced.
	pub fn decode(&self, tokens: &[u32]) -> String {
		match self {
			Self::Bytes => {
				let bytes: Vec<u8> = tokens.iter().map(|token| u8::try_from(*token).unwrap_or(b'?')).collect();
				String::from_utf8_lossy(&bytes).into_owned()
			}
			Self::Tokenizer(tokenizer) => tokenizer.decode(tokens).unwrap_or_default(),
		}
	}
}

/// The text of a file.
pub(super) fn read(file: &JobFile, path: &Path) -> Result<String, DraftError> {
	let at: Spot = file.spots.data_file;
	let shown = path.display();
	let open = || -> std::io::Result<Vec<u8>> {
		let mut bytes = Vec::new();
		std::fs::File::open(path)?.take(MAX_TEXT + 1).read_to_end(&mut bytes)?;
		Ok(bytes)
	};
	let bytes = open().map_err(|error| {
		file.flaw(at, format!("cannot read {shown}: {error}"), "the path is relative to the job file; correct it")
	})?;
	if bytes.len() as u64 > MAX_TEXT {
		return Err(file
			.flaw(at, format!("{shown} is longer than {} MiB", MAX_TEXT >> 20), "use a shorter text")
			.into());
	}
	// A mark that some editors put first is not text.
	let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec).unwrap_or(bytes);
	String::from_utf8(bytes).map_err(|_| file.flaw(at, format!("{shown} is not UTF-8"), "convert it to UTF-8").into())
}

/// The lines of a file that hold text.
pub(super) fn lines(file: &JobFile, path: &Path) -> Result<Vec<String>, DraftError> {
	let text = read(file, path)?;
	let lines: Vec<String> = text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
	let flaw = |problem: String, next: &str| Err(file.flaw(file.spots.data_file, problem, next).into());
	if lines.is_empty() {
		return flaw(format!("{} has no line with text", path.display()), "write a text in each line");
	}
	match lines.iter().position(|line| line.len() > MAX_LINE) {
		Some(line) => flaw(format!("text {line} has more than {MAX_LINE} bytes"), "use shorter lines"),
		None => Ok(lines),
	}
}
