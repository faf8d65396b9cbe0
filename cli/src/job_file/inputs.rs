//! What a job file reads.

use super::{JobFile, RowModel, Tokens, Work};
use std::path::{Path, PathBuf};

impl JobFile {
	/// The files and directories that are read; paths of the job file are relative to `folder`.
	pub fn inputs(&self, folder: &Path) -> Vec<PathBuf> {
		let tokenizer = |tokens: &Tokens| match tokens {
			Tokens::File(path) => Some(path.clone()),
			Tokens::Bytes | Tokens::Model => None,
		};
		let (first, second) = match &self.work {
			Work::Classifier { data, .. } | Work::Images { data, .. } => (data.file.clone(), None),
			Work::Language { text, .. } => (text.file.clone(), tokenizer(&text.tokens)),
			Work::FineTune { directory, text, .. } => (directory.clone(), Some(text.file.clone())),
			Work::Infer { directory, lines, .. } => (directory.clone(), Some(lines.clone())),
			Work::InferRows { model, rows, .. } => {
				let (RowModel::Directory(model) | RowModel::Onnx(model)) = model;
				(model.clone(), Some(rows.file.clone()))
			}
		};
		[first].into_iter().chain(second).map(|path| folder.join(path)).collect()
	}
}
