//! Programs that train classifiers of rows.

use super::{
	build::{refused, seed, segment_steps, Built},
	draft::DraftError,
	outcome::{Outcome, Trained},
	CnnTerms, JobFile, MlpTerms, TableTerms, TrainTerms,
};
use assay_models::{cnn, mlp, Classification, CnnConfig, CsvOptions, DataError, MlpConfig};
use std::{fs::File, io::BufReader, path::Path};

/// What to do about a first column without a name.
const UNNAMED: &str =
	"a first column without a name is the row numbers that pandas writes: write the file with index=False, or remove it";
const SMALLER: &str = "use smaller layers or a smaller batch";

pub(super) fn perceptron(
	file: &JobFile,
	folder: &Path,
	model: &MlpTerms,
	terms: &TableTerms,
	train: &TrainTerms,
) -> Result<Built, DraftError> {
	let data = read_table(file, terms, folder)?;
	let (first, last) = (model.layers.first().copied().unwrap_or(0), model.layers.last().copied().unwrap_or(0));
	let wrong = |what, model, found| {
		let next = format!("write {found} there, or check `data.label`");
		let problem = format!("`layers` says {model} {what}, the data has {found}");
		DraftError::from(file.flaw(file.spots.model, problem, &next))
	};
	if first != data.features {
		return Err(wrong("features (its first number)", first, data.features));
	}
	if last < data.classes {
		from_zero(file, &data, last)?;
		return Err(wrong("classes (its last number)", last, data.classes));
	}
	let config = MlpConfig {
		hidden: model.layers.get(1..model.layers.len() - 1).unwrap_or_default().to_vec(),
		activation: model.activation,
		optimiser: train.optimiser,
		batch: train.batch,
		steps: train.steps,
		segment_steps: segment_steps(file, train)?,
		seed: seed(train.seed),
		lane: train.lane,
		..MlpConfig::new(first, last)
	};
	let model = mlp(&config, &data.train).map_err(|error| refused(file, error, SMALLER))?;
	let items = data.train.x.spec().rows;
	let network = Trained::Perceptron(config);
	let outcome = Outcome::Classifier { network, scale: terms.scale, held_out: data.held_out };
	Ok(Built::trained(file, model, items, outcome).named(data.names))
}

pub(super) fn convolutional(
	file: &JobFile,
	folder: &Path,
	model: &CnnTerms,
	terms: &TableTerms,
	train: &TrainTerms,
) -> Result<Built, DraftError> {
	let data = read_table(file, terms, folder)?;
	let [height, width, channels] = model.image;
	let pixels = model.image.iter().fold(1u64, |product, extent| product.saturating_mul(u64::from(*extent)));
	let flaw = |problem: String, next: &str| DraftError::from(file.flaw(file.spots.model, problem, next));
	if pixels != u64::from(data.features) {
		let problem = format!(
			"`image` of {height} x {width} x {channels} is {pixels} numbers, the data has {} in a row",
			data.features
		);
		return Err(flaw(problem, "correct `image`, or check `data.label`"));
	}
	let classes = model.classes.unwrap_or(data.classes);
	from_zero(file, &data, model.classes.unwrap_or(data.classes - 1))?;
	if classes < data.classes {
		return Err(flaw(
			format!("`classes` is {classes}, the data has {}", data.classes),
			"leave `classes` out, or check `data.label`",
		));
	}
	let config = CnnConfig {
		convolutions: model.convolutions.clone(),
		optimiser: train.optimiser,
		batch: train.batch,
		steps: train.steps,
		segment_steps: segment_steps(file, train)?,
		seed: seed(train.seed),
		lane: train.lane,
		..CnnConfig::new(height, width, channels, classes)
	};
	let model = cnn(&config, &data.train).map_err(|error| refused(file, error, SMALLER))?;
	let items = data.train.x.spec().rows;
	let network = Trained::Convolutional(config);
	let outcome = Outcome::Classifier { network, scale: terms.scale, held_out: data.held_out };
	Ok(Built::trained(file, model, items, outcome).named(data.names))
}

/// Fails where a model of `classes` classes is trained on labels that start at 1 and end there.
fn from_zero(file: &JobFile, data: &Classification, classes: u32) -> Result<(), DraftError> {
	let (train, held_out) = (data.train.y.bits(), data.held_out.y.bits());
	counted_from_zero(file, train.iter().chain(&*held_out), classes)
}

/// The same of any labels.
pub(super) fn counted_from_zero<'a>(
	file: &JobFile,
	labels: impl Iterator<Item = &'a u32>,
	classes: u32,
) -> Result<(), DraftError> {
	let (least, most) = labels.fold((u32::MAX, 0), |(least, most), label| (least.min(*label), most.max(*label)));
	match (least, most) {
		(1, most) if most == classes => {
			let problem = format!("labels run 1..{most}, classes are numbered from 0");
			let next = format!("count from 0: write 0..{} into the data file", most - 1);
			Err(file.flaw(file.spots.data_file, problem, &next).into())
		}
		_ => Ok(()),
	}
}

fn read_table(file: &JobFile, terms: &TableTerms, folder: &Path) -> Result<Classification, DraftError> {
	let path = folder.join(&terms.file);
	let options = CsvOptions {
		label: terms.label.clone(),
		scale: terms.scale,
		hold_out_every: terms.hold_out_every,
		..CsvOptions::default()
	};
	Classification::from_csv(open(file, &path)?, &options).map_err(|error| unreadable(file, &path, &error))
}

/// Opens a file of rows.
pub(super) fn open(file: &JobFile, path: &Path) -> Result<BufReader<File>, DraftError> {
	let at = file.spots.data_file;
	File::open(path).map(BufReader::new).map_err(|error| {
		let problem = format!("cannot open {}: {error}", path.display());
		file.flaw(at, problem, "the path is relative to the job file; correct it").into()
	})
}

/// What is wrong with a file of rows.
pub(super) fn unreadable(file: &JobFile, path: &Path, error: &DataError) -> DraftError {
	let next = match error {
		DataError::LabelColumn { .. } => "set `data.label` to a column's name, its position from 0, or last",
		DataError::TooFewRows { .. } => "use more rows or a smaller `data.held_out`",
		DataError::Separator { .. } => "write commas between columns, and decimals with a point: 0.5",
		DataError::Mixed { column: 1, text, .. } if text.is_empty() => UNNAMED,
		DataError::Unnamed { column: 1, .. } => UNNAMED,
		DataError::Mixed { .. } | DataError::Unnamed { .. } => {
			"write a number there, or start the file with a line that names every column and has no number"
		}
		DataError::Ragged { expected, found, .. } if found > expected => {
			"give each line as many fields; a decimal comma divides a number: write 0.5 with a point"
		}
		_ => "correct the data file",
	};
	file.flaw(file.spots.data_file, format!("{}: {error}", path.display()), next).into()
}
