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

/// A model: its family and sizes, and its weights, still on disk.
#[derive(Debug)]
pub struct ModelDirectory {
	path: PathBuf,
	family: Family,
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
		let family = family(Fields::new(&config, object))?;
		Ok(Self { path: path.into(), family, checkpoint: Checkpoint::directory(path)? })
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
