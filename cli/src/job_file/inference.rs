//! What is to be computed with a model that is there, from the fields of each kind.

use super::{
	error::Flaw,
	fields::{at_most, known},
	raw,
	work::{bounded_batch, column, factor, lane, Read},
	End, RowModel, RowTerms, Spots, Task, Work,
};
use assay_import::Pooling;
use serde_saphyr::Spanned;

const TASKS: [&str; 3] = ["generate", "embed", "classify"];
const ROW_TASKS: [&str; 1] = ["classify"];
const POOLINGS: [&str; 3] = ["mean", "first", "last"];
/// Most new tokens of a text; a model's positions bound them further.
const MAX_TOKENS: u32 = 1 << 20;

pub(super) fn infer(file: raw::Infer) -> Read {
	let spots = Spots {
		model: file.model.directory.referenced.into(),
		data_file: file.data.lines.referenced.into(),
		train: file.infer.task.referenced.into(),
		end: file.infer.end_token.as_ref().map(|at| at.referenced.into()).unwrap_or_default(),
		..Spots::default()
	};
	let work = Work::Infer {
		directory: file.model.directory.value.clone().into(),
		lines: file.data.lines.value.clone().into(),
		task: task(&file.infer)?,
		batch: batch(file.infer.batch.as_ref())?,
		lane: lane(file.infer.lane.as_ref())?,
	};
	Ok((work, spots))
}

pub(super) fn rows(file: raw::InferRows) -> Read {
	let raw::InferRows { model, data, infer, .. } = &file;
	let (at, model) = match (&model.directory, &model.onnx) {
		(Some(directory), None) => (directory.referenced, RowModel::Directory(directory.value.clone().into())),
		(None, Some(file)) => (file.referenced, RowModel::Onnx(file.value.clone().into())),
		(Some(_), Some(file)) => {
			return Err(Flaw::new(
				file.referenced,
				"`model` has a `directory` and an `onnx` file",
				"remove one of the two",
			));
		}
		(None, None) => {
			let next = "add `directory:` with what a training job wrote, or `onnx:` with an ONNX file";
			return Err(Flaw::new(data.rows.referenced, "rows need a model to be run through", next));
		}
	};
	known(&infer.task, "task over rows", &ROW_TASKS)?;
	let spots = Spots {
		model: at.into(),
		data_file: data.rows.referenced.into(),
		train: infer.batch.as_ref().map_or(infer.task.referenced, |batch| batch.referenced).into(),
		..Spots::default()
	};
	let work = Work::InferRows {
		model,
		rows: RowTerms {
			file: data.rows.value.clone().into(),
			label: data.label.as_ref().map(|label| column(&label.value)),
			scale: data.scale.as_ref().map(factor).transpose()?,
		},
		batch: batch(infer.batch.as_ref())?,
		lane: lane(infer.lane.as_ref())?,
	};
	Ok((work, spots))
}

fn batch(batch: Option<&Spanned<u32>>) -> Result<Option<u32>, Flaw> {
	batch.map(|batch| bounded_batch(Some(batch), 1)).transpose()
}

fn task(task: &raw::Task) -> Result<Task, Flaw> {
	let only = |at: Option<serde_saphyr::Location>, field: &str, of: &str| match at {
		Some(at) => {
			Err(Flaw::new(at, format!("`{field}` belongs to task {of}"), format!("remove it or use task: {of}")))
		}
		None => Ok(()),
	};
	let name = known(&task.task, "task", &TASKS)?;
	if name != "generate" {
		only(task.tokens.as_ref().map(|at| at.referenced), "tokens", "generate")?;
		only(task.temperature.as_ref().map(|at| at.referenced), "temperature", "generate")?;
		only(task.seed.as_ref().map(|at| at.referenced), "seed", "generate")?;
		only(task.end_token.as_ref().map(|at| at.referenced), "end_token", "generate")?;
	}
	if name != "embed" {
		only(task.pooling.as_ref().map(|at| at.referenced), "pooling", "embed")?;
	}
	Ok(match name {
		"embed" => {
			Task::Rows(match task.pooling.as_ref().map(|word| known(word, "pooling", &POOLINGS)).transpose()? {
				Some("first") => Pooling::First,
				Some("last") => Pooling::Last,
				_ => Pooling::Mean,
			})
		}
		"classify" => Task::Rows(Pooling::Classes),
		_ => Task::Generate {
			tokens: task.tokens.as_ref().map_or(Ok(32), |at| at_most(at, "`tokens`", MAX_TOKENS))?,
			temperature: match &task.temperature {
				Some(at) if !(at.value.is_finite() && at.value >= 0.0) => {
					let problem = format!("`temperature` {} is not a number from 0", at.value);
					return Err(Flaw::new(at.referenced, problem, "use 0 for the likeliest token, or for example 0.8"));
				}
				at => at.as_ref().map_or(0.0, |at| at.value),
			},
			seed: task.seed.as_ref().map_or(0, |seed| seed.value),
			end: match task.end_token.as_ref().map(|at| at.value.as_str()) {
				None => End::Model,
				Some("none") => End::Never,
				Some(text) => End::Token(text.into()),
			},
		},
	})
}
