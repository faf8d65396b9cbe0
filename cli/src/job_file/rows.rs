//! Programs that run a classifier over many rows.

use super::{
	build::{divided, Built, Divided},
	classifiers::{counted_from_zero, open, unreadable},
	draft::DraftError,
	outcome::{Outcome, Rows},
	JobFile, RowModel, RowTerms,
};
use assay_import::{classify_rows, ClassifierDirectory, ImportError, Onnx, RowBatches, OUTPUT};
use assay_models::{CsvOptions, Table};
use assay_program::Lane;
use std::path::Path;

/// Rows at a time if nothing is said.
const BATCH: u32 = 64;

pub(super) fn infer(
	file: &JobFile,
	folder: &Path,
	(model, terms): (&RowModel, &RowTerms),
	batch: Option<u32>,
	lane: Lane,
) -> Result<Built, DraftError> {
	let opened = Opened::new(folder, model).map_err(|error| of_model(file, &error))?;
	let path = folder.join(&terms.file);
	let scale = terms.scale.unwrap_or(opened.scale());
	let table = Table::from_csv(open(file, &path)?, terms.label.as_ref(), scale, CsvOptions::default().max_cells);
	let table = table.map_err(|error| unreadable(file, &path, &error))?;
	let items = table.x.spec().rows;
	let Divided { batch, segment_groups, verify, note } = divided(file, (items, "rows"), batch, BATCH)?;
	let config = RowBatches { batch, segment_steps: segment_groups, lane };
	let built = match &opened {
		Opened::Directory(model) => classify_rows(model.classifier(), model.checkpoint(), &table.x, &config),
		Opened::Onnx(model) => model.rows(&table.x, &config),
	};
	let model = built.map_err(|error| of_model(file, &error))?;
	let labels = table.labels.map(|labels| labels.into_bits());
	let output = model.program.state_tensors().find(|(_, tensor)| tensor.name == OUTPUT.as_bytes());
	let classes = output.map_or(0, |(_, tensor)| tensor.cols);
	if let Some(labels) = labels.as_ref().filter(|_| classes > 1) {
		fit(file, labels, classes)?;
	}
	let logits = matches!(opened, Opened::Directory(_));
	let outcome = Outcome::Rows(Rows { items, batch, labels, logits });
	Ok(Built { model, items, outcome, verify: Some(verify), notes: note.into_iter().collect() }.named(table.names))
}

/// Fails unless every label is one of the model's classes.
fn fit(file: &JobFile, labels: &[u32], classes: u32) -> Result<(), DraftError> {
	counted_from_zero(file, labels.iter(), classes)?;
	match labels.iter().position(|label| *label >= classes) {
		None => Ok(()),
		Some(row) => {
			let label = labels.get(row).copied().unwrap_or_default();
			let problem = format!("the model has classes 0..{}, row {} has label {label}", classes - 1, row + 1);
			Err(file.flaw(file.spots.data_file, problem, "correct the label, or check `data.label`").into())
		}
	}
}

enum Opened {
	Directory(ClassifierDirectory),
	Onnx(Onnx),
}

impl Opened {
	fn new(folder: &Path, model: &RowModel) -> Result<Self, ImportError> {
		match model {
			RowModel::Directory(path) => ClassifierDirectory::open(&folder.join(path)).map(Self::Directory),
			RowModel::Onnx(path) => Onnx::open(&folder.join(path)).map(Self::Onnx),
		}
	}

	/// Factor for features if the job file says none.
	fn scale(&self) -> f32 {
		match self {
			Self::Directory(model) => model.classifier().scale,
			Self::Onnx(_) => 1.0,
		}
	}
}

fn of_model(file: &JobFile, error: &ImportError) -> DraftError {
	let text = error.to_string();
	let next = match error {
		ImportError::Request(_) if text.contains("numbers of each row") => {
			"use the model's rows; if a column is the class of each row, name it as `data.label`"
		}
		ImportError::Missing { .. } => "the path is relative to the job file; correct it",
		ImportError::Request(_) => "change `infer`, or use another model",
		ImportError::Node { .. } => "docs/import.md lists the operators that are known; export the model without this one",
		_ => "`directory` holds config.json and model.safetensors of a training job of type mlp or cnn; `onnx` is one file",
	};
	file.flaw(file.spots.model, text, next).into()
}
