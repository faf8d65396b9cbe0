//! The files of a result.

use assay_cli::{job_file::Outcome, safetensors, states, Error};
use assay_engine::{Engine, State, Tensor};
use assay_import::write_whole;
use serde::Serialize;
use std::path::Path;

/// The file that says what the others are of.
const MANIFEST: &str = "manifest.json";

/// A file that was written.
#[derive(Serialize)]
pub(crate) struct Written {
	pub(crate) path: String,
	pub(crate) bytes: usize,
	pub(crate) blake3: String,
	pub(crate) tensors: Vec<Named>,
}

/// A tensor in it.
#[derive(Serialize)]
pub(crate) struct Named {
	pub(crate) name: String,
	pub(crate) rows: u32,
	pub(crate) cols: u32,
}

/// Writes the tensors of a state into `folder`, which is made if it is missing: `model.safetensors` and
/// `optimiser.safetensors`, or `state.safetensors` where nothing was trained; and the result in the form that other programs
/// read, if `outcome` is given, whose path is returned too.
pub(crate) fn write(
	folder: &Path,
	engine: &Engine,
	state: &State,
	outcome: Option<&Outcome>,
	metadata: &[(&str, String)],
) -> Result<(Vec<Written>, Option<String>), Error> {
	std::fs::create_dir_all(folder).map_err(io(folder))?;
	// It tells what the files are of; until they are written it is of no run.
	let old = folder.join(MANIFEST);
	if old.exists() {
		std::fs::remove_file(&old).map_err(io(&old))?;
	}
	let result = match outcome {
		Some(outcome) => outcome.write(engine, state, folder).map_err(Error::Evaluate)?,
		None => None,
	};
	let (parameters, others) = states::tensors(engine, state);
	let other = if parameters.is_empty() { "state.safetensors" } else { "optimiser.safetensors" };
	let mut files = Vec::new();
	for (name, tensors) in [("model.safetensors", parameters), (other, others)] {
		if !tensors.is_empty() {
			files.push(tensors_of(&folder.join(name), &tensors, metadata)?);
		}
	}
	Ok((files, result.map(|path| path.display().to_string())))
}

/// Says in `folder` what the files there are of. Last of all.
pub(crate) fn manifest(folder: &Path, content: &impl Serialize) -> Result<(), Error> {
	let path = folder.join(MANIFEST);
	let text = serde_json::to_string_pretty(content).unwrap_or_default();
	write_whole(&path, text.as_bytes()).map_err(io(&path))
}

fn tensors_of(path: &Path, tensors: &[(String, Tensor)], metadata: &[(&str, String)]) -> Result<Written, Error> {
	let bytes = safetensors::encode(tensors, metadata);
	write_whole(path, &bytes).map_err(io(path))?;
	let named = |(name, tensor): &(String, Tensor)| {
		let spec = tensor.spec();
		Named { name: name.clone(), rows: spec.rows, cols: spec.cols }
	};
	Ok(Written {
		path: path.display().to_string(),
		bytes: bytes.len(),
		blake3: hex::encode(assay_engine::blob_hash(&bytes)),
		tensors: tensors.iter().map(named).collect(),
	})
}

/// A loss as it follows an accuracy.
pub(crate) fn loss(loss: Option<f32>) -> String {
	loss.map_or_else(String::new, |loss| format!(", loss {loss:.4}"))
}

/// An error of writing to `path`.
pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
	let path = path.display().to_string();
	move |source| Error::Io { what: "write", path, source }
}
