//! A model's directory.

use std::path::{Path, PathBuf};

use crate::{
	error::FieldProblem,
	hf::{Checkpoint, Fields, Tokenizer},
	network::{Bert, Family, Gpt2, Llama},
	ImportError,
};

/// Longest configuration that is read.
const MAX_CONFIG: u64 = 1 << 20;
/// Field of the tokens that end a text: an id, or a list of them.
const END: &str = "eos_token_id";

/// A model: its family and sizes, and its weights, still on disk.
#[derive(Debug)]
pub struct ModelDirectory {
	path: PathBuf,
	family: Family,
	ends: Vec<u32>,
	checkpoint: Checkpoint,
}

impl ModelDirectory {
	/// Reads `config.json` and the headers of the safetensors files. A field that is missing, unknown or of another kind is
	/// [`ImportError::Field`].
	pub fn open(path: &Path) -> Result<Self, ImportError> {
		let config = path.join("config.json");
		if !config.exists() {
			return Err(ImportError::Missing { path: config, hint: "point at a directory that holds a saved model" });
		}
		let object = crate::json::read_object(&config, MAX_CONFIG, "model configuration")?;
		let settings = path.join("generation_config.json");
		let settings = match settings.exists() {
			true => crate::json::read_object(&settings, MAX_CONFIG, "generation configuration")?,
			false => serde_json::Map::new(),
		};
		let ends = settings.get(END).filter(|ids| !ids.is_null()).or(object.get(END)).map(ids).unwrap_or_default();
		let family = family(Fields::new(&config, object))?;
		let ends = ends.into_iter().filter(|end| *end < family.vocabulary()).collect();
		Ok(Self { path: path.into(), family, ends, checkpoint: Checkpoint::directory(path)? })
	}

	/// The tokens that end a text, by `eos_token_id` of `generation_config.json`, or of `config.json`.
	pub fn ends(&self) -> &[u32] {
		&self.ends
	}

	/// The directory.
	pub fn path(&self) -> &Path {
		&self.path
	}

	/// Family and sizes.
	pub fn family(&self) -> &Family {
		&self.family
	}

	/// The weights.
	pub fn checkpoint(&self) -> &Checkpoint {
		&self.checkpoint
	}

	/// `tokenizer.json`, if the directory has one.
	pub fn tokenizer(&self) -> Result<Option<Tokenizer>, ImportError> {
		let path = self.path.join("tokenizer.json");
		path.exists().then(|| Tokenizer::open(&path)).transpose()
	}
}

/// An id, or a list of them.
fn ids(value: &serde_json::Value) -> Vec<u32> {
	let id = |value: &serde_json::Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
	match value.as_array() {
		Some(list) => list.iter().filter_map(id).collect(),
		None => id(value).into_iter().collect(),
	}
}

fn family(mut fields: Fields) -> Result<Family, ImportError> {
	let supported = "gpt2, llama, bert";
	let kind = fields.text("model_type")?;
	Ok(match kind.as_str() {
		"gpt2" => Family::Gpt2(Gpt2::from_fields(fields)?),
		"llama" => Family::Llama(Llama::from_fields(fields)?),
		"bert" => Family::Bert(Bert::from_fields(fields)?),
		other => {
			let found = crate::error::shortened(other);
			return Err(fields.error("model_type", FieldProblem::Unsupported { found, supported }));
		}
	})
}
